"""What comes out of normalization networks that were trained in different ways, side by side.

    python benchmarks/regimes.py --portraits DIR... --identity MobileFaceNet.onnx --test SHARDS \
        --train SHARDS --out results/regimes NAME=CHECKPOINT NAME=CHECKPOINT ...

Portraits of people never trained on: MediaPipe's blendshapes of the normalized face against those
of the portrait (it took no part in the training), identity cosines, and telling people apart.
Shards of rendered faces never trained on (--test): facial actions read back from the normalized
faces by a judge that is fitted to --train, and a sheet of original, normalized faces and truth.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from norface import facs
from norface.data.augment import centre
from norface.data.portraits import TRUSTED
from norface.data.shards import Shards, load_shards
from norface.evaluation.evaluate import find_portraits
from norface.evaluation.identity import IdentityEncoder, verification_auc
from norface.evaluation.judge import ActionReader, read_back
from norface.evaluation.metrics import nan_mean, pearson
from norface.faces.find import FaceFinder
from norface.media.images import write_image
from norface.models.checkpoint import load_normalization
from norface.training.frozen_normalizer import FrozenNormalizer
from norface.training.pictures import from_images, sheet, to_images

Pictures = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="+", metavar="NAME=CHECKPOINT")
    parser.add_argument("--portraits", type=Path, nargs="+", required=True)
    parser.add_argument("--identity", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("results/regimes"))
    parser.add_argument("--sheet", type=int, default=7, help="rendered faces on the sheet")
    options = parser.parse_args()

    test = load_shards([options.test])
    judge = ActionReader(load_shards([options.train]))
    target = test.targets[0]
    identity = IdentityEncoder(options.identity, target)
    portraits = find_portraits(options.portraits)
    crops = np.stack([centre(p.crop, 128) for p in portraits])
    teacher = np.stack([p.face.blendshapes for p in portraits])
    # Those whose rendered truth is the common face.
    common = np.flatnonzero(test.target_id == 0)
    shown = common[np.linspace(0, len(common) - 1, options.sheet).round().astype(int)]
    columns = [to_images(np.stack([centre(test.original[i], 128) for i in shown]))]
    figures: dict[str, dict[str, float]] = {}
    for argument in options.networks:
        name, path = argument.split("=", 1)
        network = FrozenNormalizer(load_normalization(Path(path))[0], target, torch.device("cpu"))
        made = normalize(network, crops, np.stack([p.geometry for p in portraits]))
        rendered = normalize(
            network, np.stack([centre(o, 128) for o in test.original]), test.geometry
        )
        figures[name] = {
            **expression(made, teacher),
            **likeness(made, crops, target, identity),
            "actions read back": back(judge, rendered, test)["mean"],
        }
        columns.append(to_images(np.stack([centre(p, 128) for p in rendered[shown]])))
    columns.append(to_images(np.stack([centre(test.target[i], 128) for i in shown])))
    write_image(options.out / "sheet.png", sheet(columns, folds=1))
    (options.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(table(figures))


def normalize(network: FrozenNormalizer, crops: Pictures, shapes: NDArray[np.floating]) -> Pictures:
    """Normalized faces (N, 256, 256, 3)."""
    out = []
    for start in range(0, len(crops), 32):
        part = slice(start, start + 32)
        geometry = torch.from_numpy(shapes[part].astype(np.float32))
        out.append(from_images(network.render(to_images(crops[part]), geometry)))
    return np.concatenate(out)


def expression(made: Pictures, teacher: NDArray[np.floating]) -> dict[str, float]:
    """Correlation over people of what MediaPipe reads from result and original."""
    read = np.full(teacher.shape, np.nan)
    with FaceFinder() as finder:
        for i, picture in enumerate(made):
            face = finder.landmark_crop(picture)
            if face is not None:
                read[i] = face.blendshapes
    found = ~np.isnan(read[:, 0])
    scores = {}
    for name in TRUSTED:
        i = facs.ACTION_INDEX[name]
        if teacher[found, i].std() > 0.02:
            scores[name] = pearson(teacher[found, i], read[found, i])
    return {
        "faces found": float(found.mean()),
        "smile": nan_mean([scores[n] for n in scores if n.startswith("mouthSmile")]),
        "jaw": scores.get("jawOpen", float("nan")),
        "trusted actions": nan_mean(list(scores.values())),
    }


def likeness(
    made: Pictures, crops: Pictures, target: Pictures, identity: IdentityEncoder
) -> dict[str, float]:
    """Cosines of identity, and the ROC AUC of finding the person's portrait from the result."""
    results, originals, goal = identity(made), identity(crops), identity(target[None])
    return {
        "identity to target": float((results @ goal.T).mean()),
        "identity to original": float((results * originals).sum(1).mean()),
        "original to target": float((originals @ goal.T).mean()),
        "person found, AUC": verification_auc(results, originals),
    }


def back(judge: ActionReader, rendered: Pictures, test: Shards) -> dict[str, float]:
    """Facial actions read back from normalized faces, against the truth."""
    small = np.stack([centre(p, 128) for p in rendered])
    return read_back(judge, small, test.actions)


def table(figures: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(figures.values())))
    lines = ["| | " + " | ".join(figures) + " |", "|---" * (len(figures) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{f[name]:.3f}" for f in figures.values()) + " |"
        for name in names
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
