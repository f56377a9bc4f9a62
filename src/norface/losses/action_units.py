"""Intensity and presence of action units, where the truth is known."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from norface.facs import PRESENCE_INTENSITY


def intensity_loss(intensity: Tensor, truth: Tensor, *, beta: float = 0.5) -> Tensor:
    """Smooth L1 (quadratic below `beta`), mean over the known values; 0 when none is known.

    Args:
        intensity: (B, A, 3) in 0..5.
        truth: (B, A, 3) in 0..5, NaN where unknown.
        beta: where the quadratic part ends, in steps of intensity.
    """
    known = ~truth.isnan()
    loss = F.smooth_l1_loss(
        intensity, truth.where(known, intensity.detach()), reduction="none", beta=beta
    )
    return (loss * known).sum() / known.sum().clamp(min=1)


def presence_loss(
    logits: Tensor, truth: Tensor, *, positive_weight: Tensor | None = None
) -> Tensor:
    """Cross-entropy of presence (intensity 2 or more), mean over the known units; 0 without any.

    Args:
        logits: (B, A).
        truth: (B, A), intensity of the whole face in 0..5, NaN where unknown.
        positive_weight: (A,), weight of the present ones, against rarity.
    """
    known = ~truth.isnan()
    present = (truth >= PRESENCE_INTENSITY).to(logits.dtype)
    loss = F.binary_cross_entropy_with_logits(
        logits, present, reduction="none", pos_weight=positive_weight
    )
    return (loss * known).sum() / known.sum().clamp(min=1)


def present_share(truth: Tensor) -> Tensor:
    """Share of faces that show each unit: truth (B, A), NaN where unknown -> (A,), NaN if never."""
    known = ~truth.isnan()
    present = (truth >= PRESENCE_INTENSITY) & known
    share: Tensor = present.sum(0) / torch.where(known.any(0), known.sum(0), torch.nan)
    return share
