"""Metrics against published examples, hand formulas, and other libraries where installed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from norface.evaluation import metrics as m

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
