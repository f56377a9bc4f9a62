"""What normalization leaves of an expression: the same face read before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.evaluation.bootstrap import SubjectBootstrap
from norface.evaluation.metrics import confusion_matrix, nan_mean
from norface.evaluation.scores import Figure
from norface.evaluation.sums import PAIRS, of_pairs
from norface.facs import EMOTIONS

FloatArray = NDArray[np.float64]

_SELDOM: Final = 0.25
"""Standard deviation, on the scale of 0 to 5, below which a unit hardly occurs before: its
correlation says nothing."""

UNIT_METRICS: Final = ("pearson", "icc_3_1", "icc_2_1", "mae")


@dataclass(frozen=True, slots=True, eq=False)
class UnitFidelity:
    """An action unit's intensity, read before and after.

    Attributes:
        figures: by name of `UNIT_METRICS`.
        before: mean intensity.
        after: the same.
        seldom: whether the unit varies too little before to count in the mean of all.
    """

    figures: Mapping[str, Figure]
    before: float
    after: float
    seldom: bool


@dataclass(frozen=True, slots=True, eq=False)
class Fidelity:
    """What readings before and after normalization have in common.

    Attributes:
        faces: that were read twice.
        units: by name.
        mean: of the units that occur, by metric.
        emotion: how often the most probable emotion is the same; None where none is read.
        kappa: Cohen's, of the most probable emotion: the agreement beyond chance.
        confusion: (8, 8) faces by their emotion before (row) and after (column).
    """

    faces: int
    units: Mapping[str, UnitFidelity]
    mean: Mapping[str, float]
    emotion: Figure | None
    kappa: float
    confusion: NDArray[np.int64]


def fidelity(
    names: Sequence[str],
    before: FloatArray,
    after: FloatArray,
    emotions: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    people: NDArray[np.str_],
    *,
    seed: int = 0,
) -> Fidelity:
    """Compare the readings of N faces.

    Args:
        names: of U action units; there may be none.
        before: (N, U) intensities, 0 to 5.
        after: the same of the normalized faces.
        emotions: numbers (N,) of the most probable emotion before and after.
        people: (N,) whose faces they are; "" for a person of their own.
        seed: of the intervals.
    """
    bootstrap = SubjectBootstrap(people, seed=seed)
    units = {name: _unit(before[:, i], after[:, i], bootstrap) for i, name in enumerate(names)}
    frequent = [unit for unit in units.values() if not unit.seldom]
    mean = {
        metric: nan_mean([unit.figures[metric].value for unit in frequent])
        for metric in UNIT_METRICS
    }
    agreement, kappa = None, float("nan")
    counts = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    if emotions is not None:
        counts = confusion_matrix(*emotions, len(EMOTIONS))
        agreement = _figure(
            np.stack([emotions[0] == emotions[1], np.ones(len(people))], axis=1), bootstrap
        )
        kappa = _kappa(counts)
    return Fidelity(len(people), units, mean, agreement, kappa, counts)


def _unit(before: FloatArray, after: FloatArray, bootstrap: SubjectBootstrap) -> UnitFidelity:
    pairs = bootstrap.of_subjects(of_pairs(before, after))
    draws = bootstrap.draw(pairs)
    figures = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for metric in UNIT_METRICS:
            value = float(PAIRS[metric](pairs.sum(axis=0)))
            low, high = bootstrap.interval(PAIRS[metric](draws), value)
            figures[metric] = Figure(value, low, high)
    return UnitFidelity(
        figures, float(before.mean()), float(after.mean()), bool(before.std() < _SELDOM)
    )


def _figure(parts: FloatArray, bootstrap: SubjectBootstrap) -> Figure:
    """A ratio of sums (N, 2) with its interval."""
    sums = bootstrap.of_subjects(np.asarray(parts, np.float64))
    draws = bootstrap.draw(sums)
    total = sums.sum(axis=0)
    value = float(total[0] / total[1])
    return Figure(value, *bootstrap.interval(draws[:, 0] / draws[:, 1], value))


def _kappa(counts: NDArray[np.int64]) -> float:
    total = counts.sum()
    chance = float((counts.sum(axis=0) * counts.sum(axis=1)).sum()) / float(total) ** 2
    agreed = float(np.trace(counts)) / float(total)
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")
