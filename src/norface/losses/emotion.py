"""Emotion of a face."""

from __future__ import annotations

import torch
from torch import Tensor

from norface.facs import EMOTIONS


def emotion_labels(
    emotion: Tensor,
    *,
    distribution: Tensor | None = None,
    smoothing: float = 0.0,
    allowed: Tensor | None = None,
) -> Tensor:
    """Labels as probabilities (B, 8), 0 throughout where unknown.

    Args:
        emotion: (B,), index into `norface.facs.EMOTIONS`, -1 where unknown.
        distribution: (B, 8) shares of votes on the emotions, taken instead where they are known;
            NaN where they are not.
        smoothing: share of the label given to all allowed emotions alike.
        allowed: (B, 8) bool, the emotions that one could have said; all by default.
    """
    hard = torch.nn.functional.one_hot(emotion.long().clamp(min=0), len(EMOTIONS)).float()
    label = hard * (emotion >= 0)[:, None]
    if distribution is not None:
        label = torch.where(distribution.isnan().any(1, keepdim=True), label, distribution)
    if allowed is None:
        allowed = torch.ones_like(label, dtype=torch.bool)
    return smoothed(label, smoothing, allowed)


def smoothed(label: Tensor, share: float, allowed: Tensor) -> Tensor:
    """Labels (B, 8), a share of each given to all allowed (B, 8) emotions; unknown stays 0."""
    alike = allowed / allowed.sum(1, keepdim=True).clamp(min=1)
    return (label * (1.0 - share) + alike * share) * (label.sum(1, keepdim=True) > 0)


def emotion_loss(
    logits: Tensor, label: Tensor, *, allowed: Tensor | None = None, weight: Tensor | None = None
) -> Tensor:
    """Cross-entropy, mean over the labelled faces; 0 when none is labelled.

    Args:
        logits: (B, 8), over `norface.facs.EMOTIONS`.
        label: (B, 8), probabilities (see `emotion_labels`); 0 throughout where unknown.
        allowed: (B, 8) bool, emotions that the label could have been: one that was not on offer
            is no evidence against it. All by default.
        weight: (8,), of each emotion, against rarity; mean about 1.
    """
    if allowed is not None:
        # Not minus infinity: times a label of 0 it would be NaN.
        logits = logits.masked_fill(~allowed, -1e4)
    terms = label * logits.float().log_softmax(-1)
    if weight is not None:
        terms = terms * weight
    return -terms.sum() / (label.sum(1) > 0).sum().clamp(min=1)
