"""How far probabilities keep what they promise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Predictions sorted into bins of equal width by their probability.

    Attributes:
        edges: (B + 1,) from 0 to 1; a bin holds its upper edge, the first one its lower as well.
        count: (B,) predictions in each.
        probability: (B,) their mean probability; NaN in an empty bin.
        frequency: (B,) how often what was predicted is so; NaN in an empty bin.
    """

    edges: FloatArray
    count: NDArray[np.int64]
    probability: FloatArray
    frequency: FloatArray

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean of |frequency - probability|, weighted by count."""
        if not self.count.any():
            return float("nan")
        gap = np.abs(np.nan_to_num(self.frequency) - np.nan_to_num(self.probability))
        return float((gap * self.count).sum() / self.count.sum())


def reliability_binary(truth: ArrayLike, probability: ArrayLike, *, bins: int = 10) -> Reliability:
    """Sort probabilities of the positive class into bins.

    Args:
        truth: (N,) of bool or 0 and 1.
        probability: (N,) that it is 1.
        bins: how many.

    Raises:
        ValueError: lengths differ, or a probability is not in 0..1.
    """
    outcome = np.asarray(truth).astype(bool).reshape(-1)
    value = np.asarray(probability, np.float64).reshape(-1)
    if len(outcome) != len(value):
        raise ValueError(f"the lengths differ: {len(outcome)} and {len(value)}")
    if not ((value >= 0) & (value <= 1)).all():
        raise ValueError("probabilities must be in 0..1")
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = bin_of(value, bins)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            edges,
            count,
            np.bincount(place, value, bins) / count,
            np.bincount(place, outcome, bins) / count,
        )


def reliability_top_label(
    truth: ArrayLike, probability: ArrayLike, *, bins: int = 10
) -> Reliability:
    """Sort the probability of the most probable class into bins; it is right or wrong.

    Args:
        truth: (N,) class numbers.
        probability: (N, C).
        bins: how many.
    """
    value = np.asarray(probability, np.float64)
    right = value.argmax(axis=1) == np.asarray(truth).reshape(-1)
    return reliability_binary(right, value.max(axis=1), bins=bins)


def expected_calibration_error_binary(
    truth: ArrayLike, probability: ArrayLike, *, bins: int = 10
) -> float:
    """Expected calibration error of the positive class's probability; NaN for none."""
    return reliability_binary(truth, probability, bins=bins).expected_error


def expected_calibration_error_top_label(
    truth: ArrayLike, probability: ArrayLike, *, bins: int = 10
) -> float:
    """Expected calibration error of the most probable class (Guo et al. 2017); NaN for none."""
    value = np.asarray(probability, np.float64)
    if len(value) == 0:
        return float("nan")
    return reliability_top_label(truth, value, bins=bins).expected_error


def brier_score(truth: ArrayLike, probability: ArrayLike) -> float:
    """Mean of (probability - truth) squared, truth 0 or 1; NaN for none."""
    outcome = np.asarray(truth).astype(bool).reshape(-1)
    value = np.asarray(probability, np.float64).reshape(-1)
    if len(outcome) != len(value):
        raise ValueError(f"the lengths differ: {len(outcome)} and {len(value)}")
    return float(((value - outcome) ** 2).mean()) if len(value) else float("nan")


def bin_of(probability: FloatArray, bins: int) -> NDArray[np.int64]:
    """(N,) number of the bin of equal width that each belongs to, see `Reliability.edges`."""
    inner = np.linspace(0.0, 1.0, bins + 1)[1:-1]
    return np.searchsorted(inner, probability, side="left").astype(np.int64)
