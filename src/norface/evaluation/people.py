"""The person in the reading: each subject's neutral face subtracted, and how much it mattered.

A face at rest is not the same for everyone: a low brow reads as a lowered one. The baseline of a
subject is what a model reads on the subject's neutral face; taking it away leaves the change, which
is what the coders of action units score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from norface.evaluation.predictions import Predictions, PredictionsError
from norface.evaluation.variance_sums import VarianceSums
from norface.facs import MAXIMUM_INTENSITY

FloatArray = NDArray[np.float64]

BaselineKind: TypeAlias = Literal["given", "quantile", "mode"]

_QUANTILE = 0.2
_MODE_SHARE = 0.5
_EDGE = 1e-4


def baselines(predictions: Predictions, kind: BaselineKind) -> dict[str, FloatArray]:
    """What was read on the neutral face of each subject, (L,) by subject.

    Args:
        predictions: intensities or presence; every frame has a subject.
        kind: how it is known.

            - ``given``: the mean over the frames that are marked neutral.
            - ``quantile``: the 0.2 quantile of the subject's own readings. Estimated without any
              label; right for a unit that rests in at least a fifth of the frames.
            - ``mode``: the middle of the shortest interval that holds half of the subject's
              readings ("half-sample" mode, one step), also without any label; right for a unit
              that rests in most frames.

    Returns:
        NaN for a unit of which nothing was read.

    Raises:
        PredictionsError: a subject is unknown, or has no neutral frame where they must be given.
    """
    p = predictions
    if p.task not in ("intensity", "presence"):
        raise PredictionsError(f"{p.task} has no neutral baseline; intensity and presence have one")
    if not p.has_subjects:
        raise PredictionsError("a baseline of people needs the subject of every frame")
    found = {}
    for name in np.unique(p.subject):
        rows = p.subject == name
        if kind == "given":
            rows = rows & p.neutral
            if not rows.any():
                raise PredictionsError(
                    f"subject {name} has no frame marked neutral; mark one, or estimate the "
                    "baseline (quantile or mode)"
                )
        found[str(name)] = np.array([_resting(column, kind) for column in p.score[rows].T])
    return found


def _resting(values: FloatArray, kind: BaselineKind) -> float:
    read = np.sort(values[~np.isnan(values)])
    if not len(read):
        return float("nan")
    if kind == "given":
        return float(read.mean())
    if kind == "quantile":
        return float(np.quantile(read, _QUANTILE))
    half = max(int(np.ceil(_MODE_SHARE * len(read))), 1)
    widths = read[half - 1 :] - read[: len(read) - half + 1]
    start = int(widths.argmin())
    return float(np.median(read[start : start + half]))


def without_baseline(predictions: Predictions, kind: BaselineKind) -> Predictions:
    """The readings as change from each subject's neutral face.

    Intensities: the reading minus the baseline, kept in 0..5. Presence: the log odds minus those of
    the baseline, plus the median baseline of all subjects, so that thresholds keep their meaning.
    An estimated baseline uses every reading of the subject (no label), so it is for recordings,
    not for single pictures; say so beside the figures.

    Args:
        predictions: intensities or presence; every frame has a subject.
        kind: see `baselines`. Frames of which a given baseline is made are left out: their own
            reading would vanish.

    Raises:
        PredictionsError: see `baselines`.
    """
    p = predictions
    found = baselines(p, kind)
    own = np.stack([found[name] for name in p.subject.tolist()])
    if p.task == "intensity":
        score = np.clip(p.score - own, 0.0, MAXIMUM_INTENSITY)
    else:
        usual = np.nanmedian(np.stack(list(found.values())), axis=0)
        odds = _log_odds(p.score) - _log_odds(own) + _log_odds(usual)
        score = 1 / (1 + np.exp(-odds))
    return replace(p, score=score).chosen(~(p.neutral & (kind == "given")))


def _log_odds(probability: FloatArray) -> FloatArray:
    p = np.clip(probability, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(p / (1 - p)))


@dataclass(frozen=True, slots=True)
class Shares:
    """Of what the variance of a unit's readings is made; the three shares sum to 1.

    Attributes:
        expression: share that the true label explains, within subjects.
        person: share that differs from subject to subject with the true label held equal.
        rest: share that is neither.
        variance: the whole, in squared units of the reading.
    """

    expression: float
    person: float
    rest: float
    variance: float


_UNDEFINED = Shares(*[float("nan")] * 4)


def shares_of_variance(predictions: Predictions) -> dict[str, Shares]:
    """How much of each unit's reading is the person rather than the expression.

    The model is reading = g(truth) + person + rest. g has a value for each level of the truth (a
    slope, where there are more than ten levels), fitted within subjects, so that someone who smiles
    often counts as smiling, not as a smiler by nature. The person's variance is that of a one-way
    random-effects analysis of variance of what g leaves, (MSB - MSW) / n0 with the usual n0 for
    groups of unequal size, not below 0; person / (person + rest) is its ICC(1). Frames of a clip
    resemble each other, which that analysis takes for the person's: the share is an upper bound.

    Args:
        predictions: not of emotions; every frame has a subject.

    Returns:
        by label; NaN with fewer than two subjects, no more frames than subjects, or readings that
        do not vary.

    Raises:
        PredictionsError: a subject is unknown, or the task is emotion.
    """
    p = predictions
    if p.task == "emotion":
        raise PredictionsError("emotions have no variance to divide; readings of units have")
    if not p.has_subjects:
        raise PredictionsError("the share of people needs the subject of every frame")
    return {
        label: _shares(sums.parts(np.ones((1, len(sums.size))))[0])
        for label, sums in variance_sums(p).items()
    }


def variance_sums(predictions: Predictions) -> dict[str, VarianceSums]:
    """What shares are made of, by label, for `norface.evaluation.people_compared`."""
    p = predictions
    names, place = np.unique(p.subject, return_inverse=True)
    result = {}
    for i, label in enumerate(p.labels):
        rows = ~np.isnan(p.truth[:, i]) & ~np.isnan(p.score[:, i])
        result[label] = VarianceSums.of(p.truth[rows, i], p.score[rows, i], place[rows], len(names))
    return result


def _shares(parts: FloatArray) -> Shares:
    total = float(parts.sum())
    expression, person, rest = (float(part) / total for part in parts)
    return Shares(expression, person, rest, total)


def mean_shares(labels: Mapping[str, Shares]) -> Shares:
    """The mean of each share over the labels that have one."""
    known = [one for one in labels.values() if not np.isnan(one.person)]
    if not known:
        return _UNDEFINED
    parts = ("expression", "person", "rest", "variance")
    return Shares(*(float(np.mean([getattr(one, part) for one in known])) for part in parts))


def compare_people(variants: Mapping[str, Predictions]) -> dict[str, dict[str, Shares]]:
    """The shares of several readings, by variant and label, on the frames that all have.

    E.g. read from the original face alone, with the normalized face, and with the baseline
    subtracted.

    Raises:
        PredictionsError: labels or truth differ, or no frame is common.
    """
    return {name: shares_of_variance(p) for name, p in same_frames(variants).items()}


def same_frames(variants: Mapping[str, Predictions]) -> dict[str, Predictions]:
    """Several readings on the frames that all have, in one order.

    Raises:
        PredictionsError: labels or truth differ, or no frame is common.
    """
    names = list(variants)
    common = set.intersection(*(set(_keys(variants[name])) for name in names))
    if not common:
        raise PredictionsError(f"no frame is in all of {', '.join(names)}")
    first: Predictions | None = None
    result = {}
    for name in names:
        p = variants[name]
        keys = _keys(p)
        rows = sorted((i for i, key in enumerate(keys) if key in common), key=keys.__getitem__)
        same = p.chosen(np.array(rows))
        first = first or same
        if same.labels != first.labels or not np.array_equal(
            same.truth, first.truth, equal_nan=True
        ):
            raise PredictionsError(f"{names[0]} and {name} have other labels or another truth")
        result[name] = same
    return result


def _keys(p: Predictions) -> list[tuple[str, int]]:
    return list(zip(p.path.tolist(), p.frame.tolist(), strict=True))
