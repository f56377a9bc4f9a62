"""What a second worker gains on a folder of pictures.

    python benchmarks/workers.py [--count 2000] [--rounds 1] [--out FILE]

The pictures are made from `examples/person_*.jpg`: turned, nearer or farther, brighter or darker,
600 pixels wide. The command ``norface analyze`` reads them, from its start to its table, held to
two cores:

- one worker, one core: what a single core does;
- one worker: its networks share both cores;
- two workers: each has a core.

Seconds are the least of the rounds, which take turns; the tables must be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from norface.media.images import read_image, write_image

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("person_*.jpg"))
SIZE = 600
CONTENDERS = {"one worker, one core": (1, 1), "one worker": (1, 2), "two workers": (2, 2)}
"""Workers and cores."""


def make_pictures(folder: Path, count: int) -> None:
    """Pictures that differ from each other."""
    rng = np.random.default_rng(0)
    people = [read_image(path) for path in EXAMPLES]
    for i in range(count):
        picture = people[i % len(people)]
        high, wide = picture.shape[:2]
        zoom = SIZE / wide * rng.uniform(0.9, 1.3)
        matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), rng.uniform(-15, 15), zoom)
        matrix[:, 2] += (SIZE - wide) / 2, (SIZE - high) / 2
        turned = cv2.warpAffine(picture, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
        bright = np.clip(turned * rng.uniform(0.7, 1.2), 0, 255)
        write_image(folder / f"{i:05}.jpg", bright.astype(np.uint8))


def seconds(pictures: Path, out: Path, workers: int, cores: list[int]) -> float:
    """How long the command takes."""
    command = [sys.executable, "-m", "norface", "analyze", str(pictures), "--out", str(out)]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--workers", str(workers)],
        check=True,
        capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    return time.perf_counter() - start


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    free = sorted(os.sched_getaffinity(0))[:2]
    if len(free) < 2:
        raise SystemExit("This needs two cores.")
    took: dict[str, float] = {}
    tables = set()
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        pictures.mkdir()
        make_pictures(pictures, options.count)
        for turn in range(options.rounds):
            for name, (workers, cores) in CONTENDERS.items():
                out = Path(folder) / f"{workers}_{cores}_{turn}"
                now = seconds(pictures, out, workers, free[:cores])
                took[name] = min(took.get(name, now), now)
                tables.add((out / "faces.csv").read_bytes())
    if len(tables) > 1:
        raise SystemExit("The tables differ.")
    two = took["two workers"]
    figures = {
        "pictures": options.count,
        "seconds": {name: round(value, 1) for name, value in took.items()},
        "pictures_per_second": {n: round(options.count / value, 1) for n, value in took.items()},
        "two_workers_gain": {n: round(value / two, 2) for n, value in took.items()},
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
