"""Reconstruction of the very face, and what a result must leave as the target has it."""

from __future__ import annotations

from torch import Tensor


def reconstruction_distance(image: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Mean of absolute and of squared difference, pixels weighted.

    The squared part pulls towards the mean of what may be there when the absolute one would rather
    leave everything as it is (see `norface.losses.pixels.weighted_square`).

    Args:
        image: (B, 3, S, S) in 0..1.
        truth: the same.
        weight: (B, 1, S, S), mean about 1.

    Returns:
        (B,)
    """
    error = image - truth
    return ((error.abs() + 4.0 * error.square()) * weight).mean((1, 2, 3))


def background_distance(image: Tensor, target: Tensor, background: Tensor) -> Tensor:
    """Mean absolute difference from the target where no face is.

    Args:
        image: (B, 3, S, S) in 0..1.
        target: the same.
        background: (B, 1, S, S), 1 where only the target's background is, 0 on the face.

    Returns:
        (B,)
    """
    return ((image - target).abs() * background).mean((1, 2, 3))
