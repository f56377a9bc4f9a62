"""The parts of the variance of a label's readings, for any draw of people.

Everything is made of sums over the frames of each subject, so that a thousand draws of people cost
no more than the frames once. The model and its estimate: `norface.evaluation.people`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_MOST_LEVELS: Final = 10
_LEAST_VARIANCE: Final = 1e-18
_CHUNK: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class VarianceSums:
    """Sums over the frames of each of P subjects; K columns stand for the truth.

    Attributes:
        size: (P,) frames.
        read: (P,) of the readings.
        read_squares: (P,) of their squares.
        truth: (P, K) of the columns.
        truth_products: (P, K, K) of the columns' products.
        both: (P, K) of columns times readings.
    """

    size: FloatArray
    read: FloatArray
    read_squares: FloatArray
    truth: FloatArray
    truth_products: FloatArray
    both: FloatArray

    @classmethod
    def of(
        cls, truth: FloatArray, read: FloatArray, place: NDArray[np.integer[Any]], people: int
    ) -> VarianceSums:
        """Add up frames.

        Args:
            truth: (N,); up to ten levels get a column each but the first, more are one column.
            read: (N,).
            place: (N,) number of each frame's subject.
            people: how many subjects there are, some of them perhaps without a frame.
        """
        levels = np.unique(truth)
        x = [truth]
        if 2 <= len(levels) <= _MOST_LEVELS:
            x = [(truth == level).astype(np.float64) for level in levels[1:]]
        if len(read):
            # Sums of squares of what lies far from zero would lose digits.
            x, read = [column - column.mean() for column in x], read - read.mean()

        def add(values: FloatArray) -> FloatArray:
            return np.asarray(np.bincount(place, values, people), np.float64)

        products = [[add(one * other) for other in x] for one in x]
        return cls(
            size=add(np.ones(len(read))),
            read=add(read),
            read_squares=add(read**2),
            truth=np.stack([add(column) for column in x], axis=1),
            truth_products=np.moveaxis(np.array(products), 2, 0),
            both=np.stack([add(column * read) for column in x], axis=1),
        )

    def parts(self, counts: NDArray[Any]) -> FloatArray:
        """The variances that the truth, the person and neither make.

        Args:
            counts: (R, P) how often each subject counts in each of R draws.

        Returns:
            (R, 3) expression, person, rest; NaN with fewer than two subjects, too few frames, or
            readings that do not vary.
        """
        found = [
            self._parts(counts[i : i + _CHUNK].astype(np.float64))
            for i in range(0, len(counts), _CHUNK)
        ]
        return np.concatenate(found)

    def _parts(self, counts: FloatArray) -> FloatArray:
        there = np.maximum(self.size, 1.0)
        k = self.truth.shape[1]
        outer = self.truth[:, :, None] * self.truth[:, None, :] / there[:, None, None]
        within = (self.truth_products - outer).reshape(len(there), k * k)
        a = (counts @ within).reshape(-1, k, k)
        b = counts @ (self.both - self.truth * (self.read / there)[:, None])
        square = counts @ (self.read_squares - self.read**2 / there)
        frames, people = counts @ self.size, counts @ (self.size > 0)
        slopes = (np.linalg.pinv(a, hermitian=True) @ b[:, :, None])[:, :, 0]
        rank = np.linalg.matrix_rank(a, hermitian=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = frames - people - rank
            rest = np.maximum(square - (b * slopes).sum(axis=1), 0.0) / freedom
            # Of each subject in each draw, what g leaves of the mean reading: (R, P).
            means = (self.read - slopes @ self.truth.T) / there
            weight = counts * self.size
            whole = (weight * means).sum(axis=1, keepdims=True) / frames[:, None]
            between = (weight * (means - whole) ** 2).sum(axis=1) / (people - 1)
            usual = (frames - counts @ self.size**2 / frames) / (people - 1)
            person = np.maximum((between - rest) / usual, 0.0)
            middle = counts @ self.truth / frames[:, None]
            products = (counts @ self.truth_products.reshape(len(there), k * k)).reshape(-1, k, k)
            spread = products / frames[:, None, None] - middle[:, :, None] * middle[:, None, :]
            expression = np.einsum("rk,rkl,rl->r", slopes, spread, slopes)
            total = counts @ self.read_squares / frames - (counts @ self.read / frames) ** 2
        parts = np.stack([np.maximum(expression, 0.0), person, rest], axis=1)
        parts[(people < 2) | (freedom < 1) | ~(total > _LEAST_VARIANCE)] = np.nan
        return parts
