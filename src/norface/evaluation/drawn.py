"""Metrics of some frames: their values, and their values in each draw of subjects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from norface.evaluation import sums
from norface.evaluation.bootstrap import SubjectBootstrap
from norface.evaluation.metrics import accuracy, f1, roc_auc
from norface.evaluation.predictions import Predictions

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Metrics by name.

    Attributes:
        value: of the frames themselves.
        draws: (resamples,) in each draw.
        undefined: how many of the parts that a mean is made of had no value.
    """

    value: dict[str, float] = field(default_factory=dict)
    draws: dict[str, FloatArray] = field(default_factory=dict)
    undefined: dict[str, int] = field(default_factory=dict)

    def add(
        self, bootstrap: SubjectBootstrap, formulas: Mapping[str, sums.Formula], table: FloatArray
    ) -> None:
        """Add the metrics of a family from the sums of each subject (subjects, K)."""
        for name, value in sums.apply(formulas, table.sum(axis=0)).items():
            self.value[name] = float(value)
        self.draws.update(sums.apply(formulas, bootstrap.draw(table)))


def mean_of(parts: Sequence[Drawn]) -> Drawn:
    """Mean of each metric over the parts in which it is defined, in every draw as well."""
    mean = Drawn()
    for name in parts[0].value:
        values = np.array([part.value[name] for part in parts])
        mean.value[name] = float(sums.mean_of_defined(values))
        mean.draws[name] = sums.mean_of_defined(np.stack([p.draws[name] for p in parts], axis=1))
        mean.undefined[name] = int(np.isnan(values).sum()) + sum(
            part.undefined.get(name, 0) for part in parts
        )
    return mean


def of_label(p: Predictions, label: int, inside: BoolArray, bootstrap: SubjectBootstrap) -> Drawn:
    """The metrics of one label in the frames `inside` (N,)."""
    result = Drawn()
    truth, score = p.truth[:, label], p.score[:, label]
    rows = np.flatnonzero(inside & ~np.isnan(truth) & ~np.isnan(score))
    true, read = truth[rows], score[rows]
    if p.task in ("intensity", "affect"):
        table = bootstrap.of_subjects(sums.of_pairs(true, read), rows)
        result.add(bootstrap, sums.PAIRS, table)
        return result
    positive = true > 0
    if p.task == "emotion":
        called = p.score[rows].argmax(axis=1) == label
    else:
        called = read >= p.threshold[rows, label]
    calls = sums.of_calls(positive, called)
    result.add(bootstrap, sums.CALLS, bootstrap.of_subjects(calls, rows))
    cells = sums.rank_cells(positive, read) if len(rows) else np.zeros(0, np.int64)
    ranks = bootstrap.cells_of_subjects(cells, 2 * sums.RANK_CELLS, rows)
    result.add(bootstrap, sums.RANKS, ranks)
    result.value["auc"] = roc_auc(positive, read)
    table = bootstrap.of_subjects(sums.of_probability(positive, read), rows)
    result.add(bootstrap, sums.PROBABILITIES, table)
    if p.task == "presence" and p.missing.any():
        rows = np.flatnonzero(inside & ~np.isnan(truth) & (~np.isnan(score) | p.missing))
        called = np.nan_to_num(score[rows]) >= p.threshold[rows, label]
        called &= ~np.isnan(score[rows])
        table = bootstrap.of_subjects(sums.of_calls(truth[rows] > 0, called), rows)
        result.add(bootstrap, {"f1_all": sums.CALLS["f1"]}, table)
    return result


def of_classes(p: Predictions, inside: BoolArray, bootstrap: SubjectBootstrap) -> Drawn:
    """The metrics of all emotions together in the frames `inside` (N,)."""
    result = Drawn()
    classes = len(p.labels)
    has_truth = inside & ~np.isnan(p.truth).any(axis=1)
    rows = np.flatnonzero(has_truth & ~np.isnan(p.score).any(axis=1))
    true, score = p.truth[rows].argmax(axis=1), p.score[rows]
    said = score.argmax(axis=1)
    table = bootstrap.cells_of_subjects(true * classes + said, classes * classes, rows)
    result.add(bootstrap, sums.CLASSES, table)
    top = sums.of_probability(said == true, score.max(axis=1, initial=0.0))
    result.add(bootstrap, {"ece": sums.PROBABILITIES["ece"]}, bootstrap.of_subjects(top, rows))
    if p.missing.any():
        every = np.flatnonzero(has_truth)
        right = np.zeros(len(p), bool)
        right[rows] = said == true
        calls = sums.of_calls(right[every], np.ones(len(every), bool))
        table = bootstrap.of_subjects(calls, every)
        result.add(bootstrap, {"accuracy_all": sums.CALLS["precision"]}, table)
    return result


def of_subjects(p: Predictions, known: BoolArray) -> dict[str, float]:
    """The figure of each subject over all of the subject's frames and labels, by name.

    F1 for presence, the mean absolute error for intensity and affect, accuracy for emotion.

    Args:
        p: the table; every frame has a subject.
        known: (N, L) where truth and score are known.
    """
    return dict(_of_subjects(p, known))


def _of_subjects(p: Predictions, known: BoolArray) -> Iterable[tuple[str, float]]:
    for name in np.unique(p.subject):
        rows = np.flatnonzero((p.subject == name) & known.any(axis=1))
        if not len(rows):
            continue
        truth, score, both = p.truth[rows], p.score[rows], known[rows]
        if p.task == "emotion":
            yield str(name), accuracy(truth.argmax(axis=1), score.argmax(axis=1))
        elif p.task == "presence":
            yield str(name), f1(truth[both] > 0, (score >= p.threshold[rows])[both])
        else:
            yield str(name), float(np.abs(truth - score)[both].mean())
