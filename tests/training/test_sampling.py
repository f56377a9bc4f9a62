"""Each sample once before any twice."""

from __future__ import annotations

import numpy as np

from norface.training.sampling import in_epochs


def test_each_once_a_pass() -> None:
    samples = np.arange(10, 17)
    drawn = np.concatenate([in_epochs(samples, count=3, step=step, seed=1) for step in range(14)])
    for epoch in range(6):
        assert sorted(drawn[7 * epoch : 7 * epoch + 7]) == list(samples)
    assert list(drawn[:7]) != list(drawn[7:14])
    assert np.array_equal(drawn[9:12], in_epochs(samples, count=3, step=3, seed=1))


def test_more_than_there_are_or_none() -> None:
    samples = np.arange(2)
    assert sorted(in_epochs(samples, count=6, step=0, seed=0)) == [0, 0, 0, 1, 1, 1]
    assert len(in_epochs(samples[:0], count=0, step=0, seed=0)) == 0
