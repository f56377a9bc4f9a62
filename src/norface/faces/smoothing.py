"""Smoothing of what is read from each person of a video, by true time.

Three ways, and the first is the default everywhere:

- ``off``: values pass unchanged;
- ``causal``: the One Euro filter (Casiez, Roussel and Vogel, CHI 2012): an exponential mean whose
  cutoff rises with the speed of the change, so that a still face is calm and an onset comes
  through. A value depends on the past alone;
- ``centred``: a mean weighted by a bell curve over the moments before *and after*. It delays
  nothing, but needs frames to come: a row is given out once those are there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Mode = Literal["off", "causal", "centred"]
Values = NDArray[np.float64]
Row = TypeVar("Row")

_SPEED_CUTOFF: Final = 1.0
"""Hertz; of the mean speed that sets the cutoff of the values."""

_LONGEST_GAP: Final = 1.0
"""Seconds out of sight after which the causal filter starts anew."""

_WIDTHS: Final = 2.0
"""Standard deviations of the bell curve that count on either side."""


class Smoother(Generic[Row]):
    """Smooths the values of each person; rows go in and come out in the same order.

    A missing value (NaN) stays missing and changes no other.
    """

    def __init__(
        self,
        *,
        mode: Mode = "off",
        cutoff: float = 1.5,
        speed: float = 0.5,
        seconds: float = 0.08,
    ) -> None:
        """Choose how to smooth.

        Args:
            mode: ``off``, ``causal`` or ``centred``.
            cutoff: of ``causal``, in hertz, for values that do not change; lower is calmer.
            speed: of ``causal``: by how many hertz the cutoff rises for a change of one a second.
            seconds: of ``centred``: standard deviation of the bell curve.
        """
        if mode not in ("off", "causal", "centred"):
            raise ValueError(f"mode must be off, causal or centred: {mode}")
        if cutoff <= 0 or speed < 0 or seconds <= 0:
            raise ValueError("cutoff and seconds must be above 0, and speed not negative")
        self._mode = mode
        self._cutoff = cutoff
        self._speed = speed
        self._seconds = seconds
        self._states: dict[int, _State] = {}
        self._waiting: deque[_Waiting[Row]] = deque()
        self._near: deque[_Waiting[Row]] = deque()

    def push(
        self, row: Row, time: float, person: int | None = None, values: ArrayLike = ()
    ) -> Iterator[tuple[Row, Values]]:
        """Take one row and give out those that are ready, each with its smoothed values.

        Args:
            row: anything; it is handed back with its values.
            time: in seconds, not before that of the last row.
            person: whose values they are; None for a frame without a face.
            values: (C,) one for each column; NaN where missing.
        """
        given = np.asarray(values, np.float64)
        if self._mode != "centred":
            smoothed = given if self._mode == "off" else self._causal(time, person, given)
            yield row, smoothed
            return
        entry = _Waiting(row, time, person, given)
        self._waiting.append(entry)
        self._near.append(entry)
        yield from self._ready(time)

    def flush(self) -> Iterator[tuple[Row, Values]]:
        """Give out all rows that still wait, at the end of the file."""
        yield from self._ready(np.inf)

    def _causal(self, time: float, person: int | None, values: Values) -> Values:
        if person is None:
            return values
        state = self._states.get(person)
        if state is None or time - state.time > _LONGEST_GAP:
            self._states[person] = _State(time, values.copy(), np.zeros_like(values))
            return values
        passed = time - state.time
        if passed <= 0:
            return values
        known = np.isfinite(values)
        started = known & ~np.isfinite(state.values)
        before = np.where(started, values, state.values)
        speed = np.where(known, (values - before) / passed, 0.0)
        speed = state.speed + _weight(_SPEED_CUTOFF, passed) * (speed - state.speed)
        weight = _weight(self._cutoff + self._speed * np.abs(speed), passed)
        smoothed = np.where(known, before + weight * (values - before), before)
        self._states[person] = _State(time, smoothed, np.where(known, speed, state.speed))
        return np.where(known, smoothed, np.nan)

    def _ready(self, now: float) -> Iterator[tuple[Row, Values]]:
        reach = _WIDTHS * self._seconds
        while self._waiting and self._waiting[0].time + reach < now:
            entry = self._waiting.popleft()
            while self._near[0].time < entry.time - reach:
                self._near.popleft()
            yield entry.row, self._centred(entry, reach)

    def _centred(self, entry: _Waiting[Row], reach: float) -> Values:
        if entry.person is None:
            return entry.values
        near = [
            other
            for other in self._near
            if other.person == entry.person and abs(other.time - entry.time) <= reach
        ]
        values = np.stack([other.values for other in near])
        away = np.array([other.time - entry.time for other in near]) / self._seconds
        weights = np.exp(-(away**2) / 2)[:, None] * np.isfinite(values)
        total = weights.sum(axis=0)
        mean = (weights * np.nan_to_num(values)).sum(axis=0) / np.where(total > 0, total, 1.0)
        return np.where(np.isfinite(entry.values), mean, np.nan)


@dataclass(slots=True)
class _State:
    time: float
    values: Values
    speed: Values


@dataclass(slots=True)
class _Waiting(Generic[Row]):
    row: Row
    time: float
    person: int | None
    values: Values


def _weight(cutoff: float | Values, passed: float) -> Values:
    """Weight of a new value in an exponential mean with this cutoff in hertz."""
    turned = 2 * np.pi * np.asarray(cutoff, np.float64) * passed
    return turned / (turned + 1.0)
