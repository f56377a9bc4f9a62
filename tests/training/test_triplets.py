from __future__ import annotations

import numpy as np

from norface.training.triplets import action_distance, triplets_by_actions, triplets_by_label


def test_odd_one_out_by_actions() -> None:
    # Two closed mouths, three open ones; the second action tells two of these apart a little.
    actions = np.array([[0, 0], [0.05, 0], [1, 0], [1, 0.1], [0.95, 0]], np.float32)
    known = np.ones_like(actions, bool)
    found = triplets_by_actions(actions, known, np.random.default_rng(0), count=200, gap=0.2)
    assert len(found) == 200
    for one, other, odd in found:
        assert (one < 2) == (other < 2) != (odd < 2)
        assert len({one, other, odd}) == 3


def test_unclear_triplets_are_left_out() -> None:
    actions = np.eye(6, dtype=np.float32)
    known = np.ones_like(actions, bool)
    found = triplets_by_actions(actions, known, np.random.default_rng(0), count=50, gap=0.2)
    assert found.shape == (0, 3)
    assert triplets_by_actions(actions[:2], known[:2], np.random.default_rng(0), count=5, gap=0
    ).shape == (0, 3)  # fmt: skip


def test_distance_over_what_both_know() -> None:
    actions = np.array([[0.0, 0.5], [0.3, 0.1], [0.3, np.nan]], np.float32)
    known = np.array([[True, True], [True, True], [True, False]])
    distance = action_distance(actions, known)
    np.testing.assert_allclose(distance[0], [0.0, 0.5, 0.3], atol=1e-6)
    np.testing.assert_allclose(distance[1, 2], 0.0, atol=1e-6)


def test_odd_one_out_by_label() -> None:
    labels = np.array([4, 4, -1, -1, 9])
    found = triplets_by_label(labels, np.random.default_rng(0), count=100)
    assert len(found) > 30
    one, other, odd = labels[found].T
    assert (one == other).all()
    assert (one != odd).all()
    assert len(triplets_by_label(np.zeros(4, int), np.random.default_rng(0), count=9)) == 0
