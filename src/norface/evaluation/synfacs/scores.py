"""The scores of a table of predictions: each unit, their means, each stratum, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.evaluation.metrics import (
    f1,
    icc_3_1,
    mean_absolute_error,
    mean_squared_error,
    nan_mean,
)
from norface.evaluation.sums import mean_of_defined
from norface.evaluation.synfacs.tables import FloatArray, Predictions, Truth
from norface.facs import ACTION_UNIT_NAMES, PRESENCE_INTENSITY

METRICS: Final = ("f1", "f1_all", "icc", "mae", "mse")
"""``f1_all`` counts every picture: one without a found face shows nothing present."""

_RESAMPLES: Final = 1000
_INTERVAL: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Mean:
    """A mean over the units where it is defined.

    Attributes:
        value: the mean; NaN when no unit has one.
        low, high: 95 % interval over people.
        undefined: units without a value.
    """

    value: float
    low: float
    high: float
    undefined: int


@dataclass(frozen=True)
class Group:
    """The scores of some pictures.

    Attributes:
        pictures, people: how many.
        found: pictures in which a face was found.
        means: by metric.
        units: by unit and metric; ``positives`` counts the pictures that show it.
    """

    pictures: int
    people: int
    found: int
    means: dict[str, Mean]
    units: dict[str, dict[str, float]]

    @property
    def detection_rate(self) -> float:
        """Share of the pictures in which a face was found; NaN for none."""
        return self.found / self.pictures if self.pictures else float("nan")


@dataclass(frozen=True)
class Scores:
    """The scores of a split.

    Attributes:
        benchmark, split: what was scored.
        whole: all of its pictures.
        strata: by factor and level.
        notes: what the predictions lack.
    """

    benchmark: str
    split: str
    whole: Group
    strata: dict[str, dict[str, Group]]
    notes: tuple[str, ...] = field(default=())


def score(truth: Truth, said: Predictions, *, seed: int = 0) -> Scores:
    """Score predictions.

    Args:
        truth: the split.
        said: about the same pictures, in the same order.
        seed: of the intervals' resampling.
    """
    everything = np.ones(len(truth.inputs), bool)
    return Scores(
        truth.benchmark,
        truth.split,
        _group(truth, said, everything, seed),
        {
            factor: {
                level: _group(truth, said, truth.strata[factor] == level, seed)
                for level in truth.levels[factor]
                if (truth.strata[factor] == level).any()
            }
            for factor in truth.strata
        },
        said.notes,
    )


def _group(truth: Truth, said: Predictions, chosen: NDArray[np.bool_], seed: int) -> Group:
    true, read, called = (a[chosen] for a in (truth.intensity, said.intensity, said.present))
    found = said.found[chosen]
    # A unit that the tool calls nowhere has no score, not a bad one.
    missed = ~found[:, None] & ~np.isnan(said.present).all(axis=0)
    people, who = np.unique(truth.person[chosen], return_inverse=True)
    units = {
        name: _unit(true[:, a], read[:, a], called[:, a], missed[:, a])
        for a, name in enumerate(ACTION_UNIT_NAMES)
    }
    drawn = resampled(sums_by_person(true, read, called, missed, who, len(people)), seed)
    means = {}
    for metric in METRICS:
        values = [units[name][metric] for name in ACTION_UNIT_NAMES]
        low, high = _interval(drawn[metric])
        means[metric] = Mean(nan_mean(values), low, high, int(np.isnan(values).sum()))
    return Group(int(chosen.sum()), len(people), int(found.sum()), means, units)


def _unit(
    true: FloatArray, read: FloatArray, called: FloatArray, missed: NDArray[np.bool_]
) -> dict[str, float]:
    """One unit's scores; what was not said does not count, but in ``f1_all``."""
    present = true >= PRESENCE_INTENSITY
    has_call, has_number = ~np.isnan(called), ~np.isnan(read)
    scored = has_call | missed
    return {
        "f1": f1(present[has_call], called[has_call] > 0.5),
        "f1_all": f1(present[scored], np.nan_to_num(called[scored]) > 0.5),
        "icc": icc_3_1(true[has_number], read[has_number]),
        "mae": mean_absolute_error(true[has_number], read[has_number]),
        "mse": mean_squared_error(true[has_number], read[has_number]),
        "positives": float(present.sum()),
    }


def sums_by_person(
    true: FloatArray,
    read: FloatArray,
    called: FloatArray,
    missed: NDArray[np.bool_],
    who: NDArray[np.integer[Any]],
    people: int,
) -> dict[str, FloatArray]:
    """Everything that the metrics are made of, by person and unit: (people, A) each."""
    present = true >= PRESENCE_INTENSITY
    has_call, has_number = ~np.isnan(called), ~np.isnan(read)
    calls = has_call & (np.nan_to_num(called) > 0.5)
    x, y = np.where(has_number, true, 0), np.where(has_number, read, 0)
    columns = {
        "hits": calls & present, "called": calls, "present": present & has_call,
        "present_all": present & (has_call | missed),
        "n": has_number, "x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y,
        "off": np.abs(x - y),
    }  # fmt: skip
    result = {}
    for name, values in columns.items():
        result[name] = np.zeros((people, true.shape[1]))
        np.add.at(result[name], who, values.astype(np.float64))
    return result


def resampled(sums: dict[str, FloatArray], seed: int) -> dict[str, FloatArray]:
    """Means over units for resampled people: by metric (``_RESAMPLES``,)."""
    people = len(sums["n"])
    random = np.random.default_rng(seed)
    weights = random.multinomial(people, np.full(people, 1 / max(people, 1)), _RESAMPLES)
    total = {name: weights @ values for name, values in sums.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        n, x, y = total["n"], total["x"], total["y"]
        spread = total["xx"] - x * x / n + total["yy"] - y * y / n
        values = {
            "f1": 2 * total["hits"] / (total["present"] + total["called"]),
            "f1_all": 2 * total["hits"] / (total["present_all"] + total["called"]),
            # ICC(3,1) of two raters.
            "icc": np.where((n < 2) | (spread < 1e-9), np.nan,
                            2 * (total["xy"] - x * y / n) / spread),
            "mae": total["off"] / n,
            "mse": (total["xx"] - 2 * total["xy"] + total["yy"]) / n,
        }  # fmt: skip
    return {name: mean_of_defined(each) for name, each in values.items()}


def _interval(values: FloatArray) -> tuple[float, float]:
    defined = values[~np.isnan(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.percentile(defined, _INTERVAL)
    return float(low), float(high)
