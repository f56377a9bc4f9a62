"""Presence of action units, where the truth is known."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from norface.facs import PRESENCE_INTENSITY
from norface.losses.masked import known_mean


def presence_of(intensity: Tensor) -> Tensor:
    """Intensity in 0..5, NaN where unknown -> 1 (2 or more), 0, or -1 where unknown (int8)."""
    present = (intensity >= PRESENCE_INTENSITY).to(torch.int8)
    return present.masked_fill(intensity.isnan(), -1)


def presence_loss(
    logits: Tensor, present: Tensor, *, positive_weight: Tensor | None = None
) -> Tensor:
    """Cross-entropy, mean over the known units; 0 without any.

    Args:
        logits: (B, A).
        present: (B, A): 1, 0, or -1 where unknown.
        positive_weight: (A,), weight of the present ones, against rarity.
    """
    loss = F.binary_cross_entropy_with_logits(
        logits, (present > 0).to(logits.dtype), reduction="none", pos_weight=positive_weight
    )
    return known_mean(loss, present >= 0)


def asymmetric_presence_loss(
    logits: Tensor,
    present: Tensor,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
) -> Tensor:
    """Asymmetric loss (Ridnik et al., 2021), mean over the known units; 0 without any.

    With ``p`` the probability and ``q = max(p - margin, 0)``, a present unit costs
    ``-(1 - p)^gamma_positive log(p)`` and an absent one ``-q^gamma_negative log(1 - q)``: easy
    absent units, which are most, count little, and below the margin nothing. With gammas and
    margin 0 it is the cross-entropy. The authors sum over the labels; the mean is ours.

    Args:
        logits: (B, A).
        present: (B, A): 1, 0, or -1 where unknown.
        gamma_positive: how much easy present ones are spared, 0 or at least 1 (between, the slope
            at probability 0 is infinite).
        gamma_negative: the same for absent ones.
        margin: probability below which an absent unit costs nothing, 0..1.
    """
    logits = logits.float()
    p = logits.sigmoid()
    if margin > 0.0:
        q = (p - margin).clamp(min=0.0)
        log_absent = (1.0 - q).log()
    else:
        q, log_absent = p, F.logsigmoid(-logits)
    positive = -F.logsigmoid(logits) * (1.0 - p) ** gamma_positive
    negative = -log_absent * q**gamma_negative
    return known_mean(torch.where(present > 0, positive, negative), present >= 0)
