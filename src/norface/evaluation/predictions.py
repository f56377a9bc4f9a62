"""What a model says of labelled frames, beside the truth: all that metrics and reports need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from norface.data.protocols.protocol import TASKS, Protocol, Task
from norface.data.sample import Sample
from norface.facs import MAXIMUM_INTENSITY

FloatArray = NDArray[np.float64]

_Kind = TypeVar("_Kind", bound=np.generic)

_SUM_TOLERANCE: Final = 0.01
_RANGES: Final = {
    # task -> (lowest, highest) of the truth, of the score
    "presence": ((0.0, 1.0), (0.0, 1.0)),
    "intensity": ((0.0, MAXIMUM_INTENSITY), (-np.inf, np.inf)),
    "emotion": ((0.0, 1.0), (0.0, 1.0)),
    "affect": ((-1.0, 1.0), (-np.inf, np.inf)),
}


class PredictionsError(ValueError):
    """A table of predictions is not what it should be; the message says where and why."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Predictions:
    """Truth and scores of N frames and L labels, for one task.

    Attributes:
        task: what the columns are.

            - ``presence``: truth 0 or 1, score the probability of 1.
            - ``intensity``: truth 0 to 5, score a number on that scale.
            - ``emotion``: the labels are the classes; truth 1 for the one that is true and 0 for
              the others, scores are probabilities that sum to 1.
            - ``affect``: valence, arousal; truth -1 to 1, score a number on that scale.
        labels: (L,) names, e.g. ``AU12`` or ``happiness``.
        truth: (N, L); NaN where it is not known.
        score: (N, L); NaN where nothing was read, e.g. because no face was found.
        threshold: (N, L) from which score on a unit is called present, for each frame, as each
            fold's model may have its own; only presence uses it.
        subject: (N,) who is seen; "" where the set does not say.
        sequence: (N,) clip or task; "" where there is none.
        path: (N,) picture or video.
        frame: (N,) number of the video's frame; -1 for a picture.
        fold: (N,) in which fold of a cross-validation the frame was a test frame; 0 without folds.
        neutral: (N,) whether the frame is a given neutral frame of its subject.

    Raises:
        PredictionsError: shapes differ, a value is out of its range, a name or a frame occurs
            twice.
    """

    task: Task
    labels: tuple[str, ...]
    truth: FloatArray
    score: FloatArray
    threshold: FloatArray
    subject: NDArray[np.str_]
    sequence: NDArray[np.str_]
    path: NDArray[np.str_]
    frame: NDArray[np.int64]
    fold: NDArray[np.int64]
    neutral: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise PredictionsError(f"task {self.task!r} is none of {', '.join(TASKS)}")
        if not self.labels or len(set(self.labels)) != len(self.labels) or "" in self.labels:
            raise PredictionsError(f"labels must be different names: {', '.join(self.labels)}")
        shape = (len(self.path), len(self.labels))
        for name in ("truth", "score", "threshold"):
            _check_shape(name, getattr(self, name), shape)
        for name in ("subject", "sequence", "frame", "fold", "neutral"):
            _check_shape(name, getattr(self, name), shape[:1])
        for name, (low, high) in zip(("truth", "score"), _RANGES[self.task], strict=True):
            self._check_range(name, low, high)
        if self.task == "presence":
            self._refuse((self.truth != 0) & (self.truth != 1) & ~np.isnan(self.truth), "truth",
                         "must be 0 or 1")  # fmt: skip
        if self.task == "emotion":
            self._check_classes()
        seen: set[tuple[str, int]] = set()
        for row, place in enumerate(zip(self.path.tolist(), self.frame.tolist(), strict=True)):
            if place in seen:
                raise PredictionsError(f"{self.where(row)} occurs more than once")
            seen.add(place)

    @classmethod
    def of(
        cls,
        task: Task,
        labels: Sequence[str],
        *,
        truth: ArrayLike,
        score: ArrayLike,
        path: ArrayLike,
        threshold: ArrayLike = 0.5,
        subject: ArrayLike = "",
        sequence: ArrayLike = "",
        frame: ArrayLike = -1,
        fold: ArrayLike = 0,
        neutral: ArrayLike = False,
    ) -> Predictions:
        """From arrays of any kind; a single value holds for every frame, thresholds (L,) too."""
        paths = np.asarray(path, np.str_)
        count = paths.shape[:1]
        return cls(
            task=task,
            labels=tuple(labels),
            truth=np.asarray(truth, np.float64),
            score=np.asarray(score, np.float64),
            threshold=_thresholds(threshold, (*count, len(labels))),
            subject=_each(subject, np.str_, count),
            sequence=_each(sequence, np.str_, count),
            path=paths,
            frame=_each(frame, np.int64, count),
            fold=_each(fold, np.int64, count),
            neutral=_each(neutral, np.bool_, count),
        )

    @classmethod
    def of_protocol(
        cls,
        protocol: Protocol,
        samples: Sequence[Sample],
        *,
        score: ArrayLike,
        threshold: ArrayLike = 0.5,
        fold: ArrayLike = 0,
        neutral: ArrayLike = False,
    ) -> Predictions:
        """Scores (N, L) of samples, with the truth and the labels that a protocol gives them.

        Args:
            protocol: its labels are the columns.
            samples: N of them.
            score: (N, L).
            threshold: (N, L), (L,) or one for all.
            fold: (N,) or one for all.
            neutral: (N,) or one for all.
        """
        truth = np.full((len(samples), len(protocol.labels)), np.nan)
        for row, sample in enumerate(samples):
            known = protocol.truth(sample)
            truth[row] = [known.get(label, np.nan) for label in protocol.labels]
        return cls.of(
            protocol.task,
            protocol.labels,
            truth=truth,
            score=score,
            path=[str(s.path) for s in samples],
            threshold=threshold,
            subject=[s.subject for s in samples],
            sequence=[s.sequence for s in samples],
            frame=[-1 if s.frame is None else s.frame for s in samples],
            fold=fold,
            neutral=neutral,
        )

    def __len__(self) -> int:
        return len(self.path)

    @property
    def has_subjects(self) -> bool:
        """Whether every frame says who is seen."""
        return len(self) > 0 and bool((self.subject != "").all())

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(N,) frames with a truth of which nothing was read."""
        return np.asarray(~np.isnan(self.truth).all(axis=1) & np.isnan(self.score).all(axis=1))

    def chosen(self, rows: NDArray[np.generic]) -> Predictions:
        """Some of the frames: (N,) of bool, or numbers."""
        columns = (
            "truth",
            "score",
            "threshold",
            "subject",
            "sequence",
            "path",
            "frame",
            "fold",
            "neutral",
        )
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    def only(self, labels: Sequence[str]) -> Predictions:
        """Some of the labels, in their order here.

        Raises:
            PredictionsError: emotions of which some are to be left out.
        """
        places = [i for i, label in enumerate(self.labels) if label in labels]
        if len(places) == len(self.labels):
            return self
        if self.task == "emotion":
            raise PredictionsError("emotions are one question: none can be left out")
        columns = {name: getattr(self, name)[:, places] for name in ("truth", "score", "threshold")}
        return replace(self, labels=tuple(self.labels[i] for i in places), **columns)

    def where(self, row: int) -> str:
        """The name of a frame, for messages."""
        frame = int(self.frame[row])
        return str(self.path[row]) + (f", frame {frame}" if frame >= 0 else "")

    def _check_range(self, name: str, low: float, high: float) -> None:
        values = getattr(self, name)
        # The tolerance is for scores that were stored with half precision.
        wrong = (values < low - 1e-6) | (values > high + 1e-6) | np.isinf(values)
        said = "must be a finite number" if np.isinf(low) else f"must lie in {low:g}..{high:g}"
        self._refuse(wrong, name, said)

    def _check_classes(self) -> None:
        known = ~np.isnan(self.truth).all(axis=1)
        one_hot = ((self.truth == 1).sum(axis=1) == 1) & ((self.truth == 0).sum(axis=1) ==
                                                          len(self.labels) - 1)  # fmt: skip
        self._refuse_rows(known & ~one_hot, "truth must be 1 for one class and 0 for the others")
        read = ~np.isnan(self.score).all(axis=1)
        total = np.abs(self.score.sum(axis=1) - 1) <= _SUM_TOLERANCE
        self._refuse_rows(read & ~total, "the probabilities of the classes must sum to 1")

    def _refuse(self, wrong: NDArray[np.bool_], name: str, said: str) -> None:
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            value = getattr(self, name)[row, column]
            raise PredictionsError(
                f"{self.where(row)}: {name} of {self.labels[column]} {said}, not {value:g}"
            )

    def _refuse_rows(self, wrong: NDArray[np.bool_], said: str) -> None:
        if wrong.any():
            raise PredictionsError(f"{self.where(int(np.flatnonzero(wrong)[0]))}: {said}")


def _each(value: ArrayLike, kind: type[_Kind], shape: tuple[int, ...]) -> NDArray[_Kind]:
    array = np.asarray(value, kind)
    return np.full(shape, array) if array.ndim == 0 else array


def _thresholds(value: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    array = np.asarray(value, np.float64)
    return np.broadcast_to(array, shape).copy() if array.shape in ((), shape[1:]) else array


def _check_shape(name: str, values: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise PredictionsError(f"{name} has the shape {values.shape} in place of {shape}")
