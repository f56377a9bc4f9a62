"""How well people are told apart, before and after normalization."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.data.augment import AugmentationConfig, augment, geometry_noise
from norface.evaluation.evaluate import Networks, Portrait, read_crops
from norface.evaluation.face_embedding import (
    ARCFACE_POINTS,
    fit_similarity,
    five_points,
    unit_length,
)
from norface.evaluation.metrics import roc_auc
from norface.faces.find import FaceFinder

FloatArray = NDArray[np.float32]


class IdentityEncoder:
    """MobileFaceNet (an ONNX file): an embedding of 128 numbers, compared by cosine.

    It wants faces in the usual five-point frame of 112 pixels; the aligned crops of norface have
    one framing, so one similarity, fitted to the common face's landmarks, brings all there.
    """

    def __init__(self, path: Path, common_face: NDArray[np.uint8]) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name
        with FaceFinder() as finder:
            face = finder.landmark_crop(common_face)
        if face is None:
            raise ValueError("no face is found on the common face")
        own = five_points(face.points / common_face.shape[0])
        self._matrix = fit_similarity(own * 256, ARCFACE_POINTS)

    def __call__(self, pictures: NDArray[np.uint8]) -> FloatArray:
        """Aligned faces (N, S, S, 3) uint8 -> embeddings (N, 128), of length 1."""
        out = []
        mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        scale = np.diag([256 / pictures.shape[1]] * 2 + [1.0])
        for picture in pictures:
            face = cv2.warpAffine(picture, self._matrix @ scale, (112, 112))
            x = ((face / 255.0 - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)
            out.append(np.asarray(self._session.run(None, {self._name: x})[0])[0])
        return unit_length(np.stack(out))


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
