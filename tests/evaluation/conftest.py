"""Made-up predictions for tests: people with a resting face of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from norface import facs
from norface.evaluation.predictions import Predictions

Make = Callable[..., Predictions]

UNITS = ("AU01", "AU04", "AU12")


def _frames(people: int, frames: int) -> dict[str, np.ndarray]:
    place = np.repeat(np.arange(people), frames)
    number = np.tile(np.arange(frames), people)
    return {
        "path": np.char.add("clip", place.astype(str)),
        "frame": number,
        "subject": np.char.add("S", np.char.zfill(place.astype(str), 3)),
        "sequence": np.char.add("T", (number // 8).astype(str)),
        "fold": place % 3,
    }


def _intensities(
    people: int = 12, frames: int = 40, *, person: float = 0.0, noise: float = 0.5, seed: int = 0
) -> Predictions:
    """Readings = truth + an offset of the person + noise; the first frame is neutral."""
    random = np.random.default_rng(seed)
    n = people * frames
    truth = random.choice(6, size=(n, len(UNITS)), p=[0.6, 0.1, 0.1, 0.1, 0.05, 0.05]).astype(float)
    neutral = np.arange(n) % frames == 0
    truth[neutral] = 0
    offset = person * random.normal(size=(people, len(UNITS))).repeat(frames, axis=0)
    score = truth + offset + noise * random.normal(size=truth.shape)
    return Predictions.of(
        "intensity", UNITS, truth=truth, score=score, neutral=neutral, **_frames(people, frames)
    )


def _presences(people: int = 12, frames: int = 40, *, seed: int = 0) -> Predictions:
    """Probabilities that are what they say."""
    random = np.random.default_rng(seed)
    shape = (people * frames, len(UNITS))
    odds = 1.5 * random.normal(size=shape) - 0.5
    score = 1 / (1 + np.exp(-odds))
    truth = (random.random(shape) < score).astype(float)
    return Predictions.of("presence", UNITS, truth=truth, score=score, **_frames(people, frames))


def _emotions(count: int = 300, *, seed: int = 0) -> Predictions:
    """Seven classes of pictures without subjects."""
    random = np.random.default_rng(seed)
    names = facs.EMOTIONS[:7]
    true = random.integers(7, size=count)
    odds = random.normal(size=(count, 7)) + 1.5 * np.eye(7)[true]
    score = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    return Predictions.of(
        "emotion", names, truth=np.eye(7)[true], score=score,
        path=[f"{i:05}.png" for i in range(count)],
    )  # fmt: skip


@pytest.fixture
def intensities() -> Make:
    return _intensities


@pytest.fixture
def presences() -> Make:
    return _presences


@pytest.fixture
def emotions() -> Make:
    return _emotions
