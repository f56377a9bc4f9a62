"""What a person's face reads at rest, and the intensities above it.

Resting faces differ: drawn brows read as AU4, lips that are turned down as AU15. Where only the
change counts, the resting reading is taken away. It is either given (frames that are known to be
neutral) or estimated: a low quantile of each unit over all frames of the person, as most units are
at rest most of the time.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BINS_PER_UNIT: Final = 100
"""Of the histograms that stand for all frames: a quantile is exact to a hundredth."""

_LEAST_FRAMES: Final = 25
"""Fewer frames say nothing about a resting face; nothing is taken away."""


class NeutralBaseline:
    """The resting readings of each person.

    Two passes over a table give the same correction for every row: `observe` all, then `subtract`
    from all. In a single pass, `observe` and `subtract` row by row, the estimate is that of the
    frames so far and so does not reach into the future, but the first frames are corrected by
    little. Memory does not grow with the frames.
    """

    def __init__(self, *, columns: int, quantile: float = 0.1, highest: float = 5.0) -> None:
        """Start with nobody.

        Args:
            columns: how many values a row has.
            quantile: of a person's readings that counts as rest, 0 to 0.5; where a unit is there
                nearly all the time, its rest is not seen and too much is taken away.
            highest: the largest value; the lowest is 0.
        """
        if columns < 1 or not 0.0 <= quantile <= 0.5 or highest <= 0:
            raise ValueError("columns and highest must be above 0, quantile between 0 and 0.5")
        self._quantile = quantile
        self._columns = np.arange(columns)
        self._bins = round(highest * _BINS_PER_UNIT)
        self._counts: dict[int, NDArray[np.int64]] = {}
        self._given: dict[int, NDArray[np.float64]] = {}

    def observe(self, person: int, values: ArrayLike) -> None:
        """Count one row (C,) of a person; NaN where missing."""
        row = np.asarray(values, np.float64)
        counts = self._counts.get(person)
        if counts is None:
            counts = np.zeros((len(self._columns), self._bins + 1), np.int64)
            self._counts[person] = counts
        known = np.isfinite(row)
        bins = np.clip(np.rint(row[known] * _BINS_PER_UNIT), 0, self._bins).astype(np.intp)
        counts[self._columns[known], bins] += 1

    def give(self, person: int, values: ArrayLike) -> None:
        """Set a person's resting readings from rows (N, C) that are known to be neutral."""
        rows = np.atleast_2d(np.asarray(values, np.float64))
        known = np.isfinite(rows)
        total = np.where(known, rows, 0.0).sum(axis=0)
        self._given[person] = total / np.maximum(known.sum(axis=0), 1)

    def neutral(self, person: int) -> NDArray[np.float64]:
        """(C,) resting readings of a person; 0 for a column that was seen too seldom."""
        if person in self._given:
            return self._given[person]
        counts = self._counts.get(person)
        if counts is None:
            return np.zeros(len(self._columns))
        up_to = counts.cumsum(axis=1)
        total = up_to[:, -1:]
        # The first bin with at least this share of the frames at or below it.
        first = np.argmax(up_to >= np.maximum(self._quantile * total, 1), axis=1)
        return np.where(total[:, 0] >= _LEAST_FRAMES, first / _BINS_PER_UNIT, 0.0)

    def subtract(self, person: int, values: ArrayLike) -> NDArray[np.float64]:
        """(C,) values above the person's rest, not below 0; NaN stays NaN."""
        return np.maximum(np.asarray(values, np.float64) - self.neutral(person), 0.0)
