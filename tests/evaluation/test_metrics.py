"""Metrics against published examples, hand formulas, and other libraries where installed."""

from __future__ import annotations

import inspect
import math
from pathlib import Path

import numpy as np
import pytest

from norface.evaluation import metrics as m
from norface.evaluation import reliability

RNG = np.random.default_rng(0)


def test_icc_of_shrout_and_fleiss() -> None:
    # Their table 2: 6 targets, 4 judges; table 4 gives ICC(3,1) = .71.
    table = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
    )
    assert m.icc_3_1_of(table) == pytest.approx(0.7148, abs=1e-4)


def test_icc_of_two_raters_by_covariance() -> None:
    # For two raters ICC(3,1) is 2 cov / (var + var).
    a = RNG.normal(size=200)
    b = 0.7 * a + RNG.normal(size=200) + 3
    expected = 2 * np.cov(a, b)[0, 1] / (a.var(ddof=1) + b.var(ddof=1))
    assert m.icc_3_1(a, b) == pytest.approx(expected)
    assert m.icc_3_1(a, a + 2) == pytest.approx(1.0)
    assert m.icc_3_1(a, -a) == pytest.approx(-1.0)
    assert math.isnan(m.icc_3_1([1, 1, 1], [1, 1, 1]))
    assert math.isnan(m.icc_3_1([1], [1]))


def test_f1_by_hand() -> None:
    assert m.f1([1, 1, 0, 0, 1], [1, 0, 1, 0, 1]) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert m.f1([1, 0], [0, 0]) == 0.0
    assert math.isnan(m.f1([0, 0], [0, 0]))


def test_auc_counts_pairs() -> None:
    truth = RNG.random(60) < 0.4
    score = np.round(RNG.random(60), 1)
    up, down = score[truth], score[~truth]
    pairs = (up[:, None] > down).mean() + 0.5 * (up[:, None] == down).mean()
    assert m.roc_auc(truth, score) == pytest.approx(pairs)
    assert math.isnan(m.roc_auc([1, 1], [0.1, 0.2]))


def test_against_other_libraries() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    stats = pytest.importorskip("scipy.stats")
    truth, score = RNG.random(100) < 0.3, RNG.random(100)
    called = score > 0.5
    assert m.f1(truth, called) == pytest.approx(sklearn.f1_score(truth, called))
    assert m.roc_auc(truth, score) == pytest.approx(sklearn.roc_auc_score(truth, score))
    assert m.accuracy(truth, called) == pytest.approx(sklearn.accuracy_score(truth, called))
    assert m.mean_recall(truth, called) == pytest.approx(
        sklearn.balanced_accuracy_score(truth, called)
    )
    assert m.pearson(truth, score) == pytest.approx(stats.pearsonr(truth, score)[0])
    assert m.mean_squared_error(truth, score) == pytest.approx(
        sklearn.mean_squared_error(truth, score)
    )


def test_undefined_is_nan() -> None:
    assert math.isnan(m.pearson([1, 1, 1], [1, 2, 3]))
    assert math.isnan(m.accuracy([], []))
    assert math.isnan(m.nan_mean([float("nan")]))
    assert m.nan_mean([float("nan"), 2.0]) == 2.0
    with pytest.raises(ValueError, match="lengths differ"):
        m.f1([1], [1, 0])


def test_threshold_separates() -> None:
    truth = np.repeat([0, 1], 50)
    probability = np.where(truth, 0.3, 0.1)
    assert 0.1 < m.best_f1_threshold(truth, probability) <= 0.3
    assert m.best_f1_threshold([1, 0], [0.9, 0.1]) == 0.5


def test_icc_2_1_of_shrout_and_fleiss() -> None:
    table = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
    )
    assert m.icc_2_1_of(table) == pytest.approx(0.2898, abs=1e-4)


def test_icc_against_pingouin() -> None:
    # Its ICC(C,1) and ICC(A,1) of these two raters (version 0.7.0).
    a = [3.1, 4.5, 3.9, 1.1, 1.5, 4.4, 0.0, 4.1, 4.0, 2.3, 1.5, 1.4]
    b = [2.7, 3.0, 3.1, 1.8, 1.0, 3.2, 0.0, 2.6, 2.3, 2.1, 1.1, 1.8]
    assert m.icc_3_1(a, b) == pytest.approx(0.820525, abs=1e-6)
    assert m.icc_2_1(a, b) == pytest.approx(0.752158, abs=1e-6)


def test_icc_2_1_counts_an_offset() -> None:
    a = RNG.normal(size=100)
    assert m.icc_2_1(a, a) == pytest.approx(1.0)
    assert m.icc_2_1(a, a + 2) < 0.5 < m.icc_3_1(a, a + 2)
    assert math.isnan(m.icc_2_1([1, 1, 1], [1, 1, 1]))
    assert math.isnan(m.icc_2_1([1], [1]))
    with pytest.raises(ValueError, match="lengths differ"):
        m.icc_2_1([1, 2], [1])


def test_icc_by_an_analysis_of_variance() -> None:
    # The mean squares from least squares on indicator columns in place of sums of squares.
    n = 30
    a = RNG.normal(size=n)
    table = np.column_stack([a, 0.6 * a + RNG.normal(size=n) * 0.5 + 0.8])
    y = table.reshape(-1)
    rows, columns = np.eye(n).repeat(2, axis=0), np.tile(np.eye(2), (n, 1))

    def left(*parts: np.ndarray) -> float:
        design = np.concatenate([np.ones((2 * n, 1)), *parts], axis=1)
        return float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum())

    residual = left(rows, columns)
    ems = residual / (n - 1)
    bms = (left(columns) - residual) / (n - 1)
    jms = left(rows) - residual
    assert m.icc_3_1_of(table) == pytest.approx((bms - ems) / (bms + ems))
    assert m.icc_2_1_of(table) == pytest.approx((bms - ems) / (bms + ems + 2 * (jms - ems) / n))


def test_concordance_by_hand() -> None:
    # Means 2 and 3, variances 2/3 and 2/3, covariance 2/3: 2 * 2/3 / (4/3 + 1).
    assert m.concordance([1, 2, 3], [2, 3, 4]) == pytest.approx(4 / 7)
    assert m.concordance([1, 2, 3], [1, 2, 3]) == pytest.approx(1.0)
    assert m.concordance([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)
    assert m.concordance([1, 1], [1, 2]) == 0.0
    assert math.isnan(m.concordance([1, 1], [1, 1]))
    assert math.isnan(m.concordance([], []))


def test_concordance_is_pearson_times_bias() -> None:
    # Lin's own decomposition, with scipy's correlation.
    stats = pytest.importorskip("scipy.stats")
    a = RNG.normal(size=80)
    b = 0.5 * a + RNG.normal(size=80) + 1
    v = a.std() / b.std()
    u = (a.mean() - b.mean()) / np.sqrt(a.std() * b.std())
    expected = stats.pearsonr(a, b)[0] * 2 / (v + 1 / v + u * u)
    assert m.concordance(a, b) == pytest.approx(expected)


def test_calls_by_hand() -> None:
    truth, said = [1, 1, 0, 0, 1], [1, 0, 1, 0, 1]
    assert m.precision(truth, said) == pytest.approx(2 / 3)
    assert m.recall(truth, said) == pytest.approx(2 / 3)
    assert m.balanced_accuracy_binary(truth, said) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert math.isnan(m.precision([1, 0], [0, 0]))
    assert math.isnan(m.recall([0, 0], [1, 0]))
    assert math.isnan(m.balanced_accuracy_binary([1, 1], [1, 0]))
    assert m.confusion_matrix([0, 0, 1, 2], [0, 2, 1, 1], 3).tolist() == [
        [1, 0, 1], [0, 1, 0], [0, 1, 0],
    ]  # fmt: skip
    assert m.confusion_matrix([], [], 2).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(ValueError, match="0 to 1"):
        m.confusion_matrix([0, 2], [0, 1], 2)
    with pytest.raises(ValueError, match="0 to 1"):
        m.confusion_matrix([0, 1], [0, -1], 2)


def test_classes_against_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    truth, said = RNG.integers(0, 4, 200), RNG.integers(0, 5, 200)
    assert m.f1_macro(truth, said) == pytest.approx(
        sklearn.f1_score(truth, said, average="macro", zero_division=0)
    )
    assert np.array_equal(
        m.confusion_matrix(truth, said, 5), sklearn.confusion_matrix(truth, said, labels=range(5))
    )
    yes, called = truth > 2, said > 2
    assert m.precision(yes, called) == pytest.approx(sklearn.precision_score(yes, called))
    assert m.recall(yes, called) == pytest.approx(sklearn.recall_score(yes, called))
    assert m.balanced_accuracy_binary(yes, called) == pytest.approx(
        sklearn.balanced_accuracy_score(yes, called)
    )
    assert m.mean_absolute_error(truth, said) == pytest.approx(
        sklearn.mean_absolute_error(truth, said)
    )


def test_every_metric_is_documented(root: Path) -> None:
    said = (root / "docs" / "metrics.md").read_text()
    own = [
        name
        for module in (m, reliability)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    ]
    helpers = {"icc_3_1_of", "icc_2_1_of", "nan_mean", "best_f1_threshold", "bin_of",
               "reliability_binary", "reliability_top_label"}  # fmt: skip
    public = {name for name in own if not name.startswith("_")} - helpers
    assert len(public) >= 18
    assert not {name for name in public if f"`{name}`" not in said}
