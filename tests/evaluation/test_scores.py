from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from norface.evaluation import metrics as m
from norface.evaluation import reliability as r
from norface.evaluation.predictions import Predictions, PredictionsError
from norface.evaluation.scores import score

Make = Callable[..., Predictions]


def _one_fold(p: Predictions) -> Predictions:
    return replace(p, fold=np.zeros_like(p.fold))


def test_presence_is_what_the_metrics_say(presences: Make) -> None:
    p = _one_fold(presences())
    scores = score(p, resamples=50)
    for i, label in enumerate(p.labels):
        truth, probability = p.truth[:, i] > 0, p.score[:, i]
        said = probability >= 0.5
        found = {name: figure.value for name, figure in scores.labels[label].items()}
        assert found == pytest.approx(
            {
                "f1": m.f1(truth, said),
                "precision": m.precision(truth, said),
                "recall": m.recall(truth, said),
                "accuracy": m.accuracy(truth, said),
                "balanced_accuracy": m.balanced_accuracy_binary(truth, said),
                "auc": m.roc_auc(truth, probability),
                "ece": r.expected_calibration_error_binary(truth, probability),
                "brier": r.brier_score(truth, probability),
            }
        )
        counts = scores.counts[label]
        assert counts["hits"] + counts["misses"] == truth.sum()
        assert counts["false_alarms"] == (said & ~truth).sum()
    for name, figure in scores.overall.items():
        assert figure.value == pytest.approx(
            np.mean([scores.labels[label][name].value for label in p.labels])
        )
        assert figure.low < figure.value < figure.high
    assert scores.reliability is not None
    # The probabilities are honest, so the error is what chance leaves.
    assert scores.reliability.expected_error < 0.05
    assert len(scores.by_subject) == scores.subjects == 12
    rows = p.subject == "S003"
    assert scores.by_subject["S003"] == pytest.approx(m.f1(p.truth[rows] > 0, p.score[rows] >= 0.5))


def test_intensity(intensities: Make) -> None:
    p = _one_fold(intensities())
    scores = score(p, resamples=50)
    figures = scores.labels["AU12"]
    truth, read = p.truth[:, 2], p.score[:, 2]
    assert figures["icc_3_1"].value == pytest.approx(m.icc_3_1(truth, read))
    assert figures["ccc"].value == pytest.approx(m.concordance(truth, read))
    assert scores.confusion is not None
    assert scores.levels is not None
    assert scores.confusion.sum() == scores.levels[:, 0].sum() == p.truth.size
    assert scores.levels[:, 1] == pytest.approx(np.arange(6), abs=0.2)
    assert scores.levels[:, 2] == pytest.approx(0.5, abs=0.2)
    assert scores.by_subject["S000"] == pytest.approx(np.abs(truth_error(p, "S000")).mean())


def truth_error(p: Predictions, subject: str) -> np.ndarray:
    rows = p.subject == subject
    return p.truth[rows] - p.score[rows]


def test_emotions_are_scored_together(emotions: Make) -> None:
    p = emotions()
    scores = score(p, resamples=50)
    true, said = p.truth.argmax(axis=1), p.score.argmax(axis=1)
    assert scores.overall["accuracy"].value == pytest.approx(m.accuracy(true, said))
    assert scores.overall["mean_recall"].value == pytest.approx(m.mean_recall(true, said))
    assert scores.overall["f1_macro"].value == pytest.approx(m.f1_macro(true, said))
    assert scores.overall["ece"].value == pytest.approx(
        r.expected_calibration_error_top_label(true, p.score)
    )
    assert scores.labels["fear"]["f1"].value == pytest.approx(m.f1(true == 4, said == 4))
    assert scores.subjects == len(p)
    assert scores.by_subject == {}
    assert scores.confusion is not None
    assert np.array_equal(scores.confusion, m.confusion_matrix(true, said, 7))


def test_folds_are_averaged(presences: Make) -> None:
    p = presences()
    scores = score(p, resamples=20)
    assert scores.folds == (0, 1, 2)
    by_hand = [m.f1(p.truth[p.fold == f, 0] > 0, p.score[p.fold == f, 0] >= 0.5) for f in range(3)]
    assert scores.labels["AU01"]["f1"].value == pytest.approx(np.mean(by_hand))
    each = [scores.by_fold[f]["f1"] for f in range(3)]
    assert scores.overall["f1"].value == pytest.approx(np.mean(each))
    assert scores.pooled["f1"] == pytest.approx(
        score(_one_fold(p), resamples=2).overall["f1"].value
    )
    assert scores.pooled["f1"] != pytest.approx(scores.overall["f1"].value, abs=1e-9)


def test_each_fold_may_have_thresholds_of_its_own(presences: Make) -> None:
    p = presences()
    own = np.array([0.3, 0.5, 0.7])[p.fold][:, None].repeat(3, axis=1)
    scores = score(replace(p, threshold=own), resamples=5)
    for fold, threshold in enumerate((0.3, 0.5, 0.7)):
        rows = p.fold == fold
        alone = score(replace(p, threshold=np.full_like(own, threshold)).chosen(rows), resamples=5)
        assert scores.by_fold[fold]["f1"] == pytest.approx(alone.overall["f1"].value)


def test_undefined_units_are_counted(presences: Make) -> None:
    p = _one_fold(presences())
    truth, read = p.truth.copy(), p.score.copy()
    truth[:, 1], read[:, 1] = 0, 0.1
    scores = score(replace(p, truth=truth, score=read), resamples=20)
    assert np.isnan(scores.labels["AU04"]["f1"].value)
    assert np.isnan(scores.labels["AU04"]["f1"].low)
    assert scores.overall["f1"].undefined == 1
    others = [scores.labels[label]["f1"].value for label in ("AU01", "AU12")]
    assert scores.overall["f1"].value == pytest.approx(np.mean(others))


def test_frames_without_a_reading(presences: Make, emotions: Make) -> None:
    p = _one_fold(presences())
    read = p.score.copy()
    read[::4] = np.nan
    lost = replace(p, score=read)
    scores = score(lost, resamples=20)
    assert scores.scored == len(p) * 3 // 4
    called = np.nan_to_num(read[:, 0]) >= 0.5
    assert scores.labels["AU01"]["f1_all"].value == pytest.approx(m.f1(p.truth[:, 0] > 0, called))
    assert scores.labels["AU01"]["f1_all"].value < scores.labels["AU01"]["f1"].value
    e = emotions()
    read = e.score.copy()
    read[:100] = np.nan
    scores = score(replace(e, score=read), resamples=20)
    rest = m.accuracy(e.truth[100:].argmax(axis=1), read[100:].argmax(axis=1))
    assert scores.overall["accuracy"].value == pytest.approx(rest)
    assert scores.overall["accuracy_all"].value == pytest.approx(rest * 2 / 3)


def test_a_zero_threshold_does_not_call_what_was_not_read(presences: Make) -> None:
    p = _one_fold(presences())
    read = p.score.copy()
    read[::4] = np.nan
    scores = score(replace(p, score=read, threshold=np.zeros_like(read)), resamples=5)
    rows = np.arange(len(p)) % 4 > 0
    assert scores.labels["AU01"]["f1_all"].value == pytest.approx(m.f1(p.truth[:, 0] > 0, rows))


def test_frames_without_a_truth_do_not_count(intensities: Make) -> None:
    p = _one_fold(intensities())
    truth = p.truth.copy()
    truth[p.subject == "S001"] = np.nan
    scores = score(replace(p, truth=truth), resamples=20)
    assert scores.subjects == 11
    assert "S001" not in scores.by_subject
    with pytest.raises(PredictionsError, match="nothing to score"):
        score(replace(p, truth=np.full_like(truth, np.nan)))


def test_same_seed_same_scores(presences: Make) -> None:
    p = presences()
    assert score(p, seed=3, resamples=20).overall == score(p, seed=3, resamples=20).overall
    assert score(p, seed=3, resamples=20).overall != score(p, seed=4, resamples=20).overall
