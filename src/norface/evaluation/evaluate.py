"""The figures of the default model, from the ONNX files that users get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from norface import facs
from norface.data.augment import AugmentationConfig, augment, centre, geometry_noise
from norface.data.fer2013 import EmotionFaces
from norface.data.shards import Shards
from norface.evaluation.metrics import (
    accuracy,
    f1,
    icc_3_1,
    mean_absolute_error,
    mean_recall,
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
from norface.runtime.normalizer import Normalizer, from_network, resize, to_network
from norface.runtime.sessions import Session, Weights

FloatArray = NDArray[np.float32]
_CHUNK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """The networks of a weights folder.

    Attributes:
        normalizer: encoder and F_nor with the common face.
        action_units: F_cla for action units.
        emotions: F_cla for emotions, or None.
        thresholds: (A,) for presence.
    """

    normalizer: Normalizer
    action_units: Session
    emotions: Session | None
    thresholds: FloatArray

    @classmethod
    def load(cls, folder: Path | None = None) -> Networks:
        """Load them; None for the embedded ones."""
        weights = Weights(folder)
        has_emotions = "emotions.onnx" in weights
        return cls(
            Normalizer.load(weights),
            weights.session("action_units.onnx"),
            weights.session("emotions.onnx") if has_emotions else None,
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
        normalized: (N, 128, 128, 3) uint8.
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
        crops: (N, 128, 128, 3) uint8.
        shapes: (N, 478, 3), see `norface.faces.align.geometry`.
    """
    parts: list[Reading] = []
    normalizer = networks.normalizer
    for start in range(0, len(crops), _CHUNK):
        images = to_network(crops[start : start + _CHUNK])
        shape = shapes[start : start + _CHUNK].astype(np.float32)
        tokens = normalizer.encode(images)
        small = resize(normalizer.normalize(tokens, shape), normalizer.crop_size)
        out = networks.action_units.run(
            original=tokens, normalized=normalizer.encode(small), geometry=shape
        )
        emotion = None
        if networks.emotions is not None:
            emotion = networks.emotions.run(image=images, normalized_image=small, geometry=shape)[
                "probability"
            ]
        parts.append(Reading(out["intensity"], out["probability"], emotion, from_network(small)))
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


class ActionReader:
    """Reads the facial actions from pictures of the common face: the judge of normalization.

    A linear read-out (ridge) of 200 principal components of the grey picture, fitted to renders of
    the common face, on which it is nearly perfect (r = 0.91 on new ones); so what it misses, the
    normalized face lacks.
    """

    def __init__(self, shards: Shards, *, components: int = 200, limit: int = 6000) -> None:
        """Fit to the common-face renders of training shards."""
        rows = np.flatnonzero(shards.target_id == 0)[:limit]
        pictures = self._grey(shards.target[rows])
        self._mean = pictures.mean(axis=0)
        centred = pictures - self._mean
        # The smaller of the two Gram matrices has the same components.
        if len(centred) < centred.shape[1]:
            values, weights = np.linalg.eigh(centred @ centred.T)
            kept = np.flatnonzero(values > 1e-6)[::-1][:components]
            self._axes = (weights[:, kept] / np.sqrt(values[kept])).T @ centred
        else:
            values, axes = np.linalg.eigh(centred.T @ centred)
            self._axes = axes.T[np.flatnonzero(values > 1e-6)[::-1][:components]]
        x = np.column_stack([centred @ self._axes.T, np.ones(len(rows))])
        y = shards.actions[rows].astype(np.float64)
        gram = x.T @ x + 1e-5 * len(x) * np.eye(x.shape[1])
        self._slope = np.linalg.solve(gram, x.T @ y)

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Pictures (N, 128, 128, 3) uint8 -> actions (N, 52)."""
        x = (self._grey(pictures) - self._mean) @ self._axes.T
        return np.asarray(np.column_stack([x, np.ones(len(x))]) @ self._slope)

    @staticmethod
    def _grey(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        small = [
            cv2.resize(p, (64, 64), interpolation=cv2.INTER_AREA).mean(axis=2) for p in pictures
        ]
        return np.stack(small).reshape(len(pictures), -1) / 255.0


def read_back(
    reader: ActionReader, normalized: NDArray[np.uint8], actions: NDArray[np.floating]
) -> dict[str, float]:
    """Correlation of each action, read from normalized faces, with the truth; and the ``mean``."""
    read = reader(normalized)
    scores = {
        name: pearson(read[:, i], actions[:, i]) if actions[:, i].std() > 0.01 else float("nan")
        for i, name in enumerate(facs.FACIAL_ACTIONS)
    }
    scores["mean"] = nan_mean(list(scores.values()))
    return scores


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


class IdentityEncoder:
    """MobileFaceNet (an ONNX file): an embedding of 128 numbers, compared by cosine.

    It wants faces in the usual five-point frame of 112 pixels; the aligned crops of norface have
    one framing, so one similarity, fitted to the common face's landmarks, brings all there.
    """

    _POINTS = np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
         [70.7299, 92.2041]]
    )  # fmt: skip

    def __init__(self, path: Path, common_face: NDArray[np.uint8]) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name
        with FaceFinder() as finder:
            face = finder.landmark_crop(common_face)
        if face is None:
            raise ValueError("no face is found on the common face")
        xy = face.points[:, :2] / common_face.shape[0]
        eyes = xy[[33, 133]].mean(axis=0), xy[[362, 263]].mean(axis=0)
        own = np.stack([*eyes, xy[1], xy[61], xy[291]])
        self._matrix = _similarity(own * 256, self._POINTS)

    def __call__(self, pictures: NDArray[np.uint8]) -> FloatArray:
        """Aligned faces (N, S, S, 3) uint8 -> embeddings (N, 128), of length 1."""
        out = []
        mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        scale = np.diag([256 / pictures.shape[1]] * 2 + [1.0])
        for picture in pictures:
            face = cv2.warpAffine(picture, self._matrix @ scale, (112, 112))
            x = ((face / 255.0 - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)
            out.append(np.asarray(self._session.run(None, {self._name: x})[0])[0])
        found = np.stack(out)
        unit = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return np.asarray(unit, np.float32)


def _similarity(source: NDArray[np.floating], goal: NDArray[np.floating]) -> NDArray[np.float64]:
    """Least-squares scale, rotation and shift (2, 3) of points (N, 2), as complex numbers."""
    a, b = source @ (1, 1j), goal @ (1, 1j)
    centred = a - a.mean()
    turn = (centred.conj() @ (b - b.mean())) / (centred.conj() @ centred)
    shift = b.mean() - turn * a.mean()
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float64
    )


PRIVACY_AUGMENTATION = AugmentationConfig(
    colour=0.6, grayscale=0.0, shading=0.2, small=0.0, blur=0.15, occlusion=0.0
)
"""Two views as another camera might give them; milder than in training, for what must fail to tell
people apart after normalization has to succeed before it."""


def identity_figures(
    networks: Networks, encoder: IdentityEncoder, portraits: Sequence[Portrait], *, seed: int = 0
) -> dict[str, float]:
    """How well identity embeddings tell people apart, before and after normalization.

    Each portrait is seen twice under different augmentation; a genuine pair is the same portrait,
    an impostor pair two portraits. ``matched`` takes as impostor the other portrait whose teacher's
    facial actions are the nearest: a normalized face keeps the expression, and an expression by
    itself tells two views of one photo from two photos.
    """
    rng = np.random.default_rng(seed)
    views, faces = [], []
    for _ in range(2):
        crops = np.stack([augment(p.crop, rng, PRIVACY_AUGMENTATION) for p in portraits])
        shapes = np.stack([geometry_noise(p.geometry, rng) for p in portraits])
        views.append(encoder(crops))
        faces.append(encoder(read_crops(networks, crops, shapes).normalized))
    actions = np.stack([np.nan_to_num(p.face.blendshapes) for p in portraits])
    distance = np.linalg.norm(actions[:, None] - actions[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(axis=1)
    out = {}
    for name, (a, b) in {"original": views, "normalized": faces}.items():
        similarity = a @ b.T
        genuine = np.diag(similarity)
        others = similarity[~np.eye(len(similarity), dtype=bool)]
        matched = similarity[np.arange(len(similarity)), nearest]
        for kind, impostors in (("auc", others), ("matched_auc", matched)):
            truth = np.r_[np.ones(len(genuine)), np.zeros(len(impostors))]
            out[f"{name}_{kind}"] = roc_auc(truth, np.r_[genuine, impostors])
    return out


def verification_auc(one: FloatArray, other: FloatArray) -> float:
    """ROC AUC of telling the same person (equal rows) from another by cosine.

    Args:
        one: (N, D) embeddings of length 1 of N people.
        other: the same of other pictures of them.
    """
    similarity = one @ other.T
    same = np.eye(len(similarity), dtype=bool)
    return roc_auc(same.ravel(), similarity.ravel())


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


def emotion_figures(networks: Networks, faces: EmotionFaces) -> dict[str, float]:
    """Accuracy and mean recall over seven emotions on the PublicTest rows of FER2013."""
    rows = np.flatnonzero(faces.test)
    grey = [cv2.resize(faces.image[i], (128, 128), interpolation=cv2.INTER_LINEAR) for i in rows]
    crops = np.repeat(np.stack(grey)[..., None], 3, axis=3)
    read = read_crops(networks, crops, faces.geometry[rows])
    if read.emotion is None:
        return {}
    scores = read.emotion.copy()
    scores[:, facs.EMOTIONS.index("contempt")] = 0.0
    said, found = scores.argmax(axis=1), faces.found[rows]
    return {
        "accuracy": accuracy(faces.emotion[rows], said),
        "accuracy_landmarks_found": accuracy(faces.emotion[rows][found], said[found]),
        "mean_recall": mean_recall(faces.emotion[rows], said),
        "landmarks_found": float(found.mean()),
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
