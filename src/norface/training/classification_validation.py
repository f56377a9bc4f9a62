"""How well F_cla reads faces that it does not learn from, and how its experts share them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from norface import facs
from norface.evaluation.metrics import (
    accuracy,
    best_f1_threshold,
    f1,
    icc_3_1,
    mean_recall,
    nan_mean,
)
from norface.models.classification import ClassificationNetwork
from norface.training.classification_faces import FaceSource, LabelledFaces
from norface.training.router_load import RouterLoad


class Validation(NamedTuple):
    """What a validation finds.

    Attributes:
        figures: ``f1`` and ``icc`` (means over the units), ``emotion_accuracy`` and
            ``emotion_mean_recall``, as far as there are heads for them; NaN without labels.
        thresholds: of each unit's probability, the best by F1; empty without that head.
        router: over the same faces.
    """

    figures: dict[str, float]
    thresholds: dict[str, float]
    router: RouterLoad

    @property
    def score(self) -> float | None:
        """Mean of F1 and accuracy, or the one that there is: what the best network has most of."""
        score = nan_mean([self.figures.get(name, np.nan) for name in ("f1", "emotion_accuracy")])
        return None if np.isnan(score) else score


@torch.no_grad()
def validate(
    network: ClassificationNetwork,
    source: FaceSource,
    samples: NDArray[np.int64],
    device: torch.device,
) -> Validation:
    """Read all views of the samples, on plain weights and in full precision."""
    network.eval()
    labels = {"action_units": network.units, "emotions": facs.EMOTIONS}
    router = RouterLoad([label for head in network.heads for label in labels[head]])
    intensity, true_intensity = [], []
    probability, true_presence = [], []
    emotion, true_emotion = [], []
    for view in range(source.views):
        for part in np.array_split(samples, max(len(samples) // 128, 1)):
            faces = source.view(view, part)
            here = source.completed(_moved(faces, device))
            out = network(here.original, here.normalized, here.geometry)
            router.add(out.routings, _shown(here, network.heads))
            if out.presence is not None:
                probability.append(out.presence.sigmoid().cpu().numpy())
                true_presence.append(faces.presence.numpy())
                intensity.append(out.intensity[..., 0].cpu().numpy())
                true_intensity.append(faces.intensity[..., 0].numpy())
            if out.emotion is not None:
                emotion.append(out.emotion.argmax(1).cpu().numpy())
                true_emotion.append(faces.emotion.numpy())
    figures: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    if probability:
        figures["f1"], thresholds = _presence(
            network.units, np.concatenate(true_presence), np.concatenate(probability)
        )
        figures["icc"] = _agreement(np.concatenate(true_intensity), np.concatenate(intensity))
    if emotion:
        said, true = np.concatenate(emotion), np.concatenate(true_emotion)
        known = true >= 0
        figures["emotion_accuracy"] = accuracy(true[known], said[known])
        figures["emotion_mean_recall"] = mean_recall(true[known], said[known])
    return Validation(figures, thresholds, router)


def _presence(
    units: tuple[str, ...], truth: NDArray[np.int8], probability: NDArray[np.float32]
) -> tuple[float, dict[str, float]]:
    """Mean F1 over the units and the threshold of each, from (N, A); -1 where unknown."""
    thresholds, scores = {}, []
    for a, name in enumerate(units):
        known = truth[:, a] >= 0
        present, chance = truth[known, a] > 0, probability[known, a]
        thresholds[name] = best_f1_threshold(present, chance)
        scores.append(f1(present, chance >= thresholds[name]))
    return nan_mean(scores), thresholds


def _agreement(truth: NDArray[np.float32], read: NDArray[np.float32]) -> float:
    """Mean ICC(3,1) over the units, from (N, A); NaN where unknown."""
    known = ~np.isnan(truth)
    units = range(truth.shape[1])
    return nan_mean([icc_3_1(truth[known[:, a], a], read[known[:, a], a]) for a in units])


def _moved(faces: LabelledFaces, device: torch.device) -> LabelledFaces:
    """The faces on a device."""
    normalized = faces.normalized
    return LabelledFaces(
        faces.original.to(device),
        None if normalized is None else normalized.to(device),
        faces.geometry.to(device),
        faces.intensity.to(device),
        faces.presence.to(device),
        faces.emotion.to(device),
        faces.distribution.to(device),
    )


def _shown(faces: LabelledFaces, heads: tuple[str, ...]) -> torch.Tensor:
    """(B, labels) bool: the units and emotions that each face shows, in the order of the rows."""
    shown = {
        "action_units": faces.presence > 0,
        "emotions": faces.emotion[:, None]
        == torch.arange(len(facs.EMOTIONS), device=faces.emotion.device),
    }
    return torch.cat([shown[head] for head in heads], dim=1)
