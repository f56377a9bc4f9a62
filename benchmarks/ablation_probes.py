"""Where normalization gains and loses: linear read-outs of what F_cla could read.

    python benchmarks/ablation_probes.py --root SYNFACS --normalization normalization.safetensors \
        --cache results/ablation/cache --out results/ablation

Ridge regression to the action units of synfacs, fitted to the ten labelled people and to 1,500
faces of all 200, tested on 1,000 faces of the test split, 200 of them straight ahead and 200 turned
by 45 degrees. The strength of the ridge is chosen on the validation split. Correlations need no
threshold and forgive shrinkage: what is low here, F_cla cannot read either. Beside the faces and
features of `ablation.py` (whose folder of kept files is shared) it looks at grey pixels of 64 x 64
and at the landmarks that alignment computes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ablation import Faces, Preparation
from numpy.typing import NDArray

from norface.evaluation.metrics import nan_mean, pearson

STRENGTHS = tuple(10.0**k for k in np.arange(-3, 2.6, 0.5))
FITTED, TESTED = 1500, 1000
GREY = 64
WHAT = {
    "trained": "grey picture",
    "imagenet": "ImageNet features",
    "normalizer": "tokens of F_nor",
}


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of synfacs-v1")
    parser.add_argument("--normalization", type=Path, required=True, help="checkpoint of F_nor")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    lines = ["| read from | 10: all | 0° | 45° | 200: all | 0° | 45° |", "|---" * 7 + "|"]
    rows: dict[str, NDArray[Any]] = {}
    for reads in ("trained", "imagenet", "normalizer"):
        options.reads, options.rows = reads, ("common",) if reads == "trained" else ()
        preparation = Preparation(options)
        splits = {name: preparation.faces(name) for name in ("train", "validation", "test")}
        rows = rows or chosen(splits)
        for name, inputs in readable(splits, rows, reads):
            scores = probe(inputs, splits, rows)
            lines.append(f"| {name} | " + " | ".join(f"{s:.3f}" for s in scores) + " |")
            print(lines[-1], flush=True)
    (options.out / "probes.md").write_text("\n".join(lines) + "\n")


def chosen(splits: dict[str, Faces]) -> dict[str, NDArray[Any]]:
    """Which faces of each split; those of the ten people stand first."""
    rng = np.random.default_rng(0)
    few = np.flatnonzero(splits["train"].labels.few)
    others = np.flatnonzero(~splits["train"].labels.few)
    pose = splits["test"].labels.strata["pose"]
    compared = np.flatnonzero((pose == "0") | (pose == "45"))
    rest = np.setdiff1d(np.arange(len(pose)), compared)
    more = rng.choice(rest, min(max(TESTED - len(compared), 0), len(rest)), replace=False)
    fitted = rng.choice(others, min(FITTED - len(few), len(others)), replace=False)
    return {
        "train": np.concatenate([few, fitted]),
        "validation": np.arange(0, len(splits["validation"].labels), 2),
        "test": np.concatenate([compared, more]),
    }


def readable(
    splits: dict[str, Faces], rows: dict[str, NDArray[Any]], reads: str
) -> list[tuple[str, dict[str, NDArray[np.float32]]]]:
    """Name and inputs (N, F) by split."""
    found = []
    for face in ("original", "normalized", "common"):
        if reads != "trained" and face == "common":
            continue
        inputs = {}
        for name, faces in splits.items():
            values = getattr(faces, face)[0][rows[name]]
            if reads == "trained":
                values = np.stack(
                    [
                        cv2.resize(v, (GREY, GREY), interpolation=cv2.INTER_AREA).mean(2)
                        for v in values
                    ]
                )
            inputs[name] = values.reshape(len(values), -1).astype(np.float32)
        found.append((f"{WHAT[reads]}, {face}", inputs))
    if reads == "trained":
        shapes = {
            name: faces.labels.geometry[rows[name]].reshape(len(rows[name]), -1).astype(np.float32)
            for name, faces in splits.items()
        }
        found.append(("landmarks", shapes))
    return found


def probe(
    inputs: dict[str, NDArray[np.float32]],
    splits: dict[str, Faces],
    rows: dict[str, NDArray[Any]],
) -> list[float]:
    """Mean correlation over the units: of ten people's fit and of 200's, each all, 0 and 45."""
    truth = {
        name: faces.labels.intensity[rows[name], :, 0].astype(np.float64)
        for name, faces in splits.items()
    }
    mean = inputs["train"].mean(axis=0)
    scale = np.sqrt(((inputs["train"] - mean) ** 2).sum(axis=1).mean())
    fitted = (inputs["train"] - mean) / scale
    products = {name: ((x - mean) / scale) @ fitted.T for name, x in inputs.items()}
    pose = splits["test"].labels.strata["pose"][rows["test"]]
    scores = []
    for count in (int(splits["train"].labels.few.sum()), len(fitted)):
        ridge = Ridge(products["train"][:count, :count], truth["train"][:count])
        best = max(
            STRENGTHS,
            key=lambda s, ridge=ridge: correlation(
                truth["validation"], ridge(products["validation"], s)
            ),
        )
        said = ridge(products["test"], best)
        parts = (np.ones(len(pose), bool), pose == "0", pose == "45")
        scores += [correlation(truth["test"][part], said[part]) for part in parts]
    return scores


class Ridge:
    """Ridge regression by products of inputs: there are more inputs than faces.

    Args:
        products: (N, N), of the faces that it is fitted to.
        truth: (N, A).
    """

    def __init__(self, products: NDArray[np.floating], truth: NDArray[np.float64]) -> None:
        gram = products.astype(np.float64)
        self._columns, self._whole = gram.mean(axis=0), gram.mean()
        self._mean = truth.mean(axis=0)
        centred = gram - self._columns - self._columns[:, None] + self._whole
        self._values, self._vectors = np.linalg.eigh(centred)
        self._turned = self._vectors.T @ (truth - self._mean)

    def __call__(self, products: NDArray[np.floating], strength: float) -> NDArray[np.float64]:
        """Read other faces: their products with the fitted ones first, (M, >= N) -> (M, A)."""
        other = products[:, : len(self._columns)].astype(np.float64)
        other = other - other.mean(axis=1, keepdims=True) - self._columns + self._whole
        weights = self._turned / (self._values.clip(0) + strength)[:, None]
        return np.asarray(other @ (self._vectors @ weights) + self._mean)


def correlation(truth: NDArray[np.float64], read: NDArray[np.float64]) -> float:
    """Mean over the units of two (N, A)."""
    return nan_mean([pearson(truth[:, a], read[:, a]) for a in range(truth.shape[1])])


if __name__ == "__main__":
    main()
