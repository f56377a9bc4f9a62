"""Do pairs of an original and its kept normalized face load as quickly as originals alone?

    python benchmarks/loader.py [--faces 384] [--rounds 6] [--batch 64] [--size 256]

Batches are made as in the training of F_cla on a prepared data set: rows of a cache read from disk,
varied, and joined. Faces are noise of the stored size. Both kinds take turns in one run, and what
counts is the process's own time, so that other programs on the machine do not; the time on the
clock stands beside it. The normalized faces are read as they were kept, without any network.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch

from norface import facs
from norface.data.augment import AugmentationConfig
from norface.data.labelled_samples import ChosenRows, LabelledSamples
from norface.data.prepared import StoredRows
from norface.media.arrays import write_arrays
from norface.synthesis.shard_format import original_size
from norface.training.classification_faces import ImageFaces

UNITS = facs.ACTION_UNIT_NAMES
ASKED = 0.95


def write_faces(folder: Path, count: int, side: int) -> list[Path]:
    """Files of 64 smooth faces, as a cache has them."""
    rng = np.random.default_rng(0)
    paths = []
    for start in range(0, count, 64):
        small = rng.integers(0, 256, (min(64, count - start), 24, 24, 3), np.uint8)
        faces = np.stack([cv2.resize(face, (side, side)) for face in small])
        paths.append(folder / f"faces_{start:06d}.npz")
        write_arrays(paths[-1], {"face": faces})
    return paths


def sources(folder: Path, count: int, size: int) -> dict[str, ImageFaces]:
    chosen = np.arange(count)
    originals = StoredRows(write_faces(folder / "original", count, original_size(size)), "face")
    normalized = StoredRows(write_faces(folder / "normalized", count, size), "face")
    samples = LabelledSamples(
        units=UNITS,
        original=ChosenRows(originals, chosen),
        geometry=np.zeros((count, 478, 3), np.float16),
        intensity=np.full((count, len(UNITS), 3), np.nan, np.float16),
        present=np.zeros((count, len(UNITS)), np.int8),
        emotion=np.zeros(count, np.int8),
        identity=np.zeros(count, np.int32),
        real=np.ones(count, bool),
        targets=np.zeros((1, 256, 256, 3), np.uint8),
    )
    return {
        name: ImageFaces(
            samples,
            size=size,
            normalizer=None,
            normalized=rows,
            augmentation=AugmentationConfig(),
            mirror=0.5,
            views=1,
            seed=0,
        )
        for name, rows in (("originals", None), ("pairs", ChosenRows(normalized, chosen)))
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    torch.set_num_threads(1)
    own: dict[str, list[float]] = {"originals": [], "pairs": []}
    clock: dict[str, list[float]] = {"originals": [], "pairs": []}
    with tempfile.TemporaryDirectory() as folder:
        both = sources(Path(folder), options.faces, options.size)
        for turn in range(options.rounds + 1):
            for name, source in both.items():
                began, used = time.perf_counter(), time.process_time()
                for start in range(0, options.faces, options.batch):
                    rows = np.arange(start, min(start + options.batch, options.faces))
                    source.varied(rows, [np.random.default_rng((turn, int(i))) for i in rows])
                # The first turn warms up.
                if turn:
                    own[name].append(options.faces / (time.process_time() - used))
                    clock[name].append(options.faces / (time.perf_counter() - began))
    print(f"{options.size} pixels, {options.faces} faces, median of {options.rounds} turns each")
    for name in own:
        print(f"{name:10s}{median(own[name]):8.0f} faces a second of the process's own time, "
              f"{median(clock[name]):6.0f} on the clock")  # fmt: skip
    ratios = [pair / alone for pair, alone in zip(own["pairs"], own["originals"], strict=True)]
    ratio = median(ratios)
    print(f"pairs against originals: {ratio:.1%} ({min(ratios):.1%} to {max(ratios):.1%}); "
          f"asked: {ASKED:.0%}")  # fmt: skip
    return int(ratio < ASKED)


if __name__ == "__main__":
    raise SystemExit(main())
