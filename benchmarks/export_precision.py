"""Size, speed and accuracy of exported networks in 32, 16 and 8 bits.

    python benchmarks/export_precision.py --normalization F_NOR --classification F_CLA \
        [--emotions F_CLA] --test SHARDS [--count 200] [--out FOLDER]

Exports the checkpoints in every precision and reads the same faces with each. Differences are those
of whole analyses from the one in 32 bits; F1 and ICC are against the truth of the shards. Times are
CPU seconds on one thread, taken in turn, and given as the ratio to 32 bits in the same run: what
else the machine does counts for all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from norface.data.shards import load_shards
from norface.evaluation.evaluate import unit_scores
from norface.export import Exported, export
from norface.export.precision import PRECISIONS
from norface.facs import ACTION_UNIT_NAMES
from norface.media.images import read_image
from norface.runtime.normalizer import TARGET_FILE, Normalizer, to_network
from norface.runtime.places import DEFAULT_WEIGHTS
from norface.runtime.reader import FaceViews, Reader, Scores, load_readers, read_all
from norface.runtime.sessions import FloatArray, Weights

CHUNK = 8
REPEATS = 15


class Networks:
    """An opened weights folder."""

    def __init__(self, folder: Path) -> None:
        weights = Weights(folder)
        self.normalizer = Normalizer.load(weights, threads=1)
        self.readers: list[Reader] = load_readers(weights)
        self.thresholds = np.array([weights.manifest.thresholds[n] for n in ACTION_UNIT_NAMES])

    def read(self, images: FloatArray, geometry: FloatArray) -> tuple[Scores, FloatArray]:
        views = FaceViews(self.normalizer, images, geometry)
        return read_all(self.readers, views), views.normalized_faces


def read_many(
    networks: Networks, images: FloatArray, geometry: FloatArray
) -> dict[str, FloatArray]:
    parts: dict[str, list[FloatArray]] = {}
    for start in range(0, len(images), CHUNK):
        chunk = slice(start, start + CHUNK)
        scores, faces = networks.read(images[chunk], geometry[chunk])
        for name, value in {**scores._asdict(), "normalized": faces}.items():
            if value is not None:
                parts.setdefault(name, []).append(value)
    return {name: np.concatenate(values) for name, values in parts.items()}


def cpu_seconds(
    networks: dict[str, Networks], images: FloatArray, geometry: FloatArray
) -> dict[str, float]:
    """Median time of reading these faces at once, with each, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(REPEATS):
        for name, each in networks.items():
            started = time.process_time()
            each.read(images, geometry)
            taken[name].append(time.process_time() - started)
    return {name: statistics.median(values) for name, values in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("normalization", "classification"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("emotions", "out", "calibration"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()

    shards = load_shards([options.test], limit=options.count)
    images = to_network(np.asarray(shards.original))
    geometry = shards.geometry.astype(np.float32)
    truth = shards.intensity[:, :, 0].astype(np.float32)
    with TemporaryDirectory() as temporary:
        out = options.out or Path(temporary)
        written: dict[str, Exported] = {
            precision: export(
                out / precision,
                normalization=options.normalization,
                classification=options.classification,
                emotions=options.emotions,
                common_face=read_image(DEFAULT_WEIGHTS / TARGET_FILE),
                precision=precision,
                calibration=options.calibration,
            )
            for precision in PRECISIONS
        }
        networks = {name: Networks(each.folder) for name, each in written.items()}

    print("| network | " + " | ".join(f"{name}, MB" for name in written) + " |")
    print("|---|" + "--:|" * len(written))
    for rows in zip(*(each.networks for each in written.values()), strict=True):
        sizes = " | ".join(f"{len(row.content) / 1e6:.2f}" for row in rows)
        print(f"| `{rows[0].name}` | {sizes} |")

    alone = cpu_seconds(networks, images[:1], geometry[:1])
    together = cpu_seconds(networks, images[:CHUNK], geometry[:CHUNK])
    read = {name: read_many(each, images, geometry) for name, each in networks.items()}
    whole = read["fp32"]
    print(f"\n{len(images)} faces of {options.test.name}; differences: mean, largest")
    print(f"| precision | time, 1 face | time, {CHUNK} faces | F1 | ICC |", end="")
    print("".join(f" {name} |" for name in whole), "same emotion |" if "emotion" in whole else "")
    print("|---|" + "--:|" * (4 + len(whole) + ("emotion" in whole)))
    for name, said in read.items():
        cells = [name, f"{alone[name] / alone['fp32']:.2f}",
                 f"{together[name] / together['fp32']:.2f}"]  # fmt: skip
        if "intensity" in said:
            scores = unit_scores(
                truth, said["intensity"], said["probability"], networks[name].thresholds
            )["mean"]
            cells += [f"{scores['f1']:.3f}", f"{scores['icc']:.3f}"]
        else:
            cells += ["-", "-"]
        for output, values in said.items():
            error = np.abs(values - whole[output])
            cells.append(f"{error.mean():.5f}, {error.max():.3f}")
        if "emotion" in said:
            same = said["emotion"].argmax(1) == whole["emotion"].argmax(1)
            cells.append(f"{same.mean():.1%}")
        print("| " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
