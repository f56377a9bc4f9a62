"""The models of a column side by side: over the labels of all, and the person in their readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from norface.data.sample import DataSet
from norface.evaluation.metrics import f1, nan_mean
from norface.evaluation.people import BaselineKind
from norface.evaluation.people_compared import People, people_of
from norface.evaluation.predictions import Predictions
from norface.evaluation.scores import Figure, score


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column.

    Attributes:
        labels: those that every model reads.
        figures: model -> metric -> figure over `labels`.
        guess: the main metric of a reader that sees no face: calls every unit present, reads one
            intensity for all, says the most frequent emotion.
        people: the person in the readings over `labels`.
    """

    labels: tuple[str, ...]
    figures: Mapping[str, Mapping[str, Figure]]
    guess: float
    people: People


def compare(
    read: Mapping[str, Predictions], baselines: Sequence[BaselineKind], data: DataSet
) -> Comparison:
    """Compare the models of a column.

    Args:
        read: model -> its predictions of the same frames.
        baselines: which baselines of people to subtract, one after another.
        data: the set, for the frames that it marks as neutral.

    Raises:
        PredictionsError: no label is common, or their truth differs.
    """
    first = next(iter(read.values()))
    labels = tuple(n for n in first.labels if all(n in p.labels for p in read.values()))
    same = {name: p.only(labels) for name, p in read.items()} if labels else {}
    figures = {name: score(p).overall for name, p in same.items()}
    return Comparison(labels, figures, guess(first), people_of(same, baselines, data))


def guess(p: Predictions) -> float:
    """See `Comparison.guess`; over all labels of the table."""
    if p.task == "emotion":
        known = ~np.isnan(p.truth).all(axis=1)
        return float(p.truth[known].mean(axis=0).max()) if known.any() else float("nan")
    if p.task != "presence":
        return 0.0
    values = []
    for column in p.truth.T:
        true = column[~np.isnan(column)] > 0
        values.append(f1(true, np.ones_like(true)))
    return nan_mean(values)
