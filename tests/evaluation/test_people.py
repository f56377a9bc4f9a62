from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from norface.evaluation.people import (
    baselines,
    compare_people,
    shares_of_variance,
    without_baseline,
)
from norface.evaluation.predictions import Predictions, PredictionsError
from norface.evaluation.scores import score

Make = Callable[..., Predictions]


def test_shares_are_those_that_were_put_in(intensities: Make) -> None:
    p = intensities(people=300, frames=20, person=0.8, noise=0.6)
    for shares in shares_of_variance(p).values():
        total = p.truth.var(axis=0).mean() + 0.8**2 + 0.6**2
        assert shares.person == pytest.approx(0.64 / total, abs=0.03)
        assert shares.rest == pytest.approx(0.36 / total, abs=0.02)
        assert shares.expression + shares.person + shares.rest == pytest.approx(1.0)
        assert shares.variance == pytest.approx(total, rel=0.07)


def test_someone_who_smiles_often_is_not_a_smiler_by_nature() -> None:
    # Truth differs much between people, readings only by the truth.
    random = np.random.default_rng(0)
    place = np.repeat(np.arange(40), 50)
    truth = (random.random(2000) < np.linspace(0.05, 0.95, 40)[place]) * 3.0
    p = Predictions.of(
        "intensity", ["AU12"], truth=truth[:, None],
        score=(0.5 * truth + 0.3 * random.normal(size=2000))[:, None],
        path=place.astype(str), frame=np.tile(np.arange(50), 40), subject=place.astype(str),
    )  # fmt: skip
    shares = shares_of_variance(p)["AU12"]
    assert shares.person < 0.01
    assert shares.expression == pytest.approx(0.25 * truth.var() / (0.25 * truth.var() + 0.09),
                                              abs=0.03)  # fmt: skip


def test_share_of_people_against_scipy() -> None:
    # Groups of equal size and a constant truth: ICC(1) from the F of scipy's analysis of variance.
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(1)
    groups = random.normal(size=(8, 1)) + random.normal(size=(8, 6))
    p = Predictions.of(
        "intensity", ["AU12"], truth=np.ones((48, 1)), score=groups.reshape(-1, 1),
        path=np.arange(48).astype(str), subject=np.repeat(np.arange(8), 6).astype(str),
    )  # fmt: skip
    f = stats.f_oneway(*groups).statistic
    shares = shares_of_variance(p)["AU12"]
    assert shares.person == pytest.approx((f - 1) / (f + 5))
    assert shares.expression == 0.0


def test_shares_can_be_undefined(intensities: Make) -> None:
    p = intensities(people=1)
    assert np.isnan(shares_of_variance(p)["AU12"].person)
    p = intensities(people=5, frames=1)
    assert np.isnan(shares_of_variance(p)["AU12"].person)
    p = intensities()
    flat = shares_of_variance(replace(p, score=np.ones_like(p.score)))
    assert np.isnan(flat["AU12"].expression)


@pytest.mark.parametrize("kind", ["given", "quantile", "mode"])
def test_a_baseline_takes_the_person_away(intensities: Make, kind: str) -> None:
    p = intensities(people=20, frames=60, person=1.0, noise=0.1)
    p = replace(p, score=p.score + 3)  # nobody's rest lies below 0, where it would be cut
    calibrated = without_baseline(p, kind)  # type: ignore[arg-type]
    table = compare_people({"as read": p, "calibrated": calibrated})
    for label in p.labels:
        assert table["as read"][label].person > 0.05
        assert table["calibrated"][label].person < 0.01
        assert table["calibrated"][label].expression > 0.95
    before, after = score(p, resamples=5), score(calibrated, resamples=5)
    assert after.overall["icc_3_1"].value > before.overall["icc_3_1"].value + 0.05
    assert after.overall["mae"].value < 0.3


def test_given_frames_are_not_scored(intensities: Make) -> None:
    p = intensities(people=4)
    assert len(without_baseline(p, "given")) == len(p) - 4
    assert len(without_baseline(p, "mode")) == len(p)
    lost = replace(p, neutral=p.neutral & (p.subject != "S002"))
    with pytest.raises(PredictionsError, match="S002 has no frame marked neutral"):
        without_baseline(lost, "given")


def test_baselines_by_hand() -> None:
    p = Predictions.of(
        "intensity", ["AU12"], truth=np.zeros((6, 1)),
        score=[[1], [1.1], [1.2], [3], [4], [np.nan]],
        path=list("abcdef"), subject=["x"] * 6, neutral=[0, 0, 0, 1, 1, 0],
    )  # fmt: skip
    assert baselines(p, "given")["x"] == pytest.approx([3.5])
    assert baselines(p, "mode")["x"] == pytest.approx([1.1])
    assert baselines(p, "quantile")["x"] == pytest.approx([1.08])


def test_presence_keeps_probabilities(presences: Make) -> None:
    p = presences()
    random = np.random.default_rng(0)
    shift = random.normal(size=12).repeat(40)[:, None]
    odds = np.log(p.score / (1 - p.score)) + 2 * shift
    shifted = replace(p, score=1 / (1 + np.exp(-odds)))
    calibrated = without_baseline(shifted, "mode")
    assert ((calibrated.score > 0) & (calibrated.score < 1)).all()
    before, after = (score(x, resamples=2).overall["auc"].value for x in (shifted, calibrated))
    assert after > before + 0.03


def test_what_has_no_people_is_refused(emotions: Make, intensities: Make) -> None:
    with pytest.raises(PredictionsError, match="emotion has no neutral baseline"):
        without_baseline(emotions(), "mode")
    with pytest.raises(PredictionsError, match="no variance"):
        shares_of_variance(emotions())
    p = intensities()
    nobody = replace(p, subject=np.full(len(p), ""))
    for function in (shares_of_variance, lambda x: without_baseline(x, "mode")):
        with pytest.raises(PredictionsError, match="needs the subject"):
            function(nobody)


def test_only_common_frames_are_compared(intensities: Make) -> None:
    p = intensities()
    half = p.chosen(np.arange(len(p)) % 2 == 0)
    shuffled = p.chosen(np.random.default_rng(0).permutation(len(p)))
    table = compare_people({"half": half, "all": shuffled})
    assert table["half"]["AU12"].person == pytest.approx(table["all"]["AU12"].person)
    with pytest.raises(PredictionsError, match="no frame is in all"):
        compare_people({"a": half, "b": p.chosen(np.arange(len(p)) % 2 == 1)})
    other = replace(half, truth=half.truth * 0)
    with pytest.raises(PredictionsError, match="another truth"):
        compare_people({"a": half, "b": other})
