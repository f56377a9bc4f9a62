"""Samples of a data set with their labels as arrays, and their faces read from disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.data.prepared import PreparedFaces, StoredRows
from norface.data.protocols import Protocol
from norface.data.sample import Sample
from norface.facs import ACTION_UNIT_NAMES, EMOTIONS, PRESENCE_INTENSITY


class ChosenRows:
    """Some rows of others, in an order of their own.

    Args:
        rows: of files.
        chosen: (N,) their numbers.
    """

    def __init__(self, rows: StoredRows, chosen: NDArray[np.int64]) -> None:
        self._rows, self._chosen = rows, chosen
        self.shape = (len(chosen), *rows.shape[1:])

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int | np.integer[Any]) -> NDArray[Any]:
        """Row ``index``, 0 to N - 1, in fresh memory."""
        return self._rows[int(self._chosen[index])]

    def read_into(self, index: int, out: NDArray[Any]) -> None:
        """Read a row into contiguous memory of its shape."""
        self._rows.read_into(int(self._chosen[index]), out)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSamples:
    """N samples of a data set. Fields that shards have too mean the same, see `Shards`.

    Attributes:
        units: (A,) the names of the units.
        original: rows (S, S, 3) uint8.
        geometry: (N, 478, 3) float16.
        intensity: (N, A, 3) float16; sets do not tell the sides apart, so only the first is known.
        present: (N, A) int8: 1, 0, or -1 where unknown.
        emotion: (N,) int8.
        emotion_distribution: (N, 8) float32, shares of the votes on each emotion of
            `norface.facs.EMOTIONS`: of those that count in the protocol, summing to 1. NaN in the
            rows of samples that have none.
        identity: (N,) int32.
        real: (N,) bool, all true.
        targets: (T, 256, 256, 3) uint8.
    """

    units: tuple[str, ...]
    original: ChosenRows
    geometry: NDArray[np.float16]
    intensity: NDArray[np.float16]
    present: NDArray[np.int8]
    emotion: NDArray[np.int8]
    emotion_distribution: NDArray[np.float32]
    identity: NDArray[np.int32]
    real: NDArray[np.bool_]
    targets: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.identity)

    def presence(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """(n, A) of samples: 1, 0, or -1 where unknown."""
        return self.present[rows]

    def distribution(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, 8) of samples, NaN where unknown."""
        return self.emotion_distribution[rows]


def label_samples(
    protocol: Protocol,
    samples: Sequence[Sample],
    faces: PreparedFaces,
    rows: NDArray[np.int64],
    *,
    targets: NDArray[np.uint8],
) -> LabelledSamples:
    """The labels that count in a protocol, and the intensities of its units where they are coded.

    Args:
        protocol: its labels are the units; it says when a unit is present.
        samples: N of them.
        faces: of the whole set.
        rows: (N,) the samples' numbers among the faces.
        targets: (T, 256, 256, 3) target faces.
    """
    reads_units = protocol.task in ("presence", "intensity")
    units = protocol.labels if reads_units else ACTION_UNIT_NAMES
    place = {unit: i for i, unit in enumerate(units)}
    shape = (len(samples), len(units))
    intensity = np.full((*shape, 3), np.nan, np.float16)
    present = np.full(shape, -1, np.int8)
    emotion = np.full(len(samples), -1, np.int8)
    distribution = np.full((len(samples), len(EMOTIONS)), np.nan, np.float32)
    for n, sample in enumerate(samples):
        truth = protocol.truth(sample)
        if protocol.task == "emotion":
            assert sample.emotion is not None
            emotion[n] = EMOTIONS.index(sample.emotion)
            distribution[n] = _shares(sample, protocol.labels)
        if not reads_units:
            continue
        for unit in units:
            if unit in sample.intensity:
                intensity[n, place[unit], 0] = sample.intensity[unit]
            if protocol.task == "presence" and unit in truth:
                present[n, place[unit]] = int(truth[unit])
            elif unit in sample.intensity:
                present[n, place[unit]] = int(sample.intensity[unit] >= PRESENCE_INTENSITY)
    people = np.unique([s.subject for s in samples], return_inverse=True)[1]
    return LabelledSamples(
        units=tuple(units),
        original=ChosenRows(faces.image, rows),
        geometry=faces.geometry[rows],
        intensity=intensity,
        present=present,
        emotion=emotion,
        emotion_distribution=distribution,
        identity=people.astype(np.int32),
        real=np.ones(len(samples), bool),
        targets=targets,
    )


def _shares(sample: Sample, labels: Sequence[str]) -> NDArray[np.float32]:
    """(8,) the sample's votes on the emotions that count; NaN where it has none on them."""
    votes = sample.emotion_distribution or {}
    shares = np.array([votes.get(e, 0.0) if e in labels else 0.0 for e in EMOTIONS], np.float32)
    total = shares.sum()
    return shares / total if total > 0 else np.full_like(shares, np.nan)
