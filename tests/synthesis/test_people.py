"""Random people: evenly spread, repeatable, and plausible heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from norface.synthesis.body.head import Shape, head_model
from norface.synthesis.people import AGES, TONES, Person, person_of, random_person


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [random_person(seed) for seed in range(3000)]


def chi_square(values: np.ndarray, bins: int, ends: tuple[float, float]) -> float:
    counts = np.histogram(values, bins, ends)[0]
    expected = len(values) / bins
    return float(((counts - expected) ** 2 / expected).sum())


def test_ages_genders_and_tones_are_even(people: list[Person]) -> None:
    ages = np.array([p.shape.age for p in people])
    tones = np.array([p.tone for p in people])
    genders = np.array([p.shape.gender for p in people])
    # 99.9 % quantiles of chi square with 8 and 1 degrees of freedom.
    assert chi_square(ages, 9, AGES) < 26.1
    assert chi_square(tones, 9, TONES) < 26.1
    assert chi_square((genders > 0.5).astype(float), 2, (0, 1)) < 10.8
    assert ages.min() >= 18
    assert ages.max() <= 90


def test_ancestries_are_about_even_and_fit_the_tone(people: list[Person]) -> None:
    ancestry = np.array([p.shape.ancestry for p in people])
    tones = np.array([p.tone for p in people])
    assert ancestry.sum(axis=1) == pytest.approx(1.0)
    share = np.bincount(ancestry.argmax(axis=1), minlength=3) / len(people)
    assert share.min() > 0.28, share
    african, _, european = (tones[ancestry.argmax(axis=1) == i] for i in range(3))
    assert african.mean() > european.mean() + 3


def test_an_attribute_that_is_given_is_kept_and_leaves_the_others() -> None:
    one, other = random_person(5), person_of(5, age=33.0)
    assert other.shape.age == 33.0
    assert one.shape.age != 33.0
    assert (one.tone, one.shape.gender, one.shape.ancestry) == (
        other.tone, other.shape.gender, other.shape.ancestry,
    )  # fmt: skip
    assert np.array_equal(one.shape.local, other.shape.local)
    dark = person_of(5, gender=0.9, tone=9.5)
    assert (dark.shape.gender, dark.tone) == (0.9, 9.5)
    assert sum(dark.skin.colour) < sum(person_of(5, gender=0.9, tone=1.5).skin.colour)


def test_attributes_shape_the_head() -> None:
    head = head_model()
    people = [random_person(i) for i in range(40)]
    heads = np.stack([head.neutral(p.shape) for p in people])
    assert np.isfinite(heads).all()
    spread = heads.std(axis=0)[head.vertices_of("skin")].mean()
    assert 0.01 < spread < 0.15  # decimetres
    local = np.zeros_like(people[0].shape.local)
    shape = Shape(0.5, 30.0, 0.5, 0.5, (0.3, 0.3, 0.4), local)
    chin = np.flatnonzero((np.abs(head.mean[:, 1] + 1.0) < 0.08) & (head.mean[:, 2] > -0.5))
    width = {
        gender: np.ptp(head.neutral(replace(shape, gender=gender))[chin, 0]) for gender in (0, 1)
    }
    # Men's chins are wider.
    assert width[1] > width[0] + 0.02
