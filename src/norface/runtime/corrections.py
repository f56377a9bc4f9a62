"""Readings of people over time: their resting face taken away, and smoothed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from norface.faces.baseline import NeutralBaseline
from norface.faces.smoothing import Mode, Smoother
from norface.facs import MAXIMUM_INTENSITY
from norface.results import ActionUnit, FaceAnalysis, FrameAnalysis

BaselineMode = Literal["off", "running", "file"]
"""Whether a person's resting readings are taken away from the intensities: those of the frames so
far, or those of the whole file, for which it is read twice."""

BASELINES: Final[tuple[str, ...]] = get_args(BaselineMode)
SMOOTHINGS: Final[tuple[str, ...]] = get_args(Mode)

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What is done to the readings.

    Attributes:
        smoothing: ``off``, ``causal`` or ``centred``.
        baseline: ``off``, ``running`` or ``file``.
        thresholds: by unit, the probability from which it is called present; without one, whether
            it is present is left as it was.
    """

    smoothing: Mode = "off"
    baseline: BaselineMode = "off"
    thresholds: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check the values."""
        if self.smoothing not in SMOOTHINGS:
            raise ValueError(f"smoothing must be {', '.join(SMOOTHINGS)}: {self.smoothing}")
        if self.baseline not in BASELINES:
            raise ValueError(f"baseline must be {', '.join(BASELINES)}: {self.baseline}")


class Rest:
    """What people's faces read at rest."""

    def __init__(self) -> None:
        self._baseline: NeutralBaseline | None = None

    def observe(self, frame: FrameAnalysis) -> None:
        """Count a frame."""
        for face in frame.faces:
            intensities = _intensities(face)
            if self._baseline is None and len(intensities):
                self._baseline = NeutralBaseline(
                    columns=len(intensities), highest=MAXIMUM_INTENSITY
                )
            if self._baseline is not None:
                self._baseline.observe(face.face_id, intensities)

    def taken_from(self, face: FaceAnalysis) -> Values:
        """(3 A,) intensities of a face above its person's rest."""
        intensities = _intensities(face)
        if self._baseline is None:
            return intensities
        return self._baseline.subtract(face.face_id, intensities)


def corrected(
    frames: Iterable[FrameAnalysis], corrections: Corrections, rest: Rest | None = None
) -> Iterator[FrameAnalysis]:
    """The same frames with corrected intensities, probabilities and emotions.

    Args:
        frames: in the order of their times. With ``centred`` they come out 0.16 s later.
        corrections: what to do.
        rest: of the whole file, for the baseline ``file``.

    Raises:
        ValueError: the baseline is ``file``, and ``rest`` is missing.
    """
    if corrections.baseline == "file" and rest is None:
        raise ValueError("the resting face of the whole file has to be observed first")
    running = corrections.baseline == "running"
    at_rest = Rest() if running else rest
    if corrections.baseline == "off" and corrections.smoothing == "off":
        yield from frames
        return
    smoother: Smoother[tuple[FrameAnalysis, int]] = Smoother(mode=corrections.smoothing)
    done: list[FaceAnalysis] = []

    def finished(
        rows: Iterable[tuple[tuple[FrameAnalysis, int], Values]],
    ) -> Iterator[FrameAnalysis]:
        for (frame, i), values in rows:
            if frame.faces:
                done.append(_with(frame.faces[i], values, corrections))
            if len(done) == len(frame.faces):
                yield replace(frame, faces=tuple(done))
                done.clear()

    for frame in frames:
        if running and at_rest is not None:
            at_rest.observe(frame)
        for i, face in enumerate(frame.faces):
            intensities = _intensities(face) if at_rest is None else at_rest.taken_from(face)
            values = np.concatenate([intensities, _likelihoods(face)])
            yield from finished(smoother.push((frame, i), frame.time, face.face_id, values))
        if not frame.faces:
            yield from finished(smoother.push((frame, 0), frame.time))
    yield from finished(smoother.flush())


def _intensities(face: FaceAnalysis) -> Values:
    """(3 A,) whole, left and right of each unit; NaN for a unit without sides."""
    return np.array(
        [
            np.nan if value is None else value
            for unit in face.action_units.values()
            for value in (unit.intensity, unit.left, unit.right)
        ],
        np.float64,
    )


def _likelihoods(face: FaceAnalysis) -> Values:
    """(A + 8,) probabilities of the units and of the emotions."""
    units = [unit.probability for unit in face.action_units.values()]
    return np.array([*units, *face.emotions.values()], np.float64)


def _with(face: FaceAnalysis, values: Values, corrections: Corrections) -> FaceAnalysis:
    """The face with other values; probabilities change with the smoothing alone."""
    count = len(face.action_units)
    sides = values[: 3 * count].reshape(count, 3).tolist()
    chances = values[3 * count : 4 * count].tolist()
    units = {
        name: _unit(unit, side, chance, corrections.thresholds.get(name), corrections.smoothing)
        for (name, unit), side, chance in zip(
            face.action_units.items(), sides, chances, strict=True
        )
    }
    emotions = dict(zip(face.emotions, values[4 * count :].tolist(), strict=True))
    return replace(
        face,
        action_units=units,
        emotion=max(emotions, key=emotions.__getitem__) if emotions else None,
        emotions=emotions,
    )


def _unit(
    unit: ActionUnit, sides: Sequence[float], chance: float, threshold: float | None, mode: Mode
) -> ActionUnit:
    keeps = mode == "off" or threshold is None
    return ActionUnit(
        intensity=sides[0],
        probability=chance,
        present=unit.present if keeps or threshold is None else chance >= threshold,
        left=None if unit.left is None else sides[1],
        right=None if unit.right is None else sides[2],
    )
