"""Cuts between people that are seen, missed, or seen where none is.

    python benchmarks/cuts.py [--identity] [--films NAME ...] [--videos FILE ...]

Films of `cut_films` through `runtime.following.Follower`, as a video goes. Columns:

- cuts: starts of another person's shot; missed: those after which a number went on to somebody
  else; leaps: starts in the same person's shot; new: those after which the number was another;
- false: other frames in which somebody in sight got a new number;
- frame: cuts missed, and false ones, by `shots.ShotDetector` alone, with which a number changes.

``--videos`` are shots of your own without a cut.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cut_films as made
import numpy as np
from tracking import RATE, background, heads

from norface.faces.find import FaceFinder
from norface.faces.identity import IdentityEmbedder
from norface.faces.shots import ShotDetector
from norface.media.video import Frame, Video
from norface.runtime.following import Follower


def actors() -> list[Sequence[made.Head]]:
    return [heads(person) for person in (0, 3, 5)] + made.stills()[:3]


def under(effect: Callable[[made.Iterator[made.Image]], made.Iterator[made.Image]]) -> made.Film:
    """The actors under something that is no cut."""
    return made.shots(effect(made.acting(actor)) for actor in actors())


FILMS: dict[str, Callable[[], made.Film]] = {
    "in turn, room": lambda: made.in_turn(made.cast(), 200, background(0)),
    "in turn, wall": lambda: made.in_turn(made.cast(), 200, made.wall()),
    "in turn, 60 pixels": lambda: made.in_turn(made.cast(), 60, background(1)),
    "in turn, 330 pixels": lambda: made.in_turn(made.cast(), 330, background(0)),
    "in turn, apart": lambda: made.in_turn(made.cast(), 200, background(0), 0.25),
    "in turn, stills": lambda: made.in_turn(made.stills(), 200, made.wall()),
    "in turn, low rate": lambda: made.compressed(made.in_turn(made.cast(), 200, made.wall()), 42),
    "in turn, 6 a second": lambda: made.every(made.in_turn(made.cast(), 200, background(0)), 4),
    "pairs": made.pairs,
    "leaps": made.leaps,
    "turned heads": lambda: made.shots(made.turning(person) for person in range(3)),
    "broad expressions": lambda: made.shots(made.broad(person) for person in range(4, 8)),
    "hand": lambda: made.shots(made.hand(actor, background(0)) for actor in actors()),
    "light": lambda: under(made.lit),
    "shaken": lambda: under(made.shaken),
    "zoom": lambda: under(made.zoomed),
    "fade": lambda: under(made.faded),
    "blur": lambda: under(made.blurred),
    "low rate": lambda: made.compressed(under(lambda frames: frames), 42),
    "lowest rate": lambda: made.compressed(under(lambda frames: frames), 48),
    "2 a second": lambda: made.every(under(lambda frames: frames), 12),
}


def own(path: Path) -> made.Film:
    with Video.open(path) as video:
        for frame in video.frames(stop=12):
            yield frame.image, ""


def run(name: str, film: made.Film, finder: FaceFinder, embedder: IdentityEmbedder | None) -> None:
    """Print one film's line."""
    people = "track" if embedder is None else "link"
    follower, shots = Follower(finder=finder, people=people, embedder=embedder), ShotDetector()
    counts = dict.fromkeys(("cuts", "missed", "leaps", "new", "false", "unseen", "wrong"), 0)
    before: list[int] = []
    known: set[int] = set()
    pending: made.Start = ""
    for n, (image, start) in enumerate(film):
        faces, numbers = follower.follow(Frame(number=n, time=n / RATE, image=image))
        by_frame = shots.cut(image)
        counts["cuts"] += start == "person"
        counts["leaps"] += start == "leap"
        counts["unseen"] += start == "person" and not by_frame
        counts["wrong"] += start == "" and by_frame
        pending = start or pending
        if not faces:
            continue
        kept = bool(set(numbers) & set(before))
        if pending == "person":
            counts["missed"] += kept
        elif pending == "leap":
            counts["new"] += not kept
        elif before:
            # A second person, found later, is no cut.
            counts["false"] += len(numbers) <= len(before) and bool(set(numbers) - known)
        known |= set(numbers)
        before, pending = numbers, ""
    print(f"{name:<22}" + "".join(f"{value:>8}" for value in counts.values()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--identity", action="store_true", help="link by identity embeddings")
    parser.add_argument("--films", nargs="*", default=list(FILMS), choices=list(FILMS))
    parser.add_argument("--videos", nargs="*", default=[], type=Path, help="without a cut")
    arguments = parser.parse_args()
    embedder = IdentityEmbedder() if arguments.identity else None
    titles = ("cuts", "missed", "leaps", "new", "false", "unseen", "wrong")
    print(f"{'film':<22}" + "".join(f"{title:>8}" for title in titles))
    with FaceFinder() as finder:
        finder.find(np.zeros((64, 64, 3), np.uint8))
        for name in arguments.films:
            run(name, FILMS[name](), finder, embedder)
        for path in arguments.videos:
            run(path.stem, own(path), finder, embedder)


if __name__ == "__main__":
    main()
