"""How well do readers that saw synthetic faces alone read real ones?

    python benchmarks/realism.py --faces before=DIR after=DIR --portraits DIR... \
        --fer FER2013 --cache realism.npz --out results/realism

Each folder of ``--faces`` holds shards of one version of the synthesis (see `norface.data.shards`).
The reader is the same for all: frozen ImageNet features of EfficientNet-Lite0 and ridge regression
from them to the facial actions, and to the emotions of the prototypes. No real face is trained on.
The real faces are read in grey, at the resolution of FER2013 as well as at their own. Figures:

- ``smile``: correlation with the smile that MediaPipe reads from the portraits, and the area under
  the curve of clear smiles against none; ``actions``: mean correlation over the actions that
  MediaPipe answers for, on the portraits and on FER2013's PublicTest;
- ``happiness`` ...: FER2013's own labels: the area under the curve of the emotion against neutral
  faces by the action units that belong to it alone (AU12 for happiness, ...);
- ``emotion``: accuracy and mean recall over the seven emotions of PublicTest.

``--weights NAME=DIR`` asks the same of exported networks, in colour where there is any.
`benchmarks/ablated_faces.py` makes folders that lack one addition.

"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from norface import facs
from norface.data.catalog import read_data_set
from norface.data.fixed_crop import find_in_crop
from norface.data.portraits import TRUSTED
from norface.data.sample_pictures import SamplePictures
from norface.data.shards import shard_paths
from norface.evaluation import evaluate as ev
from norface.evaluation.metrics import accuracy, mean_recall, pearson, roc_auc
from norface.faces.align import align, geometry
from norface.faces.find import FaceFinder
from norface.media.images import list_images, read_image
from norface.models.encoder import EfficientNetLite0

SIZE = 128
PROBES = {
    "happiness": ("AU12",),
    "surprise": ("AU1", "AU2", "AU5", "AU26"),
    "anger": ("AU4",),
    "sadness": ("AU1", "AU15"),
    "disgust": ("AU9", "AU10"),
    "fear": ("AU1", "AU5", "AU20"),
}
"""Emotion of FER2013 -> the units whose mean intensity should tell it from neutral."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", nargs="+", default=[], metavar="NAME=DIR")
    parser.add_argument("--weights", nargs="+", default=[], metavar="NAME=DIR")
    parser.add_argument("--portraits", type=Path, nargs="+", required=True)
    parser.add_argument("--fer", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where real faces are kept")
    parser.add_argument("--out", type=Path, default=Path("results/realism"))
    parser.add_argument("--count", type=int, default=4864, help="faces of each folder")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.cache.exists():
        _prepare(options.portraits, options.fer, options.cache)
    with np.load(options.cache) as stored:
        real = dict(stored)
    table: dict[str, dict[str, float]] = {}

    def say(name: str, figures: dict[str, float]) -> None:
        table[name] = {k: round(float(v), 4) for k, v in figures.items()}
        print(name, json.dumps(table[name]), flush=True)
        (options.out / "realism.json").write_text(json.dumps(table, indent=1) + "\n")

    for item in options.weights:
        name, _, folder = item.partition("=")
        say(name, _of_networks(Path(folder), real))
    if options.faces:
        trunk = EfficientNetLite0(blocks=11)
        trunk.load_imagenet()
        trunk.eval()
        inputs = {name: _features(trunk, real[name]) for name in ("portraits", "fer")}
        for item in options.faces:
            name, _, folder = item.partition("=")
            say(name, _of_faces(trunk, Path(folder), options.count, real, inputs))
    print(_markdown(table))
    return 0


def _prepare(portraits: list[Path], fer: Path, cache: Path) -> None:
    """Find, align and ask the teacher once."""
    faces: list[NDArray[np.uint8]] = []
    teacher: list[NDArray[np.float32]] = []
    shapes: list[NDArray[np.float32]] = []
    with FaceFinder() as finder:
        for folder in portraits:
            for path in list_images([folder]):
                image = read_image(path)
                face = finder.landmark_crop(image)
                if face is not None:
                    faces.append(align(image, face.points, SIZE).image)
                    teacher.append(face.blendshapes)
                    shapes.append(geometry(face.points))
        fer_faces, fer_teacher, fer_emotion, fer_shapes = [], [], [], []
        samples = read_data_set("fer2013", fer, "fer2013").samples
        asked = [sample for sample in samples if sample.split == "validation"]
        with SamplePictures() as pictures:
            for sample in asked:
                found = find_in_crop(finder, pictures.read(sample))
                if found is not None:
                    large, face = found
                    fer_faces.append(align(large.image, face.points, SIZE).image)
                    fer_teacher.append(face.blendshapes)
                    fer_emotion.append(facs.EMOTIONS.index(sample.emotion))
                    fer_shapes.append(geometry(face.points))
    np.savez(
        cache,
        portraits=np.stack(faces),
        portraits_teacher=np.stack(teacher),
        portraits_shape=np.stack(shapes).astype(np.float16),
        fer=np.stack(fer_faces),
        fer_shape=np.stack(fer_shapes).astype(np.float16),
        fer_teacher=np.stack(fer_teacher),
        fer_emotion=np.array(fer_emotion),
        found=np.array(len(fer_faces) / len(asked)),
    )


def _grey(faces: NDArray[np.uint8], side: int | None = None) -> NDArray[np.float32]:
    """(N, S, S, 3) -> (N, SIZE, SIZE), as if the face had been ``side`` pixels wide."""
    out = np.empty((len(faces), SIZE, SIZE), np.float32)
    for i, face in enumerate(faces):
        grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
        if side is not None:
            grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
        out[i] = cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    # Exposure is not expression.
    mean = out.mean(axis=(1, 2), keepdims=True)
    spread = out.std(axis=(1, 2), keepdims=True) + 1e-3
    return np.asarray(np.clip(127 + 48 * (out - mean) / spread, 0, 255), np.float32)


def _features(
    trunk: EfficientNetLite0, faces: NDArray[np.uint8], side: int | None = None
) -> NDArray[np.float32]:
    """(N, F) features of blocks 5 and 11, pooled to 8 x 8."""
    grey = _grey(faces, side)
    rows = []
    with torch.inference_mode():
        for first in range(0, len(grey), 64):
            batch = torch.from_numpy(grey[first : first + 64])[:, None].expand(-1, 3, -1, -1)
            early, late = trunk.both((batch - 127.0) / 128.0, 5)
            early = torch.nn.functional.avg_pool2d(early, 2)
            rows.append(torch.cat([early.flatten(1), late.flatten(1)], 1).numpy())
    return np.concatenate(rows)


def _of_faces(
    trunk: EfficientNetLite0,
    folder: Path,
    count: int,
    real: dict[str, NDArray[Any]],
    inputs: dict[str, NDArray[np.float32]],
) -> dict[str, float]:
    columns: dict[str, list[NDArray[Any]]] = {"original": [], "actions": [], "intensity": []}
    columns["emotion"] = []
    for path in shard_paths(folder):
        with np.load(path) as shard:
            for name, values in columns.items():
                values.append(shard[name])
    original, actions, intensity, emotion = (np.concatenate(v)[:count] for v in columns.values())
    intensity = intensity[..., 0]
    wanted = [facs.ACTION_INDEX[name] for name in TRUSTED]
    truth = np.concatenate([actions[:, wanted], intensity / 5], 1).astype(np.float32)
    # Half of the faces at the resolution of FER2013.
    small = np.arange(len(original)) % 2 == 1
    seen = np.empty((len(original), inputs["fer"].shape[1]), np.float32)
    seen[~small] = _features(trunk, original[~small])
    seen[small] = _features(trunk, original[small], 44)
    fit = _Ridge(seen)
    of_action = fit.weights(truth)
    proto = emotion >= 0
    named = [i for i, name in enumerate(facs.EMOTIONS) if name != "contempt"]
    targets = np.zeros((len(seen), len(named)), np.float32)
    for k, i in enumerate(named):
        rows = emotion == i
        targets[rows, k] = 1.0
    of_emotion = _Ridge(seen[proto]).weights(targets[proto] - targets[proto].mean(0))
    read = {k: of_action(v) for k, v in inputs.items()}
    emotions = np.array(named)[of_emotion(inputs["fer"]).argmax(1)]
    return _figures(real, read, emotions)


def _of_networks(folder: Path, real: dict[str, NDArray[Any]]) -> dict[str, float]:
    networks = ev.Networks.load(folder)
    reading = {
        name: ev.read_crops(networks, real[name], real[f"{name}_shape"])
        for name in ("portraits", "fer")
    }
    # The networks answer in action units: put each unit's side where its actions are.
    columns = {}
    for name, answer in reading.items():
        actions = np.zeros((len(answer.intensity), len(TRUSTED)), np.float32)
        for i, unit in enumerate(facs.ACTION_UNITS):
            for side, names in ((1, unit.left), (2, unit.right)):
                for action in set(names) & set(TRUSTED):
                    actions[:, TRUSTED.index(action)] = answer.intensity[:, i, side] / 5
        columns[name] = np.concatenate([actions, answer.intensity[..., 0] / 5], 1)
    emotion = reading["fer"].emotion
    called = None
    if emotion is not None:
        emotion = emotion.copy()
        emotion[:, facs.EMOTIONS.index("contempt")] = 0
        called = emotion.argmax(1)
    return _figures(real, columns, called)


def _figures(
    real: dict[str, NDArray[Any]],
    read: dict[str, NDArray[np.float32]],
    emotions: NDArray[np.int64] | None,
) -> dict[str, float]:
    """Figures from the trusted actions and units (N, 13 + A) read from the portraits and FER."""
    out: dict[str, float] = {}
    wanted = [facs.ACTION_INDEX[name] for name in TRUSTED]
    smile = [TRUSTED.index("mouthSmileLeft"), TRUSTED.index("mouthSmileRight")]
    taught = real["portraits_teacher"][:, wanted]
    own, label = read["portraits"][:, smile].mean(1), taught[:, smile].mean(1)
    clear = (label > 0.5) | (label < 0.1)
    out["smile r"] = pearson(label, own)
    out["smile AUC"] = roc_auc(label[clear] > 0.5, own[clear])
    for name in ("portraits", "fer"):
        taught = real[f"{name}_teacher"][:, wanted]
        out[f"actions r, {name}"] = float(
            np.mean([pearson(taught[:, k], read[name][:, k]) for k in range(len(wanted))])
        )
    index = {unit.name: len(wanted) + i for i, unit in enumerate(facs.ACTION_UNITS)}
    labels = real["fer_emotion"]
    neutral = facs.EMOTIONS.index("neutral")
    for name, units in PROBES.items():
        pair = (labels == neutral) | (labels == facs.EMOTIONS.index(name))
        score = read["fer"][pair][:, [index[_padded(u)] for u in units]].mean(1)
        out[f"AUC {name} by {'+'.join(units)}"] = roc_auc(labels[pair] != neutral, score)
    if emotions is not None:
        out["emotion accuracy"] = accuracy(labels, emotions)
        out["emotion mean recall"] = mean_recall(labels, emotions)
    return out


def _padded(unit: str) -> str:
    return f"AU{int(unit[2:]):02d}"


class _Ridge:
    """Ridge regression in the dual, for many more features than faces."""

    def __init__(self, seen: NDArray[np.float32], strength: float = 0.3) -> None:
        self.mean = seen.mean(0)
        self.scale = seen.std(0) + 1e-3
        self.seen = (seen - self.mean) / self.scale
        gram = self.seen @ self.seen.T
        gram[np.diag_indices_from(gram)] += strength * float(np.trace(gram)) / len(gram)
        self.gram = gram

    def weights(self, truth: NDArray[np.float32]) -> Any:
        """A function from features to ``truth``'s columns."""
        mean = truth.mean(0)
        weight = self.seen.T @ np.linalg.solve(self.gram, truth - mean)

        def read(features: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray((features - self.mean) / self.scale @ weight + mean)

        return read


def _markdown(table: dict[str, dict[str, float]]) -> str:
    names = list(table)
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    lines += [
        f"| {row} | " + " | ".join(f"{table[n][row]:.3f}" for n in names) + " |"
        for row in table[names[0]]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
