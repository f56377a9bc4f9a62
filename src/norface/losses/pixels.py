"""How far a normalized face is from the truth."""

from __future__ import annotations

from torch import Tensor


def weighted_l1(image: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference, pixels weighted.

    Args:
        image: (B, 3, H, W) in 0..1.
        truth: the same.
        weight: (B, 1, H, W) or (1, 1, H, W), mean about 1. Weight by how much the target face moves
            there, or the background outweighs the expression.
    """
    return ((image - truth).abs() * weight).mean()


def weighted_square(image: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Mean squared difference; arguments as `weighted_l1`.

    Most actions are absent most of the time, so the least absolute error of a network that cannot
    read a face yet is no motion at all, with no gradient to leave it; the least squares are the
    mean.
    """
    return ((image - truth).square() * weight).mean()


def edge_l1(image: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """The same on differences of neighbouring pixels; without it thin lines (lids, lips) blur.

    A uniform offset of the whole image costs nothing.
    """
    error = image - truth
    across = (error[..., 1:] - error[..., :-1]).abs() * weight[..., 1:]
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * weight[..., 1:, :]
    return across.mean() + down.mean()
