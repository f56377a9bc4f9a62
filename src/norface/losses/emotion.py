"""Emotion of a face."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def emotion_loss(logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy, mean over the labelled faces; 0 when none is labelled.

    Args:
        logits: (B, 8), over `norface.facs.EMOTIONS`.
        labels: (B,) long, -1 where unknown.
        smoothing: share of the label given to all emotions alike.
    """
    total = F.cross_entropy(
        logits, labels, ignore_index=-1, reduction="sum", label_smoothing=smoothing
    )
    return total / (labels >= 0).sum().clamp(min=1)
