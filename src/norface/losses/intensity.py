"""Intensity of action units, where the truth is known."""

from __future__ import annotations

from torch import Tensor

from norface.losses.masked import known_mean


def intensity_loss(read: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error over the known values; 0 when none is known.

    Args:
        read: (B, A, 3) in 0..5: whole, left, right.
        truth: the same, NaN where unknown.
    """
    return known_mean((read - truth.nan_to_num()).square(), ~truth.isnan())


def agreement_loss(read: Tensor, truth: Tensor) -> Tensor:
    """1 - Lin's concordance within the batch, mean over the units that vary; 0 if none does.

    Concordance is ``2 cov(x, y) / (var(x) + var(y) + (mean(x) - mean(y))^2)``. The squared error
    alone makes the readings shrink to the mean, which agreement between raters (ICC) punishes. A
    unit counts when the variance of its known intensities is above 0.05: that of an absent one
    would divide by almost nothing.

    Args:
        read: (B, A) in 0..5.
        truth: the same, NaN where unknown.
    """
    known = (~truth.isnan()).to(read.dtype)
    y = truth.nan_to_num()
    count = known.sum(0).clamp(min=1.0)
    mean_x, mean_y = (read * known).sum(0) / count, (y * known).sum(0) / count
    dx, dy = (read - mean_x) * known, (y - mean_y) * known
    covariance = (dx * dy).sum(0) / count
    variance_y = dy.square().sum(0) / count
    spread = dx.square().sum(0) / count + variance_y + (mean_x - mean_y).square()
    return known_mean(1.0 - 2.0 * covariance / (spread + 1e-3), variance_y > 0.05)
