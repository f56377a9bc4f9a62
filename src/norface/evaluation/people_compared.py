"""The person in several readings of the same frames, as read and with baselines subtracted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from norface.data.sample import DataSet
from norface.evaluation.people import BaselineKind, Shares, compare_people, without_baseline
from norface.evaluation.predictions import Predictions

WAYS: Final[Mapping[BaselineKind, str]] = {
    "given": "given baseline",
    "quantile": "quantile baseline",
    "mode": "mode baseline",
}
"""How a variant with a baseline subtracted is called."""


@dataclass(frozen=True, slots=True)
class People:
    """The person in readings.

    Attributes:
        shares: variant -> label -> shares; empty for emotions, and where no person is named.
        notes: what to know about it.
    """

    shares: Mapping[str, Mapping[str, Shares]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def people_of(
    read: Mapping[str, Predictions], baselines: Sequence[BaselineKind], data: DataSet
) -> People:
    """Compare readings with each other and with themselves less each subject's baseline.

    Args:
        read: name -> predictions of the same frames; of different labels those of all count.
        baselines: which to subtract, one after another. With ``given`` only the people of whom the
            set has a face that it calls neutral are compared.
        data: the set, for these faces.

    Raises:
        PredictionsError: the truth of two readings differs, or they have no frame in common.
    """
    first = next(iter(read.values()), None)
    if first is None or first.task == "emotion" or not first.has_subjects:
        return People()
    labels = [n for n in first.labels if all(n in p.labels for p in read.values())]
    if not labels:
        return People()
    read = {name: p.only(labels) for name, p in read.items()}
    notes = []
    if "given" in baselines:
        read, left = _with_neutral(read, data)
        if not any(p.neutral.any() for p in read.values()):
            return People(notes=(f"{data.name} marks no face as neutral: no baseline is given.",))
        said = f"; {left} people without one are left out" if left else ""
        notes.append(f"Given baselines: the faces that the set calls neutral{said}.")
    if {"quantile", "mode"} & set(baselines):
        notes.append(
            "An estimated baseline is made of all readings of a person, without any label."
        )
    variants = {}
    for name, p in read.items():
        variants[name] = p
        for kind in baselines:
            variants[f"{name}, {WAYS[kind]}"] = without_baseline(p, kind)
    return People(compare_people(variants), tuple(notes))


def _with_neutral(
    read: Mapping[str, Predictions], data: DataSet
) -> tuple[dict[str, Predictions], int]:
    """The people of whom the set has a neutral face, that face marked; and how many it has not."""
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
        people = p.subject.tolist()
        whom = {person for person, rests in zip(people, at_rest.tolist(), strict=True) if rests}
        left = max(left, len(set(people) - whom))
        rows = np.array([person in whom for person in people], bool)
        marked[name] = replace(p, neutral=at_rest).chosen(rows)
    return marked, left
