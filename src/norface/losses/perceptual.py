"""Distance of two pictures in the features of a trained network (Johnson et al., 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def perceptual_distance(result: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of feature maps, each level in units of its own spread.

    Args:
        result: for each level a map (B, C, H, W) or tokens (B, L, D).
        truth: the same.

    Returns:
        (B,), mean over the levels.
    """
    levels = []
    for ours, theirs in zip(result, truth, strict=True):
        spread = theirs.detach().float().std().clamp(min=1e-6)
        levels.append((ours.float() - theirs.float()).abs().flatten(1).mean(1) / spread)
    return torch.stack(levels).mean(0)
