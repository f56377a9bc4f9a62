"""The scores of a table of predictions: each label, all together, each fold, each subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.evaluation.bootstrap import RESAMPLES, SubjectBootstrap
from norface.evaluation.drawn import Drawn, mean_of, of_classes, of_label, of_subjects
from norface.evaluation.metrics import confusion_matrix
from norface.evaluation.predictions import Predictions, PredictionsError
from norface.evaluation.reliability import Reliability, reliability_binary, reliability_top_label
from norface.facs import MAXIMUM_INTENSITY

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_LEVELS = int(MAXIMUM_INTENSITY) + 1


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval over subjects.

    Attributes:
        value: NaN where it is undefined.
        low: the 95 % interval's lower end; NaN where there is none.
        high: its upper end.
        undefined: how many parts of the mean (labels, or folds) had no value and are left out.
    """

    value: float
    low: float
    high: float
    undefined: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Everything that a report says of a table of predictions.

    Attributes:
        predictions: the table.
        scored: frames with a truth and a score.
        subjects: how many people; the frames where the set names none.
        resamples: how often they were drawn for the intervals.
        folds: their numbers, in order. With more than one, every figure is the mean of the folds'
            figures, as the field's protocols have it.
        overall: by metric: means over the labels, or for emotions the metrics of all classes.
        pooled: the same with the frames of all folds together.
        by_fold: by fold and metric, what `overall` is the mean of.
        labels: by label and metric; of an emotion, the class against all others.
        counts: by label, frames of all folds: ``frames``, and for presence and emotion ``hits``,
            ``false_alarms``, ``misses``, ``rejections``.
        by_subject: F1 (presence), accuracy (emotion) or mean absolute error (else) of each, over
            all labels together; empty where the set names no subjects.
        confusion: (C, C) counts, rows the truth; emotions, or whole intensities of all units
            together; None for presence and affect.
        reliability: of all units together, or of the most probable emotion; None otherwise.
        levels: (6, 3) for intensity: of each whole true intensity, frames, mean and standard
            deviation of the readings, all units together; None otherwise.
    """

    predictions: Predictions
    scored: int
    subjects: int
    resamples: int
    folds: tuple[int, ...]
    overall: Mapping[str, Figure]
    pooled: Mapping[str, float]
    by_fold: Mapping[int, Mapping[str, float]]
    labels: Mapping[str, Mapping[str, Figure]]
    counts: Mapping[str, Mapping[str, int]]
    by_subject: Mapping[str, float]
    confusion: NDArray[np.int64] | None
    reliability: Reliability | None
    levels: FloatArray | None


def score(predictions: Predictions, *, seed: int = 0, resamples: int = RESAMPLES) -> Scores:
    """Score a table.

    Args:
        predictions: the table.
        seed: of the intervals' draws.
        resamples: how many draws.

    Raises:
        PredictionsError: no frame has both a truth and a score.
    """
    p = predictions
    known = ~np.isnan(p.truth) & ~np.isnan(p.score)
    if not known.any():
        raise PredictionsError("no frame has both a truth and a score: nothing to score")
    rows = np.flatnonzero(~np.isnan(p.truth).all(axis=1))
    bootstrap = SubjectBootstrap(p.subject[rows], seed=seed, resamples=resamples)
    p, known = p.chosen(rows), known[rows]
    folds = tuple(int(f) for f in np.unique(p.fold))
    of_fold = {f: _labels(p, p.fold == f, bootstrap) for f in folds}
    overall = {f: _overall(p, p.fold == f, of_fold[f], bootstrap) for f in folds}
    whole = np.ones(len(p), bool)
    pooled = overall[folds[0]]
    if len(folds) > 1:
        pooled = _overall(p, whole, _labels(p, whole, bootstrap), bootstrap)
    return Scores(
        predictions=predictions,
        scored=int(known.any(axis=1).sum()),
        subjects=bootstrap.subjects,
        resamples=resamples,
        folds=folds,
        overall=_figures(mean_of(list(overall.values())), bootstrap),
        pooled=pooled.value,
        by_fold={f: each.value for f, each in overall.items()},
        labels={
            label: _figures(mean_of([of_fold[f][i] for f in folds]), bootstrap)
            for i, label in enumerate(p.labels)
        },
        counts={label: _counts(p, known[:, i], i) for i, label in enumerate(p.labels)},
        by_subject=of_subjects(p, known) if p.has_subjects else {},
        confusion=_confusion(p, known),
        reliability=_reliability(p, known),
        levels=_levels(p, known) if p.task == "intensity" else None,
    )


def _labels(p: Predictions, inside: BoolArray, bootstrap: SubjectBootstrap) -> list[Drawn]:
    return [of_label(p, label, inside, bootstrap) for label in range(len(p.labels))]


def _overall(
    p: Predictions, inside: BoolArray, labels: list[Drawn], bootstrap: SubjectBootstrap
) -> Drawn:
    return of_classes(p, inside, bootstrap) if p.task == "emotion" else mean_of(labels)


def _figures(drawn: Drawn, bootstrap: SubjectBootstrap) -> dict[str, Figure]:
    return {
        name: Figure(value, *bootstrap.interval(drawn.draws[name], value), drawn.undefined[name])
        for name, value in drawn.value.items()
    }


def _counts(p: Predictions, known: BoolArray, label: int) -> dict[str, int]:
    counts = {"frames": int(known.sum())}
    if p.task in ("presence", "emotion"):
        positive = p.truth[known, label] > 0
        if p.task == "presence":
            called = p.score[known, label] >= p.threshold[known, label]
        else:
            called = p.score[known].argmax(axis=1) == label
        (rejections, false_alarms), (misses, hits) = confusion_matrix(positive, called, 2).tolist()
        counts |= {
            "hits": hits, "false_alarms": false_alarms, "misses": misses, "rejections": rejections,
        }  # fmt: skip
    return counts


def _confusion(p: Predictions, known: BoolArray) -> NDArray[np.int64] | None:
    if p.task == "emotion":
        rows = known.all(axis=1)
        true, said = p.truth[rows].argmax(axis=1), p.score[rows].argmax(axis=1)
        return confusion_matrix(true, said, len(p.labels))
    if p.task == "intensity":
        return confusion_matrix(_level(p.truth[known]), _level(p.score[known]), _LEVELS)
    return None


def _reliability(p: Predictions, known: BoolArray) -> Reliability | None:
    if p.task == "presence":
        return reliability_binary(p.truth[known], p.score[known])
    if p.task == "emotion":
        rows = known.all(axis=1)
        return reliability_top_label(p.truth[rows].argmax(axis=1), p.score[rows])
    return None


def _levels(p: Predictions, known: BoolArray) -> FloatArray:
    level, read = _level(p.truth[known]), p.score[known]
    result = np.full((_LEVELS, 3), np.nan)
    result[:, 0] = np.bincount(level, minlength=_LEVELS)
    for each in np.unique(level):
        result[each, 1:] = read[level == each].mean(), read[level == each].std()
    return result


def _level(intensity: FloatArray) -> NDArray[np.int64]:
    """The nearest whole intensity, halves up."""
    return np.clip(np.floor(intensity + 0.5), 0, MAXIMUM_INTENSITY).astype(np.int64)
