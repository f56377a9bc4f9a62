"""The mean of what is known."""

from __future__ import annotations

from torch import Tensor


def known_mean(values: Tensor, known: Tensor) -> Tensor:
    """Mean of the values that are known; 0, with a gradient of 0, if none is.

    Args:
        values: any shape, finite also where unknown (a NaN times 0 is a NaN).
        known: bool, of the same shape.
    """
    return (values * known).sum() / known.sum().clamp(min=1)
