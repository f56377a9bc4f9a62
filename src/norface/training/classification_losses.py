"""The losses of F_cla's training, and the weights against rarity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from norface import facs
from norface.losses.balance import balance_losses
from norface.losses.emotion import emotion_labels, emotion_loss
from norface.losses.intensity import agreement_loss, intensity_loss
from norface.losses.presence import asymmetric_presence_loss, presence_loss
from norface.models.classification import ClassificationOutput
from norface.training.classification_config import ClassificationConfig
from norface.training.classification_faces import LabelledFaces
from norface.training.samples import Samples


class LabelWeights(NamedTuple):
    """Weights against rarity.

    Attributes:
        present: (A,), of present units against absent ones.
        emotion: (8,), of each emotion; None weighs all alike.
    """

    present: Tensor
    emotion: Tensor | None


def loss_terms(
    out: ClassificationOutput,
    truth: LabelledFaces,
    weights: LabelWeights,
    config: ClassificationConfig,
) -> dict[str, Tensor]:
    """The losses of a batch: each by itself, and ``loss``, their weighted sum.

    Args:
        out: of the network.
        truth: labels; NaN and -1 where unknown.
        weights: against rarity.
        config: the weights of the losses.
    """
    losses: dict[str, Tensor] = {}
    if out.presence is not None and out.intensity is not None:
        losses["intensity"] = intensity_loss(out.intensity, truth.intensity)
        losses["agreement"] = agreement_loss(out.intensity[..., 0], truth.intensity[..., 0])
        if config.presence == "asymmetric":
            losses["presence"] = asymmetric_presence_loss(
                out.presence,
                truth.presence,
                gamma_positive=config.gamma_positive,
                gamma_negative=config.gamma_negative,
                margin=config.margin,
            )
        else:
            losses["presence"] = presence_loss(
                out.presence, truth.presence, positive_weight=weights.present
            )
    if out.emotion is not None:
        label = emotion_labels(
            truth.emotion,
            distribution=truth.distribution if config.distributions else None,
            smoothing=config.smoothing,
        )
        losses["emotion"] = emotion_loss(out.emotion, label, weight=weights.emotion)
    losses |= balance_losses(out.routings.values())
    total = torch.stack(
        [getattr(config, f"{name}_weight") * loss for name, loss in losses.items()]
    ).sum()
    return {"loss": total, **losses}


def label_weights(
    samples: Samples,
    training: NDArray[np.int64],
    config: ClassificationConfig,
    device: torch.device,
) -> LabelWeights:
    """Weights from how often the training samples show each label."""
    emotion = emotion_weights(samples.emotion[training]) if config.balance_emotions else None
    return LabelWeights(
        positive_weights(samples.presence(training)).to(device),
        None if emotion is None else emotion.to(device),
    )


def positive_weights(presence: NDArray[np.integer]) -> Tensor:
    """How much more a present unit counts than an absent one, (A,): the root of their ratio.

    Args:
        presence: (N, A), 1, 0, or -1 where unknown.
    """
    present, absent = (presence == 1).sum(axis=0), (presence == 0).sum(axis=0)
    ratio = np.sqrt(absent / np.maximum(present, 1))
    return torch.from_numpy(np.clip(ratio, 1.0, 5.0).astype(np.float32))


def emotion_weights(emotion: NDArray[np.integer]) -> Tensor:
    """Weights of the emotions (8,): the root of their rarity, mean 1 over the known labels."""
    count = np.bincount(emotion[emotion >= 0], minlength=len(facs.EMOTIONS)).astype(np.float64)
    rarity = np.sqrt(count.sum() / np.maximum(count, 1.0))
    mean = (rarity * count).sum() / max(count.sum(), 1.0)
    return torch.from_numpy((rarity / max(mean, 1e-9)).astype(np.float32))
