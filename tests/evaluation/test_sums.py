"""Metrics from sums are the metrics; draws are what resampling the frames would give."""

from __future__ import annotations

import numpy as np
import pytest

from norface.evaluation import metrics as m
from norface.evaluation import reliability as r
from norface.evaluation import sums
from norface.evaluation.bootstrap import SubjectBootstrap

RNG = np.random.default_rng(3)
N = 300
TRUTH, SCORE = RNG.random(N) < 0.3, RNG.random(N)
X = RNG.integers(0, 6, N).astype(float)
Y = 0.6 * X + RNG.normal(0, 0.7, N) + 40


def test_calls() -> None:
    values = sums.apply(sums.CALLS, sums.of_calls(TRUTH, SCORE > 0.4).sum(axis=0))
    said = SCORE > 0.4
    assert values["f1"] == pytest.approx(m.f1(TRUTH, said))
    assert values["precision"] == pytest.approx(m.precision(TRUTH, said))
    assert values["recall"] == pytest.approx(m.recall(TRUTH, said))
    assert values["accuracy"] == pytest.approx(m.accuracy(TRUTH, said))
    assert values["balanced_accuracy"] == pytest.approx(m.balanced_accuracy_binary(TRUTH, said))


def test_pairs_also_far_from_zero() -> None:
    for shift in (0.0, 1e6):
        values = sums.apply(sums.PAIRS, sums.of_pairs(X + shift, Y + shift).sum(axis=0))
        assert values["icc_3_1"] == pytest.approx(m.icc_3_1(X, Y))
        assert values["icc_2_1"] == pytest.approx(m.icc_2_1(X, Y))
        assert values["mse"] == pytest.approx(m.mean_squared_error(X, Y))
        assert values["mae"] == pytest.approx(m.mean_absolute_error(X, Y))
        assert values["pearson"] == pytest.approx(m.pearson(X, Y))
        assert values["ccc"] == pytest.approx(m.concordance(X, Y))


def test_probabilities_and_ranks() -> None:
    values = sums.apply(sums.PROBABILITIES, sums.of_probability(TRUTH, SCORE).sum(axis=0))
    assert values["ece"] == pytest.approx(r.expected_calibration_error_binary(TRUTH, SCORE))
    assert values["brier"] == pytest.approx(r.brier_score(TRUTH, SCORE))
    coarse = np.round(SCORE, 2)  # no more different scores than cells: exact
    histogram = np.bincount(sums.rank_cells(TRUTH, coarse), minlength=2 * sums.RANK_CELLS)
    assert sums.apply(sums.RANKS, histogram.astype(float))["auc"] == pytest.approx(
        m.roc_auc(TRUTH, coarse)
    )
    histogram = np.bincount(sums.rank_cells(TRUTH, SCORE), minlength=2 * sums.RANK_CELLS)
    assert sums.apply(sums.RANKS, histogram.astype(float))["auc"] == pytest.approx(
        m.roc_auc(TRUTH, SCORE), abs=2e-3
    )


def test_classes() -> None:
    true, said = RNG.integers(0, 3, N), RNG.integers(0, 4, N)
    matrix = m.confusion_matrix(true, said, 4).reshape(-1).astype(float)
    values = sums.apply(sums.CLASSES, matrix)
    assert values["accuracy"] == pytest.approx(m.accuracy(true, said))
    assert values["mean_recall"] == pytest.approx(m.mean_recall(true, said))
    assert values["f1_macro"] == pytest.approx(m.f1_macro(true, said))


def test_undefined_is_nan() -> None:
    nothing = np.zeros((2, 4))
    assert all(np.isnan(v).all() for v in sums.apply(sums.CALLS, nothing).values())
    assert all(np.isnan(v).all() for v in sums.apply(sums.PAIRS, np.zeros((2, 7))).values())
    constant = sums.of_pairs(np.ones(5), np.ones(5)).sum(axis=0)
    assert np.isnan(sums.apply(sums.PAIRS, constant)["icc_2_1"])


def test_a_draw_is_the_metric_of_its_frames() -> None:
    subject = RNG.integers(0, 7, N).astype(str)
    boot = SubjectBootstrap(subject, seed=1, resamples=5)
    drawn = sums.apply(sums.CALLS, boot.draw(boot.of_subjects(sums.of_calls(TRUTH, SCORE > 0.5))))
    for draw, counts in enumerate(boot.counts):
        assert counts.sum() == 7
        rows = np.repeat(np.arange(N), counts[boot.place])
        assert drawn["f1"][draw] == pytest.approx(m.f1(TRUTH[rows], SCORE[rows] > 0.5))


def test_cells_and_columns_agree() -> None:
    boot = SubjectBootstrap(RNG.integers(0, 7, N).astype(str), resamples=3)
    cell = RNG.integers(0, 4, N)
    rows = np.flatnonzero(TRUTH)
    assert np.array_equal(
        boot.cells_of_subjects(cell[rows], 4, rows), boot.of_subjects(np.eye(4)[cell[rows]], rows)
    )
