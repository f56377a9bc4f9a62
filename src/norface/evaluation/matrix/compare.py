"""The models of a column side by side: over the labels of all, and the person in their readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from norface.data.sample import DataSet
from norface.evaluation.metrics import f1, nan_mean
from norface.evaluation.people import BaselineKind, Shares, compare_people, without_baseline
from norface.evaluation.predictions import Predictions
from norface.evaluation.scores import Figure, score

WAYS: Final[Mapping[BaselineKind, str]] = {
    "given": "given baseline subtracted",
    "quantile": "baseline subtracted (0.2 quantile)",
    "mode": "baseline subtracted (mode)",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column.

    Attributes:
        labels: those that every model reads.
        figures: model -> metric -> figure over `labels`.
        guess: the main metric of a reader that sees no face: calls every unit present, reads one
            intensity for all, says the most frequent emotion.
        people: variant -> label -> shares; empty for emotions, and where no person is named.
        notes: what to know about `people`.
    """

    labels: tuple[str, ...]
    figures: Mapping[str, Mapping[str, Figure]]
    guess: float
    people: Mapping[str, Mapping[str, Shares]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


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
    people: Mapping[str, Mapping[str, Shares]] = {}
    notes: tuple[str, ...] = ()
    if same and first.task != "emotion" and first.has_subjects:
        people, notes = _people(same, baselines, data)
    return Comparison(labels, figures, guess(first), people, notes)


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


def _people(
    read: Mapping[str, Predictions], baselines: Sequence[BaselineKind], data: DataSet
) -> tuple[Mapping[str, Mapping[str, Shares]], tuple[str, ...]]:
    notes = []
    if "given" in baselines:
        read, note = _with_neutral(read, data)
        if not next(iter(read.values())).neutral.any():
            return {}, (f"{data.name} marks no frame as neutral: no baseline is given.",)
        notes.append(note)
    variants = {}
    for name, p in read.items():
        variants[name] = p
        for kind in baselines:
            variants[f"{name}, {WAYS[kind]}"] = without_baseline(p, kind)
    if {"quantile", "mode"} & set(baselines):
        notes.append(
            "An estimated baseline is made of all readings of a person, without any label."
        )
    return compare_people(variants), tuple(notes)


def _with_neutral(
    read: Mapping[str, Predictions], data: DataSet
) -> tuple[dict[str, Predictions], str]:
    """The people of whom the set has a neutral frame, that frame marked."""
    neutral = {
        (str(s.path), -1 if s.frame is None else s.frame)
        for s in data.samples
        if s.emotion == "neutral"
    }
    marked = {}
    left = 0
    for name, p in read.items():
        places = zip(p.path.tolist(), p.frame.tolist(), strict=True)
        at_rest = np.array([place in neutral for place in places]) & ~np.isnan(p.score).all(axis=1)
        whom = set(p.subject[at_rest].tolist())
        rows = np.array([person in whom for person in p.subject.tolist()], bool)
        left = len(set(p.subject.tolist()) - whom)
        marked[name] = replace(p, neutral=at_rest).chosen(rows)
    said = f"; {left} people without one are left out" if left else ""
    return marked, f"Given baselines: the faces that the set calls neutral{said}."
