"""Intervals over subjects: seeded, wider than over frames, and right about as often as they say."""

from __future__ import annotations

import time

import numpy as np
import pytest

from norface.evaluation import sums
from norface.evaluation.bootstrap import SubjectBootstrap, subject_interval
from norface.evaluation.metrics import mean_absolute_error, roc_auc


def _people(
    random: np.random.Generator, people: int, frames: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Subject, truth and reading: a person's errors have an offset in common; the MSE is 1.25."""
    subject = np.repeat(np.arange(people), frames)
    truth = random.normal(size=people * frames)
    error = random.normal(size=people)[subject] + 0.5 * random.normal(size=people * frames)
    return subject.astype(str), truth, truth + error


def _mse_interval(subject: np.ndarray, truth: np.ndarray, read: np.ndarray) -> tuple[float, float]:
    boot = SubjectBootstrap(subject, resamples=300)
    drawn = boot.draw(boot.of_subjects(sums.of_pairs(truth, read)))
    value = float(((truth - read) ** 2).mean())
    return boot.interval(sums.apply(sums.PAIRS, drawn)["mse"], value)


def test_same_seed_same_interval() -> None:
    subject, truth, read = _people(np.random.default_rng(0), 10, 5)

    def once(seed: int) -> tuple[float, float]:
        return subject_interval(
            subject, lambda i: mean_absolute_error(truth[i], read[i]), seed=seed, resamples=50
        )

    assert once(1) == once(1)
    assert once(1) != once(2)


def test_the_slow_and_the_fast_way_agree() -> None:
    subject, truth, read = _people(np.random.default_rng(0), 12, 5)
    fast = _mse_interval(subject, truth, read)
    slow = subject_interval(subject, lambda i: ((truth[i] - read[i]) ** 2).mean(), resamples=300)
    assert fast == pytest.approx(slow)


def test_subjects_not_frames() -> None:
    subject, truth, read = _people(np.random.default_rng(1), 20, 50)
    over_subjects = _mse_interval(subject, truth, read)
    over_frames = _mse_interval(np.full(len(subject), ""), truth, read)
    assert np.diff(over_subjects) > 3 * np.diff(over_frames)


@pytest.mark.parametrize(("people", "least"), [(15, 0.84), (40, 0.89)])
def test_coverage(people: int, least: float) -> None:
    held = frames_held = 0
    for seed in range(200):
        subject, truth, read = _people(np.random.default_rng(seed), people, 8)
        low, high = _mse_interval(subject, truth, read)
        held += low <= 1.25 <= high
        if seed < 60:
            low, high = _mse_interval(np.full(len(subject), ""), truth, read)
            frames_held += low <= 1.25 <= high
    # A squared normal is skewed, hence somewhat below 95 %; over frames it is far below.
    assert least <= held / 200 <= 0.99
    assert frames_held / 60 < 0.75


def test_few_subjects_or_values_have_no_interval() -> None:
    one = SubjectBootstrap(["a"] * 5, resamples=20)
    assert np.isnan(one.interval(np.ones(20), 1.0)).all()
    two = SubjectBootstrap(["a", "b"], resamples=20)
    assert np.isnan(two.interval(np.full(20, np.nan), 1.0)).all()
    assert np.isnan(two.interval(np.ones(20), np.nan)).all()
    assert two.interval(np.ones(20), 1.0) == (1.0, 1.0)


def test_draws_are_moved_to_the_figure_and_kept_in_range() -> None:
    boot = SubjectBootstrap(np.arange(30).astype(str), resamples=101)
    low, high = boot.interval(np.linspace(0.5, 0.7, 101), 0.4)
    assert 0.3 <= low < 0.31
    assert 0.49 < high <= 0.5
    low, high = boot.interval(np.linspace(0.1, 0.3, 101), 0.02)
    assert low == 0.0
    low, high = boot.interval(np.linspace(0.7, 0.9, 101), 0.98)
    assert high == 1.0


def test_auc_over_cells_is_auc_over_frames() -> None:
    random = np.random.default_rng(5)
    subject = random.integers(0, 15, 900).astype(str)
    truth = random.random(900) < 0.2
    score = truth * 0.8 + random.normal(size=900)
    boot = SubjectBootstrap(subject, resamples=200)
    cells = boot.cells_of_subjects(sums.rank_cells(truth, score), 2 * sums.RANK_CELLS)
    fast = boot.interval(sums.apply(sums.RANKS, boot.draw(cells))["auc"], roc_auc(truth, score))
    slow = subject_interval(subject, lambda i: roc_auc(truth[i], score[i]), resamples=200)
    assert fast == pytest.approx(slow, abs=0.003)


def test_a_hundred_thousand_frames_are_quick() -> None:
    subject, truth, read = _people(np.random.default_rng(0), 40, 2500)
    start = time.perf_counter()
    boot = SubjectBootstrap(subject)
    boot.draw(boot.of_subjects(sums.of_pairs(truth, read)))
    assert time.perf_counter() - start < 5
