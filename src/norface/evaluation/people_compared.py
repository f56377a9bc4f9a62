"""The person in several readings of the same frames, as read and with baselines subtracted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.data.sample import DataSet
from norface.evaluation.bootstrap import SubjectBootstrap
from norface.evaluation.people import (
    BaselineKind,
    Shares,
    mean_shares,
    same_frames,
    shares_of_variance,
    variance_sums,
    without_baseline,
)
from norface.evaluation.predictions import Predictions
from norface.evaluation.scores import Figure
from norface.evaluation.sums import mean_of_defined

FloatArray = NDArray[np.float64]

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
        mean: variant -> the person's share, mean of the labels, with its interval over people.
        change: variant -> the same less that of the first variant, on the same draws of people.
        notes: what to know about it.
    """

    shares: Mapping[str, Mapping[str, Shares]] = field(default_factory=dict)
    mean: Mapping[str, Figure] = field(default_factory=dict)
    change: Mapping[str, Figure] = field(default_factory=dict)
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
    variants = same_frames(variants)
    shares = {name: shares_of_variance(p) for name, p in variants.items()}
    bootstrap = SubjectBootstrap(next(iter(variants.values())).subject)
    drawn = {name: _mean_person(p, bootstrap.counts) for name, p in variants.items()}
    value = {name: mean_shares(labels).person for name, labels in shares.items()}
    one, *others = variants
    return People(
        shares,
        {
            name: Figure(value[name], *bootstrap.interval(drawn[name], value[name]))
            for name in variants
        },
        {
            name: Figure(
                value[name] - value[one],
                *bootstrap.interval(drawn[name] - drawn[one], value[name] - value[one]),
            )
            for name in others
        },
        tuple(notes),
    )


def _mean_person(p: Predictions, counts: NDArray[np.uint8]) -> FloatArray:
    """(R,) the person's share in each draw of people, mean of the labels that have one."""
    shares = []
    for sums in variance_sums(p).values():
        parts = sums.parts(counts)
        shares.append(parts[:, 1] / parts.sum(axis=1))
    return mean_of_defined(np.stack(shares, axis=1))


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
