"""How far a run is, and the learning rate there."""

from __future__ import annotations

import math
import time


class Schedule:
    """How far a run is, in steps or in time, over all its parts.

    Args:
        steps: the run's length in optimizer steps, or None for
        minutes: its length in minutes of work.
        warmup: share of the run in which the learning rate rises.

    Attributes:
        step: steps done.
        seconds: time worked, without interruptions.
    """

    def __init__(self, *, steps: int | None, minutes: float | None, warmup: float) -> None:
        if (steps is None) == (minutes is None):
            raise ValueError("give either steps or minutes")
        self._steps, self._minutes, self._warmup = steps, minutes, warmup
        self.step = 0
        self.seconds = 0.0
        self._last = time.monotonic()

    def start(self, step: int = 0, seconds: float = 0.0) -> None:
        """Begin, or go on from where a state left off."""
        self.step, self.seconds = step, seconds
        self._last = time.monotonic()

    def advance(self) -> None:
        """Count a step and the time it took."""
        now = time.monotonic()
        self.seconds += now - self._last
        self._last = now
        self.step += 1

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0..1."""
        if self._steps is not None:
            return min(self.step / self._steps, 1.0)
        assert self._minutes is not None
        return min(self.seconds / (60.0 * self._minutes), 1.0)

    @property
    def done(self) -> bool:
        """Whether the run is at its end."""
        return self.progress >= 1.0

    @property
    def rate(self) -> float:
        """Learning rate relative to its peak: linear warm-up, then a cosine to zero."""
        if self.progress < self._warmup:
            # A little at the first step, lest it be wasted.
            return max(self.progress / self._warmup, 0.01)
        return 0.5 * (
            1.0 + math.cos(math.pi * (self.progress - self._warmup) / (1.0 - self._warmup))
        )

    @property
    def seconds_left(self) -> float:
        """Estimate of the time left."""
        share = max(self.progress, 1e-6)
        return self.seconds * (1.0 - share) / share
