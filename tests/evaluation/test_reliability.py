from __future__ import annotations

import math

import numpy as np
import pytest

from norface.evaluation import reliability as r

RNG = np.random.default_rng(2)


def test_expected_calibration_error_by_hand() -> None:
    # Bins of a half: 0.2 and 0.4 (mean 0.3, one of two true), 0.9 (true).
    error = r.expected_calibration_error_binary([0, 1, 1], [0.2, 0.4, 0.9], bins=2)
    assert error == pytest.approx((2 * abs(0.5 - 0.3) + abs(1 - 0.9)) / 3)
    assert r.expected_calibration_error_binary([0, 1], [0.0, 1.0]) == 0.0
    assert math.isnan(r.expected_calibration_error_binary([], []))
    assert math.isnan(r.expected_calibration_error_top_label([], np.zeros((0, 3))))


def test_bins_against_scikit_learn() -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    probability = np.round(RNG.random(500), 1)  # on the edges of the bins
    truth = RNG.random(500) < probability**2
    bins = r.reliability_binary(truth, probability)
    frequency, mean = calibration.calibration_curve(truth, probability, n_bins=10)
    filled = bins.count > 0
    assert np.allclose(bins.frequency[filled], frequency)
    assert np.allclose(bins.probability[filled], mean)
    assert bins.count.sum() == 500
    assert np.isnan(bins.frequency[~filled]).all()


def test_brier_against_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    truth, probability = RNG.random(90) < 0.4, RNG.random(90)
    expected = sklearn.brier_score_loss(truth, probability)
    assert r.brier_score(truth, probability) == pytest.approx(expected)
    assert math.isnan(r.brier_score([], []))


def test_top_label() -> None:
    probability = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.65, 0.35, 0.0]])
    # Right, wrong, wrong, all between 0.6 and 0.7; 0.6 belongs to the bin below.
    error = r.expected_calibration_error_top_label([0, 2, 1], probability)
    assert error == pytest.approx((2 * abs(0.5 - 0.675) + abs(0 - 0.6)) / 3)


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match=r"0\.\.1"):
        r.reliability_binary([1], [1.2])
    with pytest.raises(ValueError, match=r"0\.\.1"):
        r.reliability_binary([1], [float("nan")])
    with pytest.raises(ValueError, match="lengths differ"):
        r.brier_score([1], [0.1, 0.2])
