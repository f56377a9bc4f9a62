"""Intervals over people: subjects are drawn again, each with all of their frames.

Frames of one person resemble each other, so a thousand of them say far less than a thousand
people. An interval over frames would be too narrow; this one asks how the figure would have come
out with other people.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t

FloatArray = NDArray[np.float64]

RESAMPLES: Final = 1000
LEVEL: Final = 0.95
_CHUNK: Final = 4096
_DEFINED: Final = 0.5


class SubjectBootstrap:
    """Draws as many subjects as there are, with replacement, again and again.

    All figures of one table share one instance, hence the same draws. A figure is made of sums
    over frames (see `norface.evaluation.sums`): those of each subject are added up once, and a draw
    is a weighted sum of them, so it does not matter how many frames there are.

    Args:
        subject: (N,) who is seen in each frame. "" makes a frame a subject of its own.
        seed: of the draws.
        resamples: how many draws.

    Attributes:
        place: (N,) number of each frame's subject.
        subjects: how many there are.
        resamples: how many draws.
        counts: (resamples, subjects) how often each was drawn.
    """

    def __init__(self, subject: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES) -> None:
        names = np.asarray(subject, np.str_).reshape(-1)
        known = names != ""
        found, numbers = np.unique(names[known], return_inverse=True)
        self.place: NDArray[np.int64] = np.empty(len(names), np.int64)
        self.place[known] = numbers
        self.place[~known] = len(found) + np.arange(int((~known).sum()))
        self.subjects = len(found) + int((~known).sum())
        self.resamples = resamples
        random = np.random.default_rng(seed)
        # No subject is drawn 256 times: there would have to be more of them than that, and luck.
        self.counts = np.zeros((resamples, self.subjects), np.uint8)
        for row in self.counts:
            drawn = random.integers(self.subjects, size=self.subjects)
            row[:] = np.bincount(drawn, minlength=self.subjects)

    def of_subjects(
        self, frames: FloatArray, rows: NDArray[np.generic] | None = None
    ) -> FloatArray:
        """Sums over the frames of each subject.

        Args:
            frames: (n, K).
            rows: (n,) which of the N frames these are; None for all.

        Returns:
            (subjects, K).
        """
        place = self.place if rows is None else self.place[rows]
        return np.stack(
            [np.bincount(place, column, self.subjects) for column in frames.T], axis=1
        ).astype(np.float64)

    def cells_of_subjects(
        self, cell: NDArray[np.integer[Any]], cells: int, rows: NDArray[np.generic] | None = None
    ) -> FloatArray:
        """How often each subject's frames fall into each cell of a histogram.

        Args:
            cell: (n,) number of each frame's cell, below `cells`.
            cells: how many there are.
            rows: (n,) which of the N frames these are; None for all.

        Returns:
            (subjects, cells).
        """
        place = self.place if rows is None else self.place[rows]
        flat = np.bincount(place * cells + cell, minlength=self.subjects * cells)
        return flat.reshape(self.subjects, cells).astype(np.float64)

    def draw(self, of_subjects: FloatArray) -> FloatArray:
        """Sums (subjects, K) over each draw's subjects: (resamples, K)."""
        total = np.zeros((self.resamples, of_subjects.shape[1]))
        for start in range(0, self.subjects, _CHUNK):
            part = slice(start, start + _CHUNK)
            total += self.counts[:, part].astype(np.float64) @ of_subjects[part]
        return total

    def interval(
        self, draws: FloatArray, value: float, *, level: float = LEVEL
    ) -> tuple[float, float]:
        """The interval of a figure from its values in the draws.

        Quantiles of the draws, after two corrections that matter for few subjects. The draws are
        moved so that their mean is the figure itself: a draw holds fewer different people than the
        data, which lifts correlations and calibration errors in every draw. And the quantiles are
        taken a little further out than the level says (the expanded percentile interval of
        Hesterberg 2015), for the spread of draws is that of a variance over N in place of N - 1.

        Args:
            draws: (resamples,), NaN in draws where the figure is undefined.
            value: the figure of the frames themselves.
            level: the share of such intervals that should hold the truth.

        Returns:
            low and high, within 0 and 1 where all draws are; NaN for fewer than two subjects, or
            when the figure is undefined, or undefined in more than half of the draws.
        """
        defined = draws[~np.isnan(draws)]
        if self.subjects < 2 or np.isnan(value) or len(defined) <= _DEFINED * self.resamples:
            return float("nan"), float("nan")
        n = self.subjects
        tail = float(norm.cdf(np.sqrt(n / (n - 1)) * t.ppf((1 - level) / 2, n - 1)))
        low, high = np.quantile(defined, [tail, 1 - tail]) + (value - defined.mean())
        if defined.min() >= 0:
            low = max(low, 0.0)
        if defined.max() <= 1:
            high = min(high, 1.0)
        return float(low), float(high)


def subject_interval(
    subject: ArrayLike,
    statistic: Callable[[NDArray[np.int64]], float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float]:
    """The interval of any figure, computed anew for every draw: slow, but for every metric.

    Args:
        subject: (N,) who is seen in each frame; "" for a subject of its own.
        statistic: from the numbers of a draw's frames, repeated ones included, to the figure.
        seed: of the draws.
        resamples: how many draws.
        level: see `SubjectBootstrap.interval`.
    """
    bootstrap = SubjectBootstrap(subject, seed=seed, resamples=resamples)
    order = np.argsort(bootstrap.place, kind="stable")
    starts = np.searchsorted(bootstrap.place[order], np.arange(bootstrap.subjects + 1))
    frames = [order[a:b] for a, b in pairwise(starts)]
    values = np.array(
        [
            statistic(np.concatenate([frames[i] for i in np.repeat(np.arange(len(row)), row)]))
            for row in bootstrap.counts
        ]
    )
    return bootstrap.interval(values, statistic(np.arange(len(order))), level=level)
