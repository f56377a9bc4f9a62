from __future__ import annotations

import numpy as np
import pytest

from norface.evaluation.reidentification import reidentify, wilson


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def people(count: int) -> np.ndarray:
    return np.array([f"person {i}" for i in range(count)])


def test_who_looks_the_same_is_always_found() -> None:
    gallery = np.eye(20)
    found = reidentify(gallery, people(20), gallery, people(20))
    assert (found.people, found.probes, found.gallery, found.chance) == (20, 20, 20, 0.05)
    assert (found.first.value, found.above.value, found.verified.value) == (1, 1, 1)
    # Twenty of twenty do not prove that nobody escapes.
    assert found.first.low == pytest.approx(0.8389, abs=1e-4)


def test_what_says_nothing_of_a_person_finds_nobody_more_often_than_chance() -> None:
    random = np.random.default_rng(0)
    gallery, probes = unit(random.normal(size=(100, 16))), unit(random.normal(size=(400, 16)))
    who = np.tile(people(100), 4)
    found = reidentify(probes, who, gallery, people(100))
    assert found.people == 100
    assert found.first.low <= 0.01 <= found.first.high
    assert found.first_five.low <= 0.05 <= found.first_five.high
    assert found.above.low <= 0.5 <= found.above.high
    assert found.verified.low <= 0.01 <= found.verified.high


def test_embeddings_that_are_all_the_same_find_nobody() -> None:
    same = np.ones((5, 3)) / np.sqrt(3)
    found = reidentify(same, people(5), same, people(5))
    assert (found.first.value, found.above.value, found.verified.value) == (0, 0.5, 0)


def test_figures_by_hand() -> None:
    gallery = np.array([[1.0, 0.0], [0.0, 1.0]])
    # One of the first person's three probes is more like the second; the second's is right.
    probes = unit(np.array([[1.0, 0.1], [1.0, 0.2], [0.1, 1.0], [0.0, 1.0]]))
    who = people(2)[[0, 0, 0, 1]]
    found = reidentify(probes, who, gallery, people(2))
    # Each person counts once.
    assert found.first.value == pytest.approx((2 / 3 + 1) / 2)
    assert found.above.value == pytest.approx((2 / 3 + 1) / 2)
    assert found.first_five.value == 1


@pytest.mark.parametrize(
    ("probe_people", "gallery_people", "match"),
    [
        (["a", "b"], ["a", "a"], "twice"),
        (["a", "c"], ["a", "b"], "not in the gallery: c"),
        ([], ["a", "b"], "at least two people"),
    ],
)
def test_what_cannot_be_asked(
    probe_people: list[str], gallery_people: list[str], match: str
) -> None:
    probes, gallery = np.ones((len(probe_people), 2)), np.ones((len(gallery_people), 2))
    with pytest.raises(ValueError, match=match):
        reidentify(probes, np.array(probe_people), gallery, np.array(gallery_people))


def test_wilsons_interval() -> None:
    # Values of Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for hits, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(hits / of, of) == pytest.approx((low, high), abs=1e-4)
