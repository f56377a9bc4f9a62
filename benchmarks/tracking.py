"""Misses, swaps and time of following faces, on videos composed of rendered people.

    python benchmarks/tracking.py [--identity] [--every N] [--scenes NAME ...]

Each scene moves rendered heads over a background of 1280 x 720 pixels, so that it is known where
each face is and whose it is. `runtime.following.Follower` stands beside `FaceFinder.find` on every
frame, and the time of MediaPipe's landmarker alone. Columns:

- faces: how many could be seen (at least 60 % of the head in the frame and not hidden);
- missed, false: faces that were not found; finds where no face is;
- swaps: how often a person in sight had another number than when last seen;
- mixed: numbers that were given to more than one person;
- off: mean distance of the landmarks from those of `find`, in % of the face's width;
- ms: CPU time a frame, without making the frames.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from mediapipe import Image, ImageFormat
from numpy.typing import NDArray
from speed import plain_landmarker

from norface.faces.find import FaceFinder
from norface.faces.identity import IdentityEmbedder
from norface.faces.landmarks import FaceLandmarks
from norface.media.video import Frame
from norface.runtime.following import Follower
from norface.synthesis.generate_sequences import random_film
from norface.synthesis.picture.backgrounds import random_background

WIDTH, HEIGHT, RATE = 1280, 720, 25.0
SEED, SIZE, FRAMES = 60_000, 256, 13


@dataclass(frozen=True)
class Head:
    """One frame of a person: picture, how opaque each pixel is, and the middle of the face."""

    image: NDArray[np.uint8]
    opaque: NDArray[np.float32]
    middle: tuple[float, float]
    width: float


@dataclass(frozen=True)
class Place:
    """Where a person is in a frame: the middle and the width of the face, in pixels."""

    person: int
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Moment:
    """What a frame shows: people from back to front, which background, a board before all."""

    people: Sequence[Place]
    background: int = 0
    board: tuple[int, int] | None = None  # from, to, across


@dataclass
class Truth:
    """Where a face is in a frame, and how much of the head can be seen."""

    person: int
    x: float
    y: float
    width: float
    seen: float


@lru_cache
def heads(person: int) -> list[Head]:
    """A second of a person who moves and acts."""
    film = random_film(SEED, person, SIZE, FRAMES / RATE, RATE, yaw=12.0)
    found = []
    with FaceFinder() as finder:
        for _, picture in film.frames():
            opaque = cv2.GaussianBlur((picture.parts > 0).astype(np.float32), (0, 0), 0.8)
            faces = finder.find(picture.image)
            if faces:
                box = faces[0].box
                middle = box.x + box.width / 2, box.y + box.height / 2
                found.append(Head(picture.image, opaque, middle, box.width))
    # There and back, so that it can go on for ever.
    return found + found[-2:0:-1]


@lru_cache
def background(number: int) -> NDArray[np.uint8]:
    random = np.random.default_rng([SEED, number])
    linear = random_background(random, WIDTH, ("room", "outdoors")[number])[:HEIGHT]
    return np.asarray(255 * np.clip(linear, 0, 1) ** (1 / 2.2), np.uint8)


def composed(moments: Sequence[Moment]) -> Iterator[tuple[NDArray[np.uint8], list[Truth]]]:
    """Frames, and where their faces are."""
    for n, moment in enumerate(moments):
        frame = background(moment.background).copy()
        owner = np.full((HEIGHT, WIDTH), -1)
        whole: dict[int, float] = {}
        for place in moment.people:
            head = heads(place.person)[n % len(heads(place.person))]
            zoom = place.width / head.width
            matrix = np.array([[zoom, 0, place.x - zoom * head.middle[0]],
                               [0, zoom, place.y - zoom * head.middle[1]]])  # fmt: skip
            how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
            image = cv2.warpAffine(head.image, matrix, (WIDTH, HEIGHT), flags=how)
            opaque = cv2.warpAffine(head.opaque, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
            frame = (frame + opaque[..., None] * (image.astype(np.float32) - frame)).astype(
                np.uint8
            )
            owner[opaque > 0.5] = place.person
            whole[place.person] = head.opaque.sum() * zoom**2
        if moment.board is not None:
            frame[:, moment.board[0] : moment.board[1]] = (60, 90, 70)
            owner[:, moment.board[0] : moment.board[1]] = -1
        truths = [
            Truth(p.person, p.x, p.y, p.width, float((owner == p.person).sum() / whole[p.person]))
            for p in moment.people
        ]
        yield frame, truths


def crossing(steps: int = 100) -> list[Moment]:
    """Two people pass each other, one before the other, and come back."""
    there = 640 + 420 * np.cos(np.linspace(0, 2 * np.pi, steps))
    return [Moment((Place(0, x, 360, 150), Place(1, 1280 - x, 350, 170))) for x in there]


def cut(steps: int = 100) -> list[Moment]:
    """Two people in turn, a shot each, the second where the first was."""
    quarter = steps // 4
    shots = [
        [Moment((Place(person, 640 + i, 360, 200),), number % 2) for i in range(quarter)]
        for number, person in enumerate((0, 1, 0, 1))
    ]
    return [moment for shot in shots for moment in shot]


def absence(steps: int = 100) -> list[Moment]:
    """One person leaves the frame and comes back; another walks behind a board."""
    sway = 1100 + 420 * np.sin(np.linspace(0, np.pi, steps)) ** 2
    walk = np.linspace(150, 900, steps)
    return [
        Moment((Place(0, sway[i], 360, 160), Place(1, walk[i], 380, 150)), board=(430, 560))
        for i in range(steps)
    ]


def sizes(steps: int = 100) -> list[Moment]:
    """Faces 40 to 320 pixels wide, swaying; the largest comes nearer."""
    sway = 20 * np.sin(np.linspace(0, 4 * np.pi, steps))
    near = np.linspace(0.7, 1.0, steps)
    return [
        Moment(
            (
                Place(0, 120 + sway[i] / 4, 100, 40),
                Place(1, 300 + sway[i] / 2, 500, 80),
                Place(2, 560 - sway[i], 220, 160),
                Place(3, 1000 + sway[i], 400, 320 * near[i]),
            )
        )
        for i in range(steps)
    ]


def fast(steps: int = 100) -> list[Moment]:
    """A face 200 pixels wide that rushes to and fro, up to 90 pixels from frame to frame."""
    x = 640 + 360 * np.sin(np.linspace(0, 8 * np.pi, steps))
    return [Moment((Place(2, x[i], 360, 200),)) for i in range(steps)]


def nobody(steps: int = 100) -> list[Moment]:
    """An empty room that one person enters for a second."""
    third = steps // 3
    return [
        Moment((Place(3, 640, 360, 180),) if third <= i < 2 * third else ()) for i in range(steps)
    ]


SCENES: dict[str, Callable[[], list[Moment]]] = {
    "crossing": crossing, "cut": cut, "absence": absence, "sizes": sizes, "fast": fast,
    "nobody": nobody,
}  # fmt: skip


def matched(faces: Sequence[FaceLandmarks], truths: Sequence[Truth]) -> list[int | None]:
    """The person of each find by its place, None where no face is."""
    people: list[int | None] = []
    for face in faces:
        x, y = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
        near = [
            (np.hypot(t.x - x, t.y - y) / t.width, -t.seen, t.person)
            for t in truths
            if abs(np.log2(face.box.width / t.width)) < 1
        ]
        best = min(near, default=(np.inf, 0.0, -1))
        people.append(best[2] if best[0] < 0.35 else None)
    return people


def run(name: str, embedder: IdentityEmbedder | None, every: int) -> None:
    """Print one scene's line."""
    missed = false = swaps = seen = missed_find = 0
    last: dict[int, int] = {}
    used: dict[int, set[int]] = {}
    off, spent, searched, plain_spent = [], [], [], []
    with FaceFinder() as finder, FaceFinder() as searcher, plain_landmarker(4) as plain:
        finder.find(np.zeros((64, 64, 3), np.uint8))
        mode = "track" if embedder is None else "link"
        follower = Follower(finder=finder, people=mode, embedder=embedder)
        for n, (frame, truths) in enumerate(composed(SCENES[name]())):
            if n % every:
                continue
            started = time.process_time()
            faces, numbers = follower.follow(Frame(number=n, time=n / RATE, image=frame))
            spent.append(time.process_time() - started)
            started = time.process_time()
            reference = searcher.find(frame)
            searched.append(time.process_time() - started)
            given = Image(image_format=ImageFormat.SRGB, data=frame)
            started = time.process_time()
            plain.detect(given)
            plain_spent.append(time.process_time() - started)

            people = matched(faces, truths)
            by_find = matched(reference, truths)
            visible = {t.person for t in truths if t.seen > 0.6}
            seen += len(visible)
            missed += len(visible - set(people))
            missed_find += len(visible - set(by_find))
            false += people.count(None)
            for person, number, face in zip(people, numbers, faces, strict=True):
                if person is None:
                    continue
                swaps += last.get(person, number) != number
                last[person] = number
                used.setdefault(number, set()).add(person)
                if person in by_find:
                    points = reference[by_find.index(person)].points
                    apart = np.linalg.norm(points[:, :2] - face.points[:, :2], axis=1).mean()
                    off.append(100 * apart / face.box.width)
    mixed = sum(len(owners) > 1 for owners in used.values())
    milliseconds = [1e3 * float(np.mean(times[1:])) for times in (spent, searched, plain_spent)]
    print(
        f"{name:<10}{seen:>6}{missed:>7}{missed_find:>6}{false:>6}{swaps:>6}{mixed:>6}"
        f"{len(used):>8}{np.mean(off):>6.1f}" + "".join(f"{value:>7.1f}" for value in milliseconds),
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--identity", action="store_true", help="link by identity embeddings")
    parser.add_argument("--every", type=int, default=1, help="take one frame in so many")
    parser.add_argument("--scenes", nargs="+", default=list(SCENES), choices=list(SCENES))
    arguments = parser.parse_args()
    embedder = IdentityEmbedder() if arguments.identity else None
    titles = ("faces", 6), ("missed", 7), ("find", 6), ("false", 6), ("swaps", 6), ("mixed", 6)
    titles += ("numbers", 8), ("off", 6), ("ms", 7), ("find", 7), ("MP", 7)
    print(f"{'scene':<10}" + "".join(f"{title:>{width}}" for title, width in titles))
    for name in arguments.scenes:
        run(name, embedder, arguments.every)


if __name__ == "__main__":
    main()
