"""The figures of the default model, from the ONNX files that users get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from norface import facs
from norface.data.augment import centre
from norface.data.shards import Shards
from norface.evaluation.metrics import (
    f1,
    icc_3_1,
    mean_absolute_error,
    nan_mean,
    pearson,
    roc_auc,
)
from norface.faces.align import align, geometry
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.media.images import list_images, read_image
from norface.results import FaceAnalysis
from norface.runtime.analyzer import Norface
from norface.runtime.normalizer import Normalizer, from_network, to_network
from norface.runtime.places import WeightsError
from norface.runtime.reader import FaceViews, Reader, load_readers, read_all
from norface.runtime.sessions import Weights

FloatArray = NDArray[np.float32]
_CHUNK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """The networks of a weights folder.

    Attributes:
        normalizer: encoder and F_nor with the common face.
        readers: F_cla, one network or several.
        thresholds: (A,) for presence.
    """

    normalizer: Normalizer
    readers: Sequence[Reader]
    thresholds: FloatArray

    @classmethod
    def load(cls, folder: Path | None = None) -> Networks:
        """Load them; None for the embedded ones.

        Raises:
            WeightsError: there are none, or none that reads action units, or it reads others than
                those of `norface.facs`, whose columns the figures here count on.
        """
        weights = Weights(folder)
        readers = load_readers(weights)
        if not any(reader.reads_action_units for reader in readers):
            raise WeightsError(f"{weights.folder} holds no network that reads action units.")
        if weights.manifest.units != facs.ACTION_UNIT_NAMES:
            raise WeightsError(
                f"{weights.folder} reads {', '.join(weights.manifest.units)}, not the "
                f"{len(facs.ACTION_UNIT_NAMES)} usual units. Score it with norface evaluate."
            )
        return cls(
            Normalizer.load(weights),
            readers,
            np.array(
                [weights.manifest.thresholds.get(name, 0.5) for name in facs.ACTION_UNIT_NAMES],
                np.float32,
            ),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the networks say of N faces.

    Attributes:
        intensity: (N, A, 3), 0..5.
        probability: (N, A).
        emotion: (N, 8), or None.
        normalized: (N, S, S, 3) uint8, of the size that the encoder reads.
    """

    intensity: FloatArray
    probability: FloatArray
    emotion: FloatArray | None
    normalized: NDArray[np.uint8]


def read_crops(
    networks: Networks, crops: NDArray[np.uint8], shapes: NDArray[np.floating]
) -> Reading:
    """Read aligned faces.

    Args:
        networks: the networks.
        crops: (N, S, S, 3) uint8, at least as large as what the networks read.
        shapes: (N, 478, 3), see `norface.faces.align.geometry`.
    """
    parts: list[Reading] = []
    normalizer = networks.normalizer
    for start in range(0, len(crops), _CHUNK):
        shape = shapes[start : start + _CHUNK].astype(np.float32)
        views = FaceViews(normalizer, to_network(crops[start : start + _CHUNK]), shape)
        scores = read_all(networks.readers, views)
        assert scores.intensity is not None
        assert scores.probability is not None
        normalized = from_network(views.normalized_image(normalizer.crop_size))
        parts.append(Reading(scores.intensity, scores.probability, scores.emotion, normalized))
    emotions = [p.emotion for p in parts if p.emotion is not None]
    return Reading(
        np.concatenate([p.intensity for p in parts]),
        np.concatenate([p.probability for p in parts]),
        np.concatenate(emotions) if emotions else None,
        np.concatenate([p.normalized for p in parts]),
    )


def unit_scores(
    truth: NDArray[np.floating],
    intensity: FloatArray,
    probability: FloatArray,
    thresholds: NDArray[np.floating],
) -> dict[str, dict[str, float]]:
    """F1, ICC(3,1), mean absolute error and ROC AUC of each unit, and their ``mean``.

    Args:
        truth: (N, A) whole intensities.
        intensity: (N, A, 3) as read.
        probability: (N, A) as read.
        thresholds: (A,).
    """
    scores: dict[str, dict[str, float]] = {}
    for a, name in enumerate(facs.ACTION_UNIT_NAMES):
        true, read = truth[:, a].astype(np.float64), intensity[:, a, 0]
        present = true >= facs.PRESENCE_INTENSITY
        scores[name] = {
            "f1": f1(present, probability[:, a] >= thresholds[a]),
            "icc": icc_3_1(true, read),
            "mae": mean_absolute_error(true, read),
            "auc": roc_auc(present, probability[:, a]),
            "positives": float(present.sum()),
        }
    names = list(scores)
    scores["mean"] = {
        key: nan_mean([scores[name][key] for name in names]) for key in scores[names[0]]
    }
    return scores


def shard_crops(shards: Shards, size: int = 128) -> NDArray[np.uint8]:
    """(N, size, size, 3): the originals of shards as the networks see them."""
    return np.stack([centre(image, size) for image in shards.original])


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A found portrait.

    Attributes:
        path: the file.
        crop: (160, 160, 3) uint8, aligned.
        geometry: (478, 3).
        face: what the finder says.
    """

    path: Path
    crop: NDArray[np.uint8]
    geometry: FloatArray
    face: FaceLandmarks


def find_portraits(folders: Sequence[Path]) -> list[Portrait]:
    """The largest face of every picture."""
    out = []
    with FaceFinder() as finder:
        for path in list_images(list(folders)):
            picture = read_image(path)
            faces = finder.find(picture)
            if faces:
                points = faces[0].points
                crop = align(picture, points, 160).image
                out.append(Portrait(path, crop, geometry(points), faces[0]))
    return out


def smile_figures(networks: Networks, portraits: Sequence[Portrait]) -> dict[str, float]:
    """AU12 on portraits against the teacher's smile: ROC AUC of clear smiles against none."""
    crops = np.stack([centre(p.crop, 128) for p in portraits])
    shapes = np.stack([p.geometry for p in portraits])
    read = read_crops(networks, crops, shapes)
    sides = [facs.ACTION_INDEX[name] for name in ("mouthSmileLeft", "mouthSmileRight")]
    teacher = np.array([p.face.blendshapes[sides].mean() for p in portraits])
    unit = facs.ACTION_UNIT_NAMES.index("AU12")
    clear = (teacher >= 0.5) | (teacher <= 0.1)
    return {
        "au12_auc": roc_auc(teacher[clear] >= 0.5, read.intensity[clear, unit, 0]),
        "smiling": float((teacher >= 0.5).sum()),
        "not_smiling": float((teacher <= 0.1).sum()),
        "correlation": pearson(teacher, read.intensity[:, unit, 0]),
    }


def contact_sheet(analyses: Sequence[FaceAnalysis], *, columns: int = 2) -> NDArray[np.uint8]:
    """Faces, their normalized faces and their strongest units, as one picture."""
    tiles = []
    for face in analyses:
        text = np.full((256, 230, 3), 255, np.uint8)
        strongest = sorted(face.action_units.items(), key=lambda item: -item[1].intensity)[:7]
        lines = [
            f"{name} {unit.intensity:.1f}{' *' if unit.present else ''}" for name, unit in strongest
        ]
        if face.emotion is not None:
            lines.append(f"{face.emotion} {face.emotions[face.emotion]:.2f}")
        for i, line in enumerate(lines):
            cv2.putText(
                text, line, (12, 34 + 28 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1,
                cv2.LINE_AA,
            )  # fmt: skip
        tiles.append(np.concatenate([face.aligned, face.normalized, text], axis=1))
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], 255))
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)]
    return np.concatenate(rows)


def analyze_portraits(paths: Sequence[Path], *, weights: Path | None = None) -> list[FaceAnalysis]:
    """The largest face of each picture, through the public interface."""
    out = []
    with Norface.load(weights=weights) as norface:
        for path in paths:
            out += norface.analyze(path)[:1]
    return out
