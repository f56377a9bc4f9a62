"""Faces over time: expressions that come and go, blinks, speech, gaze and a moving head.

Timing follows what is measured in faces: onsets of spontaneous expressions take about half a second
and offsets longer (Schmidt, Ambadar, Cohn & Reed, 2006), people blink some 15 times a minute for
150 to 300 ms (Bentivoglio et al., 1997), syllables come at 3 to 6 Hz (Chandrasekaran et al., 2009),
and the eyes rest for 0.2 to 1.5 s between saccades of 30 to 80 ms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX, ACTION_UNITS, EMOTIONS, FACIAL_ACTIONS, MAXIMUM_INTENSITY
from norface.results import Pose
from norface.synthesis.expressions.exclusive import possible
from norface.synthesis.expressions.motion import gaze_over_time, poses_over_time, speech_over_time
from norface.synthesis.expressions.sampling import random_expression

Array = NDArray[np.float32]

BLINKS_A_MINUTE: Final = 15.0
BLINK: Final = "AU45"
FAINTEST: Final = 0.5
"""Least intensity at the apex, of the stronger side, of what counts as an event."""

_GAZE = [i for i, name in enumerate(FACIAL_ACTIONS) if name.startswith("eyeLook")]
_LIDS = [ACTION_INDEX[name] for name in ("eyeBlinkLeft", "eyeBlinkRight")]


@dataclass(frozen=True)
class Event:
    """One coming and going of an action unit.

    Attributes:
        unit: its name; AU45 for a blink.
        onset: first frame in which it rises.
        apex: first frame at its peak.
        offset: first frame in which it falls.
        end: first frame in which it is gone, or the number of frames.
        peak: intensity at the apex, 0 to 5: whole, left and right.
    """

    unit: str
    onset: int
    apex: int
    offset: int
    end: int
    peak: tuple[float, float, float]


@dataclass(frozen=True)
class Sequence:
    """A face over time.

    Attributes:
        fps: frames a second.
        actions: (T, 52) facial actions, 0 to 1.
        poses: T poses of the head.
        emotions: (T,) index into ``facs.EMOTIONS``: the prototype while one comes, stays and goes,
            neutral while nothing but gaze and lids moves, -1 otherwise.
        events: in the order of their onsets.
    """

    fps: float
    actions: Array = field(repr=False)
    poses: tuple[Pose, ...] = field(repr=False)
    emotions: NDArray[np.int64] = field(repr=False)
    events: tuple[Event, ...]

    @property
    def times(self) -> NDArray[np.float64]:
        """(T,) seconds."""
        return np.arange(len(self.actions)) / self.fps


def random_sequence(random: np.random.Generator, seconds: float, fps: float) -> Sequence:
    """A sequence by chance: expressions with their onset, apex and offset, and all that moves.

    Args:
        random: where chance comes from.
        seconds: length.
        fps: frames a second.
    """
    frames = max(round(seconds * fps), 1)
    time = np.arange(frames) / fps
    across, up, lids = gaze_over_time(random, time)
    speech = speech_over_time(random, time) if random.random() < 0.4 else None
    actions = np.zeros((frames, len(FACIAL_ACTIONS)))
    emotions = np.full(frames, -1)
    events = _expressions(random, time, actions, emotions)
    if speech is not None:
        # Talking goes on below what the face expresses: the stronger of the two shows.
        np.maximum(actions, speech, out=actions)
    emotions[(actions.max(axis=1) < 0.12) & (emotions < 0)] = EMOTIONS.index("neutral")
    events += _blinks(random, time, actions)
    for names, value in (
        (("eyeLookOutLeft", "eyeLookInRight"), across),
        (("eyeLookInLeft", "eyeLookOutRight"), -across),
        (("eyeLookUpLeft", "eyeLookUpRight"), up),
        (("eyeLookDownLeft", "eyeLookDownRight"), -up),
    ):
        for name in names:
            actions[:, ACTION_INDEX[name]] = np.maximum(value, 0)
    actions[:, _LIDS] = np.maximum(actions[:, _LIDS], lids[:, None])
    # A lid that closes is no longer raised.
    for side in ("Left", "Right"):
        actions[:, ACTION_INDEX["eyeWide" + side]] *= (
            1 - actions[:, ACTION_INDEX["eyeBlink" + side]]
        )
    return Sequence(
        fps,
        np.stack([possible(row) for row in actions.astype(np.float32)]),
        poses_over_time(random, time),
        emotions,
        tuple(sorted(events, key=lambda event: (event.onset, event.unit))),
    )


def ramp(time: NDArray[np.float64], start: float, end: float) -> NDArray[np.float64]:
    """0 before ``start``, 1 after ``end``, and a smooth rise (half a cosine) between."""
    share = np.clip((time - start) / max(end - start, 1e-6), 0, 1)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * share))


def _expressions(
    random: np.random.Generator,
    time: NDArray[np.float64],
    actions: NDArray[np.float64],
    emotions: NDArray[np.int64],
) -> list[Event]:
    """Expressions one after the other, each action with its own small lead or lag."""
    events: list[Event] = []
    length = time[-1] + (time[1] if len(time) > 1 else 1.0)
    now = random.uniform(0.1, 0.8)
    while now < length - 0.3:
        shown, emotion = random_expression(random)
        while emotion == EMOTIONS.index("neutral"):
            shown, emotion = random_expression(random)
        _without_gaze(shown)
        onset, apex, offset = (random.uniform(*r) for r in ((0.2, 0.8), (0.15, 2.0), (0.3, 1.2)))
        lead = random.uniform(0, 0.25 * onset)
        starts: dict[str, tuple[float, float]] = {}
        for i in np.flatnonzero(shown > 0.01):
            # Left and right of an action go together.
            name = FACIAL_ACTIONS[i].removesuffix("Left").removesuffix("Right")
            if name not in starts:
                starts[name] = (now + lead * random.random(), lead * random.random())
            begin, lag = starts[name]
            up = ramp(time, begin, begin + onset)
            down = ramp(time, begin + onset + apex + lag, begin + onset + apex + lag + offset)
            np.maximum(actions[:, i], shown[i] * (up - down), out=actions[:, i])
        events += _unit_events(time, shown, starts, onset, apex, offset)
        end = now + onset + apex + offset + 0.5 * onset
        if emotion > 0:
            emotions[(time >= now) & (time < now + onset + apex + offset)] = emotion
        now = end + random.uniform(0.1, 1.2)
    return events


def _without_gaze(actions: Array) -> None:
    """Take out of an expression where the eyes look, and how far the lids follow them down."""
    down = max(actions[ACTION_INDEX[f"eyeLookDown{side}"]] for side in ("Left", "Right"))
    for lid in _LIDS:
        if actions[lid] <= 0.35 * down + 1e-6:
            actions[lid] = 0
    actions[_GAZE] = 0


def _unit_events(
    time: NDArray[np.float64],
    shown: Array,
    starts: dict[str, tuple[float, float]],
    onset: float,
    apex: float,
    offset: float,
) -> list[Event]:
    """The action units of one expression, each from the first of its actions."""
    events = []
    for unit in ACTION_UNITS:
        names = {a.removesuffix("Left").removesuffix("Right") for a in (*unit.left, *unit.right)}
        used = [starts[name] for name in names if name in starts]
        if not used:
            continue
        left, right = (
            float(np.mean([shown[ACTION_INDEX[a]] for a in side])) * MAXIMUM_INTENSITY
            for side in (unit.left, unit.right)
        )
        if max(left, right) < FAINTEST:
            continue
        begin, lag = min(used)
        moments = (begin, begin + onset, begin + onset + apex + lag)
        event = _event(unit.name, time, (*moments, moments[2] + offset), (left, right))
        if event is not None:
            events.append(event)
    return events


def _event(
    unit: str,
    time: NDArray[np.float64],
    moments: tuple[float, float, float, float],
    sides: tuple[float, float],
) -> Event | None:
    """Moments in seconds to frames; None for what begins after the last frame."""
    onset, apex, offset, end = (int(f) for f in np.searchsorted(time, moments))
    if onset >= len(time):
        return None
    left, right = sides
    return Event(unit, onset, apex, offset, end, ((left + right) / 2, left, right))


def _blinks(
    random: np.random.Generator, time: NDArray[np.float64], actions: NDArray[np.float64]
) -> list[Event]:
    """Blinks by chance, a third of each closing and the rest opening the eye."""
    events = []
    mean_gap = 60 / BLINKS_A_MINUTE
    now = random.exponential(mean_gap) * random.random()
    while now <= time[-1]:
        length, depth = random.uniform(0.15, 0.30), random.uniform(0.85, 1.0)
        closed = (now + 0.35 * length, now + 0.5 * length)
        lid = ramp(time, now, closed[0]) - ramp(time, closed[1], now + length)
        actions[:, _LIDS] = np.maximum(actions[:, _LIDS], depth * lid[:, None])
        moments = (now, *closed, now + length)
        event = _event(BLINK, time, moments, (depth * MAXIMUM_INTENSITY,) * 2)
        if event is not None:
            events.append(event)
        # Never two within the first half second.
        now += length + 0.35 + random.exponential(mean_gap - 0.575)
    return events
