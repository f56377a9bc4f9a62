"""The person in several readings of the same frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from norface.data.sample import DataSet, Sample
from norface.evaluation.bootstrap import subject_interval
from norface.evaluation.matrix.compare import compare, guess
from norface.evaluation.people import mean_shares, shares_of_variance
from norface.evaluation.people_compared import people_of
from norface.evaluation.predictions import Predictions

Make = Callable[..., Predictions]

EMPTY = DataSet(name="x", root=Path(), samples=())


def of_set(p: Predictions, neutral: np.ndarray) -> DataSet:
    """A set whose samples are the frames of a table, some of them neutral."""
    samples = tuple(
        Sample(path=Path(path), frame=frame, emotion="neutral" if rests else None)
        for path, frame, rests in zip(p.path, p.frame.tolist(), neutral, strict=True)
    )
    return DataSet(name="x", root=Path(), samples=samples)


def test_models_stand_side_by_side_with_and_without_baselines(intensities: Make) -> None:
    original = intensities(people=40, frames=40, person=1.0)
    normalized = intensities(people=40, frames=40, person=0.3)
    read = {"original": original, "normalized": normalized}
    found = people_of(read, ("quantile", "mode"), EMPTY)
    mean = {name: mean_shares(labels).person for name, labels in found.shares.items()}
    assert list(mean) == [
        "original", "original, quantile baseline", "original, mode baseline",
        "normalized", "normalized, quantile baseline", "normalized, mode baseline",
    ]  # fmt: skip
    total = original.truth.var() + 1.0 + 0.25
    assert mean["original"] == pytest.approx(1.0 / total, abs=0.08)
    assert mean["normalized"] < 0.3 * mean["original"]
    assert mean["original, mode baseline"] < 0.2 * mean["original"]
    assert "without any label" in found.notes[0]
    for name, figure in found.mean.items():
        assert figure.value == mean[name]
        assert figure.low < figure.value < figure.high
    change = found.change["normalized"]
    assert change.value == pytest.approx(mean["normalized"] - mean["original"])
    assert change.high < 0
    assert "original" not in found.change


def test_an_interval_of_the_person_is_that_of_draws_of_frames(intensities: Make) -> None:
    p = intensities(people=9, frames=30, person=0.5).only(["AU12"])
    figure = people_of({"a": p}, (), EMPTY).mean["a"]

    def person(rows: np.ndarray) -> float:
        # A subject who is drawn twice is two people.
        copies = np.char.add(p.subject[rows], (np.arange(len(rows)) // 30).astype(str))
        drawn = Predictions.of(
            "intensity", p.labels, truth=p.truth[rows], score=p.score[rows], subject=copies,
            path=np.arange(len(rows)).astype(str),
        )  # fmt: skip
        return mean_shares(shares_of_variance(drawn)).person

    assert subject_interval(p.subject, person) == pytest.approx((figure.low, figure.high))


def test_given_baselines_are_of_those_who_have_one(intensities: Make) -> None:
    p = replace(intensities(people=10, frames=20, person=1.0, noise=0.1),
                neutral=np.zeros(200, bool))  # fmt: skip
    rests = np.arange(200) % 20 == 0
    found = people_of({"a": p}, ("given",), of_set(p, rests & (np.arange(200) < 160)))
    assert "2 people without one are left out" in found.notes[0]
    as_read, less = (mean_shares(found.shares[v]).person for v in ("a", "a, given baseline"))
    assert less < 0.1 < as_read
    none = people_of({"a": p}, ("given",), of_set(p, np.zeros(200, bool)))
    assert not none.shares
    assert "marks no face as neutral" in none.notes[0]


def test_emotions_and_unnamed_people_have_none(emotions: Make, presences: Make) -> None:
    assert not people_of({"a": emotions()}, ("quantile",), EMPTY).shares
    p = presences()
    unnamed = replace(p, subject=np.full(len(p), ""))
    assert not people_of({"a": unnamed}, ("quantile",), EMPTY).shares


def test_the_labels_of_all_are_compared(presences: Make) -> None:
    p = presences()
    found = compare({"all": p, "two": p.only(["AU01", "AU12"])}, (), EMPTY)
    assert found.labels == ("AU01", "AU12")
    assert found.figures["all"]["f1"].value == found.figures["two"]["f1"].value
    assert set(found.people.shares["all"]) == {"AU01", "AU12"}
    apart = compare({"a": p.only(["AU01"]), "b": p.only(["AU04"])}, (), EMPTY)
    assert apart.labels == ()
    assert not apart.figures


def test_a_guess_sees_no_face(presences: Make, emotions: Make, intensities: Make) -> None:
    p = Predictions.of(
        "presence", ["AU01", "AU02"], truth=[[1, 0], [0, 0], [0, np.nan], [1, 1]],
        score=np.full((4, 2), 0.2), path=list("abcd"),
    )  # fmt: skip
    # 2 of 4 present: F1 2/3; 1 of 3 present: F1 1/2.
    assert guess(p) == pytest.approx((2 / 3 + 1 / 2) / 2)
    e = emotions()
    assert guess(e) == pytest.approx(np.bincount(e.truth.argmax(axis=1)).max() / len(e))
    assert guess(intensities()) == 0.0
