"""Facial actions read from a face, where the truth is known."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def masked_action_loss(logits: Tensor, actions: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy with soft labels, mean over the known actions; 0 when none is known.

    Args:
        logits: (B, 52).
        actions: (B, 52) in 0..1; anything where masked, NaN too.
        mask: (B, 52), 1 where the action is known (a teacher is blind to some), else 0.
    """
    known = mask > 0
    loss = F.binary_cross_entropy_with_logits(
        logits, actions.where(known, logits.new_zeros(())), reduction="none"
    )
    return (loss * known).sum() / known.sum().clamp(min=1)
