"""Metrics as pure functions, each named by its exact variant. An undefined score is NaN.

Definitions, and when each is undefined, in a table: docs/metrics.md. How well probabilities are
calibrated: `norface.evaluation.reliability`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def f1(truth: ArrayLike, called: ArrayLike) -> float:
    """F1 of the positive class, 2 TP / (2 TP + FP + FN); NaN when there is no positive at all.

    Args:
        truth: (N,) of bool or 0 and 1.
        called: the same.
    """
    true, said = _booleans(truth), _booleans(called)
    _same_length(true, said)
    hits = int((true & said).sum())
    total = int(true.sum()) + int(said.sum())
    return 2 * hits / total if total else float("nan")


def precision(truth: ArrayLike, called: ArrayLike) -> float:
    """Share of the called that are positive, TP / (TP + FP); NaN when nothing is called."""
    true, said = _booleans(truth), _booleans(called)
    _same_length(true, said)
    return float(true[said].mean()) if said.any() else float("nan")


def recall(truth: ArrayLike, called: ArrayLike) -> float:
    """Share of the positives that are called, TP / (TP + FN); NaN when there is no positive."""
    return precision(called, truth)


def balanced_accuracy_binary(truth: ArrayLike, called: ArrayLike) -> float:
    """Mean of the recalls of positives and of negatives; NaN unless `truth` has both.

    For more than two classes see `mean_recall`, which leaves classes out that do not occur.
    """
    true, said = _booleans(truth), _booleans(called)
    return (recall(true, said) + recall(~true, ~said)) / 2


def f1_macro(truth: ArrayLike, called: ArrayLike) -> float:
    """Mean over classes of the F1 of each; NaN for none.

    Every class counts that occurs in `truth` or in `called`: one that is called and never true has
    an F1 of 0.
    """
    true, said = np.asarray(truth), np.asarray(called)
    _same_length(true, said)
    return nan_mean([f1(true == c, said == c) for c in np.union1d(true, said)])


def confusion_matrix(truth: ArrayLike, called: ArrayLike, classes: int) -> NDArray[np.int64]:
    """How often each class was called each.

    Args:
        truth: (N,) class numbers, 0 to classes - 1.
        called: the same.
        classes: how many there are.

    Returns:
        (classes, classes) counts; the row is the truth, the column the call.

    Raises:
        ValueError: a number is no class.
    """
    true, said = (np.asarray(v, np.int64).reshape(-1) for v in (truth, called))
    _same_length(true, said)
    if len(true) and not (
        0 <= min(true.min(), said.min()) <= max(true.max(), said.max()) < classes
    ):
        raise ValueError(f"class numbers must be 0 to {classes - 1}")
    counts = np.bincount(true * classes + said, minlength=classes * classes)
    return counts.reshape(classes, classes)


def accuracy(truth: ArrayLike, called: ArrayLike) -> float:
    """Share of equal entries of two (N,); NaN for none."""
    true, said = np.asarray(truth), np.asarray(called)
    _same_length(true, said)
    return float((true == said).mean()) if len(true) else float("nan")


def mean_recall(truth: ArrayLike, called: ArrayLike) -> float:
    """Mean over the classes in `truth` of the share found ("balanced accuracy"); NaN for none.

    Classes that do not occur in `truth` do not count. For two classes of which both have to
    occur: `balanced_accuracy_binary`.
    """
    true, said = np.asarray(truth), np.asarray(called)
    _same_length(true, said)
    recalls = [float((said[true == c] == c).mean()) for c in np.unique(true)]
    return float(np.mean(recalls)) if recalls else float("nan")


def icc_3_1(truth: ArrayLike, read: ArrayLike) -> float:
    """Intraclass correlation ICC(3,1) of Shrout and Fleiss (1979): consistency of single ratings.

    Two raters of a two-way mixed model: (BMS - EMS) / (BMS + EMS), with the mean squares between
    subjects and of the residual. A constant offset between the raters does not count, a difference
    in spread does.

    Args:
        truth: (N,), N at least 2.
        read: the same.

    Returns:
        -1 to 1; NaN for fewer than two subjects or when nothing varies.
    """
    return icc_3_1_of(np.stack([_numbers(truth), _numbers(read)], axis=1))


def icc_3_1_of(ratings: NDArray[np.floating]) -> float:
    """ICC(3,1) of any number of raters, ratings (N, raters); see `icc_3_1`."""
    bms, _, ems = _mean_squares(ratings)
    total = bms + (ratings.shape[1] - 1) * ems
    return float((bms - ems) / total) if total > 1e-12 else float("nan")


def icc_2_1(truth: ArrayLike, read: ArrayLike) -> float:
    """Intraclass correlation ICC(2,1) of Shrout and Fleiss (1979): agreement of single ratings.

    Two raters of a two-way random model: (BMS - EMS) / (BMS + EMS + 2 (JMS - EMS) / N), with the
    mean squares between subjects, between raters and of the residual. Unlike in `icc_3_1` a
    constant offset between the raters counts.

    Args:
        truth: (N,), N at least 2.
        read: the same.

    Returns:
        at most 1; NaN for fewer than two subjects or when nothing varies.
    """
    _same_length(_numbers(truth), _numbers(read))
    return icc_2_1_of(np.stack([_numbers(truth), _numbers(read)], axis=1))


def icc_2_1_of(ratings: NDArray[np.floating]) -> float:
    """ICC(2,1) of any number of raters, ratings (N, raters); see `icc_2_1`."""
    count, raters = ratings.shape
    bms, jms, ems = _mean_squares(ratings)
    total = bms + (raters - 1) * ems + raters * (jms - ems) / max(count, 1)
    return float((bms - ems) / total) if total > 1e-12 else float("nan")


def _mean_squares(ratings: NDArray[np.floating]) -> tuple[float, float, float]:
    """BMS between the rows, JMS between the columns, EMS of the rest; NaN for fewer than 2 rows."""
    count, raters = ratings.shape
    if count < 2:
        return float("nan"), float("nan"), float("nan")
    grand = ratings.mean()
    rows = raters * ((ratings.mean(axis=1) - grand) ** 2).sum()
    columns = count * ((ratings.mean(axis=0) - grand) ** 2).sum()
    residual = ((ratings - grand) ** 2).sum() - rows - columns
    ems = residual / ((count - 1) * (raters - 1))
    return float(rows / (count - 1)), float(columns / (raters - 1)), float(ems)


def concordance(truth: ArrayLike, read: ArrayLike) -> float:
    """Concordance correlation (CCC) of Lin (1989), with variances over N.

    2 cov / (var + var + (difference of the means) squared): like Pearson's, lowered by every
    difference in offset or spread.

    Returns:
        -1 to 1; 0 when only one of the two is constant; NaN for none or when both are the same
        constant.
    """
    x, y = _numbers(truth), _numbers(read)
    _same_length(x, y)
    if len(x) == 0:
        return float("nan")
    scale = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    return float(2 * covariance / scale) if scale > 1e-12 else float("nan")


def pearson(a: ArrayLike, b: ArrayLike) -> float:
    """Pearson's correlation of two (N,); NaN when either is constant."""
    x, y = _numbers(a), _numbers(b)
    _same_length(x, y)
    if len(x) < 2:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / scale) if scale > 1e-12 else float("nan")


def mean_squared_error(truth: ArrayLike, read: ArrayLike) -> float:
    """Mean squared difference of two (N,); NaN for none."""
    x, y = _numbers(truth), _numbers(read)
    _same_length(x, y)
    return float(((x - y) ** 2).mean()) if len(x) else float("nan")


def mean_absolute_error(truth: ArrayLike, read: ArrayLike) -> float:
    """Mean absolute difference of two (N,); NaN for none."""
    x, y = _numbers(truth), _numbers(read)
    _same_length(x, y)
    return float(np.abs(x - y).mean()) if len(x) else float("nan")


def roc_auc(truth: ArrayLike, score: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half.

    Args:
        truth: (N,) of bool or 0 and 1.
        score: (N,), higher for positives.

    Returns:
        0 to 1; NaN unless both classes occur.
    """
    positive, value = _booleans(truth), _numbers(score)
    _same_length(positive, value)
    ups, downs = int(positive.sum()), int((~positive).sum())
    if ups == 0 or downs == 0:
        return float("nan")
    _, where, counts = np.unique(value, return_inverse=True, return_counts=True)
    # Mean rank of equal values, from 1.
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[where]
    return float((ranks[positive].sum() - ups * (ups + 1) / 2) / (ups * downs))


def best_f1_threshold(
    truth: ArrayLike, probability: ArrayLike, *, minimum_positives: int = 8
) -> float:
    """The threshold on a probability with the highest F1, from a grid of 0.05 to 0.95.

    The scores of neighbouring thresholds are averaged, lest chance on few faces decide.

    Returns:
        the threshold; 0.5 when there are fewer positives than `minimum_positives`.
    """
    positive, value = _booleans(truth), _numbers(probability)
    if int(positive.sum()) < minimum_positives:
        return 0.5
    grid = np.linspace(0.05, 0.95, 37)
    scores = np.nan_to_num([f1(positive, value >= t) for t in grid])
    smooth = np.convolve(np.pad(scores, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    return float(grid[int(smooth.argmax())])


def nan_mean(values: ArrayLike) -> float:
    """Mean of the defined values; NaN if there is none."""
    defined = _numbers(values)
    defined = defined[~np.isnan(defined)]
    return float(defined.mean()) if len(defined) else float("nan")


def _booleans(values: ArrayLike) -> NDArray[np.bool_]:
    return np.asarray(values).astype(bool).reshape(-1)


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, np.float64).reshape(-1)


def _same_length(a: NDArray[np.generic], b: NDArray[np.generic]) -> None:
    if len(a) != len(b):
        raise ValueError(f"the lengths differ: {len(a)} and {len(b)}")
