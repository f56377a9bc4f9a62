"""Metrics made of sums over frames, for many draws at once.

The formulas are those of `norface.evaluation.metrics` and `reliability`, over the last axis of
sums of any shape. `of_*` says what each frame adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.evaluation.reliability import bin_of

FloatArray = NDArray[np.float64]
Formula = Callable[[FloatArray], FloatArray]

RANK_CELLS: Final = 256
"""Scores are ranked in so many cells for the intervals of the ROC AUC; its value is exact."""
CALIBRATION_BINS: Final = 10


def of_calls(truth: NDArray[np.bool_], called: NDArray[np.bool_]) -> FloatArray:
    """(n, 4): true positive, false positive, false negative, true negative."""
    return np.stack(
        [truth & called, ~truth & called, truth & ~called, ~truth & ~called], axis=1
    ).astype(np.float64)


def of_pairs(truth: FloatArray, read: FloatArray) -> FloatArray:
    """(n, 7): 1, x, y, x^2, y^2, xy, |x - y| of truth x and reading y."""
    # Sums of squares lose digits when all values are far from 0; no metric minds a common shift.
    shift = truth.mean() if len(truth) else 0.0
    x, y = truth - shift, read - shift
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y, np.abs(x - y)], axis=1)


def rank_cells(positive: NDArray[np.bool_], score: FloatArray) -> NDArray[np.int64]:
    """(n,) cell of each frame: rank of its score in `RANK_CELLS` steps, positives behind."""
    inner = np.unique(np.quantile(score, np.linspace(0, 1, RANK_CELLS + 1)[1:-1]))
    return np.asarray(np.searchsorted(inner, score, side="right") + RANK_CELLS * positive, np.int64)


def of_probability(outcome: NDArray[np.bool_], probability: FloatArray) -> FloatArray:
    """(n, 3 B + 2): count, probability and outcome by bin; then the squared error and 1."""
    place = bin_of(probability, CALIBRATION_BINS)
    inside = np.eye(CALIBRATION_BINS)[place]
    error = (probability - outcome) ** 2
    columns = [inside, inside * probability[:, None], inside * outcome[:, None],
               error[:, None], np.ones((len(error), 1))]  # fmt: skip
    return np.concatenate(columns, axis=1)


def _f1(s: FloatArray) -> FloatArray:
    hits, false, missed = s[..., 0], s[..., 1], s[..., 2]
    return np.asarray(2 * hits / (2 * hits + false + missed))


def _call_accuracy(s: FloatArray) -> FloatArray:
    return np.asarray((s[..., 0] + s[..., 3]) / s.sum(axis=-1))


def _call_balanced(s: FloatArray) -> FloatArray:
    up = s[..., 0] / (s[..., 0] + s[..., 2])
    return np.asarray((up + s[..., 3] / (s[..., 1] + s[..., 3])) / 2)


CALLS: Final[Mapping[str, Formula]] = {
    "f1": _f1,
    "precision": lambda s: s[..., 0] / (s[..., 0] + s[..., 1]),
    "recall": lambda s: s[..., 0] / (s[..., 0] + s[..., 2]),
    "accuracy": _call_accuracy,
    "balanced_accuracy": _call_balanced,
}
"""Of `of_calls`."""


def _moments(s: FloatArray) -> tuple[FloatArray, ...]:
    """Count, means of x and y, sums of squares of x, of y and of products, about the means."""
    n = s[..., 0]
    x, y = s[..., 1] / n, s[..., 2] / n
    return n, x, y, s[..., 3] - n * x * x, s[..., 4] - n * y * y, s[..., 5] - n * x * y


def _icc_3_1(s: FloatArray) -> FloatArray:
    n, _, _, xx, yy, xy = _moments(s)
    return _where(n >= 2, 2 * xy, xx + yy)


def _icc_2_1(s: FloatArray) -> FloatArray:
    n, x, y, xx, yy, xy = _moments(s)
    # With two raters BMS - EMS = 2 xy / (n - 1), BMS + EMS = (xx + yy) / (n - 1).
    ems = (xx + yy - 2 * xy) / (2 * (n - 1))
    jms = n * (x - y) ** 2 / 2
    return _where(n >= 2, 2 * xy / (n - 1), (xx + yy) / (n - 1) + 2 * (jms - ems) / n)


def _pearson(s: FloatArray) -> FloatArray:
    n, _, _, xx, yy, xy = _moments(s)
    return _where(n >= 2, xy, np.sqrt(np.maximum(xx, 0) * np.maximum(yy, 0)))


def _concordance(s: FloatArray) -> FloatArray:
    n, x, y, xx, yy, xy = _moments(s)
    return _where(n >= 1, 2 * xy / n, (xx + yy) / n + (x - y) ** 2)


def _where(enough: NDArray[np.bool_], upper: FloatArray, lower: FloatArray) -> FloatArray:
    return np.where(enough & (lower > 1e-9), upper / lower, np.nan)


PAIRS: Final[Mapping[str, Formula]] = {
    "icc_3_1": _icc_3_1,
    "icc_2_1": _icc_2_1,
    "mse": lambda s: (s[..., 3] - 2 * s[..., 5] + s[..., 4]) / s[..., 0],
    "mae": lambda s: s[..., 6] / s[..., 0],
    "pearson": _pearson,
    "ccc": _concordance,
}
"""Of `of_pairs`."""


def _auc(s: FloatArray) -> FloatArray:
    down, up = s[..., :RANK_CELLS], s[..., RANK_CELLS:]
    below = np.cumsum(down, axis=-1) - down / 2
    return np.asarray((up * below).sum(axis=-1) / (up.sum(axis=-1) * down.sum(axis=-1)))


RANKS: Final[Mapping[str, Formula]] = {"auc": _auc}
"""Of histograms (2 x `RANK_CELLS`) of `rank_cells`."""


def _expected_error(s: FloatArray) -> FloatArray:
    b = CALIBRATION_BINS
    gap = np.abs(s[..., b : 2 * b] - s[..., 2 * b : 3 * b]).sum(axis=-1)
    return np.asarray(gap / s[..., 3 * b + 1])


PROBABILITIES: Final[Mapping[str, Formula]] = {
    "ece": _expected_error,
    "brier": lambda s: s[..., 3 * CALIBRATION_BINS] / s[..., 3 * CALIBRATION_BINS + 1],
}
"""Of `of_probability`."""


def _confusion_parts(s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Hits, truths and calls of each class, (..., C), from flat confusion matrices (..., C * C)."""
    classes = round(s.shape[-1] ** 0.5)
    matrix = s.reshape(*s.shape[:-1], classes, classes)
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    return hits, matrix.sum(axis=-1), matrix.sum(axis=-2)


def _class_accuracy(s: FloatArray) -> FloatArray:
    hits, true, _ = _confusion_parts(s)
    return np.asarray(hits.sum(axis=-1) / true.sum(axis=-1))


def _class_recall(s: FloatArray) -> FloatArray:
    hits, true, _ = _confusion_parts(s)
    return mean_of_defined(hits / true)


def _class_f1(s: FloatArray) -> FloatArray:
    hits, true, said = _confusion_parts(s)
    return mean_of_defined(2 * hits / (true + said))


CLASSES: Final[Mapping[str, Formula]] = {
    "accuracy": _class_accuracy,
    "mean_recall": _class_recall,
    "f1_macro": _class_f1,
}
"""Of flat confusion matrices."""


def mean_of_defined(values: FloatArray) -> FloatArray:
    """Mean over the last axis of what is not NaN; NaN where all is."""
    defined = ~np.isnan(values)
    count: NDArray[Any] = defined.sum(axis=-1)
    total = np.where(defined, values, 0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def apply(formulas: Mapping[str, Formula], sums: FloatArray) -> dict[str, FloatArray]:
    """Every metric of a family; undefined values are NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: np.asarray(formula(sums)) for name, formula in formulas.items()}
