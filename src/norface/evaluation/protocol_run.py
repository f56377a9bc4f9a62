"""A weights folder on the test part of a protocol: its predictions, fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from norface.data.prepared import PreparedFaces, picture_name
from norface.data.protocols import Division, LeakError, Protocol
from norface.data.protocols.protocol import Task
from norface.data.sample import DataSet, Sample
from norface.evaluation.predictions import Predictions, PredictionsError
from norface.facs import EMOTIONS
from norface.runtime.normalizer import Normalizer, resize, to_network
from norface.runtime.reader import FaceViews, Scores, load_readers, read_all
from norface.runtime.sessions import Weights

_AT_ONCE: Final = 16
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoldReading:
    """A fold and what reads it.

    Attributes:
        division: whose test part is read.
        number: of the fold, from 1; 0 where there is only one part.
        weights: folder of weights, or a name; None for norface's own.
    """

    division: Division
    number: int
    weights: Path | None


def read_protocol(
    plan: Protocol,
    tested: Sequence[FoldReading],
    faces: PreparedFaces,
    data: DataSet,
    *,
    threads: int | None = None,
    say: Callable[[str], None] = print,
    read: ReadFaces | None = None,
) -> tuple[Predictions, dict[str, int]]:
    """Read the test part of each fold with its weights.

    Args:
        plan: says which labels count.
        tested: the folds.
        faces: of the set that is tested on.
        data: that set.
        threads: how many the networks may use; None for every core.
        say: told how it goes.
        read: gives what weights read on samples, to read once for several protocols; None reads.

    Returns:
        The predictions of all folds, and label -> in how many folds the weights do not read it.

    Raises:
        LeakError: weights learned from somebody whom they would be tested on.
        PredictionsError: the weights read nothing of the protocol's labels.
        WeightsError: a folder of weights is missing or damaged.
    """
    opened = [Weights(each.weights) for each in tested]
    for each, weights in zip(tested, opened, strict=True):
        refuse_learned(each.division, data.name, weights.manifest.learned_from, weights.folder)

    def read_now(weights: Weights, part: Sequence[Sample]) -> FaceReadings:
        return FaceReadings.of(weights, faces, part, data.root, tasks=(plan.task,), threads=threads)

    samples: list[Sample] = []
    scores, thresholds, folds = [], [], []
    unread: dict[str, int] = {}
    for each, weights in zip(tested, opened, strict=True):
        part = each.division.test
        say(f"{plan.name}, {each.division.name}: {len(part)} samples, read by {weights.folder}")
        readings = (read or read_now)(weights, part)
        score = readings.columns(plan, part)
        found = readings.found(part)
        lacks = np.asarray(np.isnan(score[found]).all(axis=0))
        for label, lacking in zip(plan.labels, lacks.tolist(), strict=True):
            if lacking:
                unread[label] = unread.get(label, 0) + 1
        cut = [weights.manifest.thresholds.get(label, 0.5) for label in plan.labels]
        samples += part
        scores.append(score)
        thresholds.append(np.tile(cut, (len(part), 1)))
        folds.append(np.full(len(part), each.number))
    if len(unread) == len(plan.labels) and set(unread.values()) == {len(tested)}:
        raise PredictionsError(f"the weights read none of the labels of {plan.name}")
    predictions = Predictions.of_protocol(
        plan,
        samples,
        score=np.concatenate(scores),
        threshold=np.concatenate(thresholds),
        fold=np.concatenate(folds),
    )
    return predictions, unread


def refuse_learned(
    division: Division, data_set: str, learned: Mapping[str, Sequence[str]], source: Path
) -> None:
    """See that nobody whom weights learned from is in a test part.

    Args:
        division: the fold.
        data_set: which people's names are meant.
        learned: data set -> people.
        source: of the weights, for the message.

    Raises:
        LeakError: somebody is.
    """
    both = sorted(division.held_out & set(learned.get(data_set, ())))
    if both:
        raise LeakError(
            f"{source} learned from {', '.join(both)} of {data_set}, tested on in {division.name}"
        )


def read_rows(
    weights: Weights,
    faces: PreparedFaces,
    rows: NDArray[np.int64],
    *,
    tasks: Collection[Task] = ("presence", "intensity", "emotion"),
    threads: int | None = None,
) -> Scores:
    """What weights read from n faces of a cache, as far as tasks need it."""
    normalizer = Normalizer.load(weights, threads=threads)
    readers = [
        reader
        for reader in load_readers(weights)
        if (reader.reads_emotions and "emotion" in tasks)
        or (reader.reads_action_units and {"presence", "intensity"} & set(tasks))
    ]
    side = normalizer.target.shape[0]
    parts = []
    for start in range(0, len(rows), _AT_ONCE):
        chosen = rows[start : start + _AT_ONCE]
        aligned = to_network(np.stack([faces.image[int(row)] for row in chosen]))
        shape = faces.geometry[chosen].astype(np.float32)
        parts.append(read_all(readers, FaceViews(normalizer, resize(aligned, side), shape)))
    return Scores(
        *(
            None if any(values is None for values in kind) else np.concatenate(kind)
            for kind in zip(*parts, strict=True)
        )
    )


@dataclass(frozen=True, slots=True, eq=False)
class FaceReadings:
    """What weights read on pictures of a data set, for any protocol.

    Attributes:
        root: folder of the set.
        row: picture -> its row of `scores`; pictures without a face are not in it.
        scores: of the faces; None when no picture has one.
        units: what the units of `scores` are.
    """

    root: Path
    row: Mapping[str, int]
    scores: Scores | None
    units: tuple[str, ...]

    @classmethod
    def of(
        cls,
        weights: Weights,
        faces: PreparedFaces,
        samples: Iterable[Sample],
        root: Path,
        *,
        tasks: Collection[Task],
        threads: int | None = None,
    ) -> FaceReadings:
        """Read the faces of samples, each once, by the networks that the tasks need.

        Raises:
            WeightsError: a network is missing or damaged.
        """
        names = dict.fromkeys(picture_name(sample, root) for sample in samples)
        found = [name for name in names if name in faces.row]
        rows = np.array([faces.row[name] for name in found], np.int64)
        scores = None
        if found:
            scores = read_rows(weights, faces, rows, tasks=tasks, threads=threads)
        return cls(root, {name: i for i, name in enumerate(found)}, scores, weights.manifest.units)

    def found(self, samples: Sequence[Sample]) -> NDArray[np.bool_]:
        """(N,) of which samples there is a face."""
        return np.array([picture_name(sample, self.root) in self.row for sample in samples], bool)

    def columns(self, plan: Protocol, samples: Sequence[Sample]) -> FloatArray:
        """(N, L) scores of the protocol's labels; NaN for what is not read."""
        score = np.full((len(samples), len(plan.labels)), np.nan)
        places = [self.row.get(picture_name(sample, self.root)) for sample in samples]
        there = [i for i, place in enumerate(places) if place is not None]
        if self.scores is not None and there and any(kind is not None for kind in self.scores):
            rows = np.array([places[i] for i in there], np.int64)
            score[there] = _columns(plan, self.scores, self.units)[rows]
        return score


ReadFaces: TypeAlias = Callable[[Weights, Sequence[Sample]], FaceReadings]


def _columns(plan: Protocol, scores: Scores, units: Sequence[str]) -> FloatArray:
    """(n, L) scores of the protocol's labels; NaN for what is not read."""
    count = max(len(values) for values in scores if values is not None)
    nothing = np.full((count, len(plan.labels)), np.nan)
    if plan.task == "emotion":
        if scores.emotion is None:
            return nothing
        chosen = scores.emotion[:, [EMOTIONS.index(label) for label in plan.labels]]
        # Emotions that do not count here are no answer: the others share what they have.
        return np.asarray(chosen / np.maximum(chosen.sum(1, keepdims=True), 1e-9), np.float64)
    values = {
        "presence": scores.probability,
        "intensity": None if scores.intensity is None else scores.intensity[..., 0],
        "affect": None,
    }[plan.task]
    if values is None:
        return nothing
    columns = [
        values[:, units.index(label)] if label in units else np.full(len(values), np.nan)
        for label in plan.labels
    ]
    return np.stack(columns, axis=1).astype(np.float64)
