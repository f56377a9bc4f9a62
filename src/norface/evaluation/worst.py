"""The frames that were read worst, and what was wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.evaluation.predictions import Predictions

FloatArray = NDArray[np.float64]

_LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True, slots=True)
class Worst:
    """A badly read frame.

    Attributes:
        row: its number in the table.
        loss: how bad: mean over its labels of the absolute error, or of minus the log of the
            probability that the truth was given.
        words: what is wrong, worst first.
    """

    row: int
    loss: float
    words: tuple[str, ...]


def worst_frames(predictions: Predictions, count: int, *, labels: int = 2) -> list[Worst]:
    """The worst frames, at most one of a clip, for its neighbours look and fail alike.

    Args:
        predictions: the table.
        count: how many at most.
        labels: how many wrong labels to name of each.
    """
    p = predictions
    loss = _losses(p)
    known = np.asarray(~np.isnan(loss).all(axis=1))
    mean = np.full(len(p), -np.inf)
    mean[known] = np.nanmean(loss[known], axis=1)
    found: list[Worst] = []
    clips: set[tuple[str, str]] = set()
    for row in np.argsort(-mean, kind="stable"):
        if len(found) == count or not known[row]:
            break
        # Without a name for the clip the file is the clip: a video, or a picture by itself.
        clip = (str(p.subject[row]), str(p.sequence[row]) or f"file {p.path[row]}")
        if clip not in clips:
            clips.add(clip)
            found.append(Worst(int(row), float(mean[row]), _words(p, int(row), loss[row], labels)))
    return found


def _losses(p: Predictions) -> FloatArray:
    """(N, L): the loss of each label, NaN where truth or score is not known."""
    if p.task in ("intensity", "affect"):
        return np.abs(p.truth - p.score)
    given = np.where(p.truth > 0, p.score, 1 - p.score)
    given[np.isnan(p.truth)] = np.nan
    if p.task == "emotion":
        given[p.truth == 0] = np.nan
    return np.asarray(-np.log(np.maximum(given, _LEAST_PROBABILITY)))


def _words(p: Predictions, row: int, loss: FloatArray, labels: int) -> tuple[str, ...]:
    if p.task == "emotion":
        true, said = int(p.truth[row].argmax()), int(p.score[row].argmax())
        return (
            f"{p.labels[true]}, given {p.score[row, true]:.2f}",
            f"read as {p.labels[said]}, {p.score[row, said]:.2f}",
        )
    order = [int(i) for i in np.argsort(-np.nan_to_num(loss, nan=-1.0), kind="stable")]
    words = []
    for i in [i for i in order if not np.isnan(loss[i])][:labels]:
        truth, score = p.truth[row, i], p.score[row, i]
        if p.task == "presence":
            words.append(f"{p.labels[i]} {'present' if truth else 'absent'}, given {score:.2f}")
        else:
            words.append(f"{p.labels[i]} {truth:g}, read {score:.1f}")
    return tuple(words)
