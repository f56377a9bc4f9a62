"""Head pose and landmarks: the head's frame must be the target's, the openings the original's."""

from __future__ import annotations

from torch import Tensor


def pose_distance(result: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the angles, in units of 30 degrees.

    Args:
        result: (B, 2), yaw and pitch in degrees.
        target: the same.

    Returns:
        (B,)
    """
    return (result - target).abs().mean(1) / 30.0


def landmark_distance(result: Tensor, target: Tensor) -> Tensor:
    """Mean distance of landmarks, as a share of the picture.

    Args:
        result: (B, K, 2), landmarks that expressions hardly move, as shares of the crop.
        target: the same.

    Returns:
        (B,)
    """
    # A distance of 0 has no gradient: a tenth of a pixel of 128 is added inside the root.
    return ((result - target).square().sum(2) + 1e-6).sqrt().mean(1) - 1e-3


def opening_distance(result: Tensor, original: Tensor) -> Tensor:
    """Mean absolute difference of what expressions open and lift (ours, not the paper's).

    Landmarks themselves cannot be compared between two people; ratios such as the gap of the lids
    over the width of the eye are nearly free of identity.

    Args:
        result: (B, R), see `norface.models.landmarks.openings`.
        original: the same.

    Returns:
        (B,)
    """
    return (result - original).abs().mean(1)
