"""Emotion networks beside each other on a test part that none of them learned from.

    python benchmarks/fer2013.py --protocol fer2013-7-public --root FER2013 --faces faces/fer2013 \
        --normalization F_NOR.safetensors --out results/fer2013 \
        "original=runs/a_0/emotions.safetensors" "original=runs/a_1/emotions.safetensors" \
        "+ normalized=runs/b_0/emotions.safetensors" ...

Checkpoints of one name are seeds of one arm. For each arm the table has the accuracy and the mean
recall, mean and standard deviation over seeds, and the accuracy of the mean of a face and its
mirror image; and, against the first arm, the difference with its 95% interval over 2,000 paired
resamples of the pictures. Every checkpoint must say that it learned from this protocol's training
part.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from norface.data.catalog import read_data_set
from norface.data.labelled_samples import ChosenRows, label_samples
from norface.data.mirror import mirror_geometry
from norface.data.prepared import picture_name, read_prepared
from norface.data.protocols import protocol
from norface.evaluation.metrics import accuracy, mean_recall
from norface.facs import EMOTIONS
from norface.models.checkpoint import load_classification
from norface.synthesis.shard_format import original_size
from norface.training.emotion_faces import Faces, grey_faces, small_faces
from norface.training.emotions import read_emotions, sizes_of
from norface.training.normalized_faces import kept_normalized
from norface.training.router_load import RouterLoad
from norface.training.speed import keep_freed_memory

RESAMPLES = 2000


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoints", nargs="+", metavar="NAME=CHECKPOINT")
    parser.add_argument("--protocol", default="fer2013-7-public")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--normalization", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("results/fer2013"))
    options = parser.parse_args()
    keep_freed_memory()
    plan = protocol(options.protocol)
    data = read_data_set(plan.data_set, options.root, plan.variant)
    prepared = read_prepared(options.faces, data)
    (division,) = plan.divide(data)
    rows = np.array([prepared.row[picture_name(s, data.root)] for s in division.test])
    samples = label_samples(
        plan, division.test, prepared, rows, targets=np.empty((0, 256, 256, 3), np.uint8)
    )
    kept = ChosenRows(kept_normalized(options.faces, options.normalization), rows)
    every = np.arange(len(rows))
    normalized = small_faces(kept, every)
    found = prepared.found[rows]
    print(f"{plan.name}: {len(rows)} pictures, {len(rows) - found.sum()} without landmarks")

    scores: dict[str, list[dict[str, float]]] = defaultdict(list)
    right: dict[str, list[NDArray[np.bool_]]] = defaultdict(list)
    for item in options.checkpoints:
        name, _, path = item.partition("=")
        network, notes = load_classification(Path(path))
        if notes.get("fold", {}).get("protocol") != plan.name:
            raise SystemExit(f"{path} did not learn from the training part of {plan.name}")
        sizes = sizes_of(network)
        plain = Faces(
            grey_faces(samples.original, every, original_size(sizes.original)),
            samples.geometry,
            np.eye(len(EMOTIONS), dtype=np.float32)[samples.emotion],
            normalized if network.use_normalized else None,
            contempt="contempt" in plan.labels,
        )
        mirrored = Faces(
            np.ascontiguousarray(plain.image[:, :, ::-1]),
            np.stack([mirror_geometry(shape) for shape in plain.geometry]),
            plain.label,
            None if plain.normalized is None else plain.normalized[:, :, ::-1],
            contempt=plain.contempt,
        )
        logits, turned = (
            read_emotions(network, f, sizes, torch.device("cpu"), RouterLoad(EMOTIONS))
            for f in (plain, mirrored)
        )
        said = logits.argmax(axis=1)
        both = (_softmax(logits) + _softmax(turned)).argmax(axis=1)
        truth = plain.emotion
        right[name].append(said == truth)
        scores[name].append(
            {
                "accuracy": accuracy(truth, said),
                "mean_recall": mean_recall(truth, said),
                "accuracy_with_mirror": accuracy(truth, both),
                "accuracy_landmarks_found": accuracy(truth[found], said[found]),
                "accuracy_no_landmarks": accuracy(truth[~found], said[~found]),
            }
        )
        print(path, {k: round(v, 4) for k, v in scores[name][-1].items()}, flush=True)

    options.out.mkdir(parents=True, exist_ok=True)
    table = _table(scores, {name: np.mean(each, axis=0) for name, each in right.items()})
    (options.out / "fer2013.md").write_text(table + "\n")
    (options.out / "fer2013.json").write_text(json.dumps(scores, indent=1) + "\n")
    print(table)
    return 0


def _table(scores: dict[str, list[dict[str, float]]], right: dict[str, NDArray[np.float64]]) -> str:
    lines = [
        "| network | seeds | accuracy | mean recall | with mirror image | difference (95%) |",
        "|---|---|---|---|---|---|",
    ]
    first = next(iter(right.values()))
    draws = np.random.default_rng(0).integers(0, len(first), (RESAMPLES, len(first)))
    for name, each in scores.items():
        cells = []
        for key in ("accuracy", "mean_recall", "accuracy_with_mirror"):
            values = [one[key] for one in each]
            spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.4f}{spread}")
        gain = right[name] - first
        low, high = np.quantile(gain[draws].mean(axis=1), (0.025, 0.975))
        moved = "" if right[name] is first else f"{gain.mean():+.4f} ({low:+.4f} to {high:+.4f})"
        lines.append(f"| {name} | {len(each)} | {' | '.join(cells)} | {moved} |")
    return "\n".join(lines)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: NDArray[np.float32] = e / e.sum(axis=1, keepdims=True)
    return out


if __name__ == "__main__":
    cv2.setNumThreads(1)
    sys.exit(main())
