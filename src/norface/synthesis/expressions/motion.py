"""What moves in a face at any time: the gaze, talking lips, and the head."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.results import Pose

Numbers = NDArray[np.float64]

# What the mouth does in a syllable: rough groups of visemes, closed lips (b, m, p) first.
_SYLLABLES: Final[tuple[dict[str, float], ...]] = (
    {"jawOpen": 0.16, "mouthClose": 0.16, "mouthPressLeft": 0.25, "mouthPressRight": 0.25},
    {"jawOpen": 0.10, "mouthRollLower": 0.35, "mouthUpperUpLeft": 0.15, "mouthUpperUpRight": 0.15},
    {"jawOpen": 0.45, "mouthLowerDownLeft": 0.25, "mouthLowerDownRight": 0.25},
    {"jawOpen": 0.22, "mouthStretchLeft": 0.30, "mouthStretchRight": 0.30,
     "mouthLowerDownLeft": 0.20, "mouthLowerDownRight": 0.20},
    {"jawOpen": 0.25, "mouthFunnel": 0.40},
    {"jawOpen": 0.12, "mouthPucker": 0.50, "mouthFunnel": 0.15},
    {"jawOpen": 0.15, "mouthShrugUpper": 0.10, "mouthLowerDownLeft": 0.15,
     "mouthLowerDownRight": 0.15},
)  # fmt: skip


def gaze_over_time(random: np.random.Generator, time: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Fixations and the saccades between them.

    Args:
        random: where chance comes from.
        time: (T,) seconds, rising.

    Returns:
        (T,) gaze to the person's left and (T,) up, each -1 to 1, and (T,) how far the lids follow
        it down, 0 to 0.35.
    """
    moments, places = [time[0] - 1.0], [random.normal(0, 0.12, 2)]
    now = time[0] + random.uniform(0.2, 1.5)
    while now <= time[-1]:
        # Most of the time people look at the camera's place.
        spread = 0.08 if random.random() < 0.55 else 0.45
        place = np.clip(random.normal(0, (spread, 0.6 * spread)), -1, 1)
        moments += [now, now + random.uniform(0.03, 0.08)]
        places += [places[-1], place]
        now = moments[-1] + random.uniform(0.2, 1.5)
    across, up = (np.interp(time, moments, [p[i] for p in places]) for i in (0, 1))
    return across, up, 0.35 * np.maximum(-up, 0)


def speech_over_time(random: np.random.Generator, time: Numbers) -> Numbers:
    """(T, 52) actions of a talking mouth: phrases of syllables with pauses between."""
    actions = np.zeros((len(time), len(FACIAL_ACTIONS)))
    loudness = random.uniform(0.5, 1.1)
    now = time[0] + random.uniform(-0.5, 1.0)
    while now <= time[-1]:
        end_of_phrase = now + random.uniform(0.6, 3.0)
        while now < end_of_phrase:
            length = random.uniform(0.16, 0.33)
            # Neighbouring syllables overlap, as lips do not rest between them.
            bump = np.exp(-0.5 * ((time - now - length / 2) / (0.42 * length)) ** 2)
            bump[bump < 0.01] = 0
            strength = loudness * random.uniform(0.6, 1.2)
            for name, value in _SYLLABLES[random.integers(len(_SYLLABLES))].items():
                column = actions[:, ACTION_INDEX[name]]
                np.maximum(column, np.minimum(value * strength, 1) * bump, out=column)
            now += length
        now += random.uniform(0.25, 1.2)
    return actions


def poses_over_time(random: np.random.Generator, time: Numbers) -> tuple[Pose, ...]:
    """How the head turns about where it is held, smoothly: T poses, degrees, near zero."""
    pitch, yaw, roll = (_drift(random, time, spread) for spread in (4.0, 7.0, 3.0))
    if random.random() < 0.3:
        pitch = pitch + _nods(random, time)
    return tuple(
        Pose(float(p), float(y), float(r)) for p, y, r in zip(pitch, yaw, roll, strict=True)
    )


def _drift(random: np.random.Generator, time: Numbers, spread: float) -> Numbers:
    """A few slow waves, 0.05 to 0.5 Hz, the slower the wider."""
    rates = random.uniform(0.05, 0.5, 4)
    sizes = random.normal(0, 1, 4) * 0.12 / (rates + 0.05)
    phases = random.uniform(0, 2 * np.pi, 4)
    waves = np.sin(2 * np.pi * time[:, None] * rates + phases)
    return np.asarray(np.clip(spread * (waves * sizes).sum(axis=1) / 2, -3 * spread, 3 * spread))


def _nods(random: np.random.Generator, time: Numbers) -> Numbers:
    """One nod of two or three dips, or a share of it where the sequence ends before."""
    start, rate = random.uniform(time[0], max(time[-1], time[0] + 0.1)), random.uniform(1.2, 2.2)
    dips = int(random.integers(2, 4))
    inside = np.clip((time - start) * rate / dips, 0, 1)
    dip = np.sin(np.pi * inside) * np.sin(np.pi * dips * inside) ** 2
    return np.asarray(-random.uniform(3, 8) * dip)
