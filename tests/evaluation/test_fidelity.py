from __future__ import annotations

import numpy as np
import pytest

from norface.evaluation.fidelity import fidelity
from norface.evaluation.metrics import icc_2_1, icc_3_1, mean_absolute_error, pearson

NAMES = ("AU01", "AU12", "AU25")


def readings(faces: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    before = random.uniform(0, 5, (faces, 3))
    before[:, 0] = 0.02 * before[:, 0]  # hardly ever there
    after = 0.7 * before + random.normal(0, 0.4, before.shape)
    return before, after, np.array([f"p{i % 20}" for i in range(faces)])


def test_figures_are_those_of_the_metrics() -> None:
    before, after, people = readings()
    found = fidelity(NAMES, before, after, None, people)
    for i, name in enumerate(NAMES):
        x, y, unit = before[:, i], after[:, i], found.units[name]
        for metric, formula in (
            ("pearson", pearson),
            ("icc_3_1", icc_3_1),
            ("icc_2_1", icc_2_1),
            ("mae", mean_absolute_error),
        ):
            figure = unit.figures[metric]
            assert figure.value == pytest.approx(formula(x, y))
            assert figure.low < figure.value < figure.high
        assert (unit.before, unit.after) == pytest.approx((x.mean(), y.mean()))
    assert [unit.seldom for unit in found.units.values()] == [True, False, False]
    expected = np.mean([pearson(before[:, i], after[:, i]) for i in (1, 2)])
    assert found.mean["pearson"] == pytest.approx(expected)
    assert found.emotion is None


def test_readings_that_are_the_same_agree() -> None:
    before, _, people = readings()
    emotions = np.arange(60) % 8
    found = fidelity(NAMES, before, before, (emotions, emotions), people)
    assert found.mean["icc_2_1"] == pytest.approx(1)
    assert found.mean["mae"] == 0
    assert found.emotion is not None
    assert found.emotion.value == 1
    assert found.kappa == pytest.approx(1)


def test_agreement_of_emotions_by_hand() -> None:
    before, after = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    none = np.zeros((4, 0))
    found = fidelity((), none, none, (before, after), np.array(["a", "b", "c", "d"]))
    assert found.emotion is not None
    assert found.emotion.value == 0.75
    assert found.kappa == pytest.approx(0.5)
    assert found.confusion[0, :2].tolist() == [2, 1]
    assert not found.units
