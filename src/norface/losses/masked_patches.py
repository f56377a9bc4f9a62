"""The loss of masked autoencoders."""

from __future__ import annotations

from torch import Tensor


def masked_patch_loss(error: Tensor, mask: Tensor) -> Tensor:
    """Mean error of the patches that were hidden; those that were seen do not count.

    Args:
        error: (B, L), of each patch.
        mask: (B, L), 1 where the patch was hidden, else 0.

    Returns:
        scalar.
    """
    return (error * mask).sum() / mask.sum()
