"""What the training loops share: length, learning rate, weight average, stopping, the record."""

from __future__ import annotations

import copy
import json
import math
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

import torch
from rich.console import Console
from torch import nn

from norface.training.config import RunConfig

T = TypeVar("T")


class Schedule:
    """How far a run is, in steps or in time, over all its parts.

    Attributes:
        step: steps done.
        seconds: time worked, without interruptions.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config
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
        if self._config.steps is not None:
            return min(self.step / self._config.steps, 1.0)
        assert self._config.minutes is not None
        return min(self.seconds / (60.0 * self._config.minutes), 1.0)

    @property
    def done(self) -> bool:
        """Whether the run is at its end."""
        return self.progress >= 1.0

    @property
    def rate(self) -> float:
        """Learning rate relative to its peak: linear warm-up, then a cosine to zero."""
        warmup = self._config.warmup
        if self.progress < warmup:
            # A little at the first step, lest it be wasted.
            return max(self.progress / warmup, 0.01)
        return 0.5 * (1.0 + math.cos(math.pi * (self.progress - warmup) / (1.0 - warmup)))

    @property
    def seconds_left(self) -> float:
        """Estimate of the time left."""
        share = max(self.progress, 1e-6)
        return self.seconds * (1.0 - share) / share


N = TypeVar("N", bound=nn.Module)


class WeightAverage(Generic[N]):
    """Exponential moving average of a network's weights; its buffers are copied.

    The average is short at first and grows to `decay`, so that it is never led by the
    initialization.
    """

    def __init__(self, network: N, decay: float) -> None:
        self.network: N = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay
        self._pairs = list(zip(self.network.parameters(), network.parameters(), strict=True))
        self._buffers = list(zip(self.network.buffers(), network.buffers(), strict=True))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimizer step `step` (counted from 1)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        own: list[torch.Tensor] = [a for a, b in self._pairs if b.requires_grad]
        new: list[torch.Tensor] = [b for _, b in self._pairs if b.requires_grad]
        torch._foreach_lerp_(own, new, 1.0 - decay)
        for a, b in self._buffers:
            a.copy_(b)


def parameter_groups(
    parts: dict[str, tuple[nn.Module, float]], weight_decay: float
) -> list[dict[str, Any]]:
    """Groups of AdamW; vectors (biases, norms) do not decay, frozen parameters are left out.

    Args:
        parts: name -> (module, learning rate); a parameter belongs to the first that has it.
        weight_decay: of the rest.
    """
    seen: set[int] = set()
    groups = []
    for module, rate in parts.values():
        matrices: list[nn.Parameter] = []
        vectors: list[nn.Parameter] = []
        for parameter in module.parameters():
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                (matrices if parameter.ndim > 1 else vectors).append(parameter)
        for members, decay in ((matrices, weight_decay), (vectors, 0.0)):
            if members:
                groups.append({"params": members, "weight_decay": decay, "lr": rate, "peak": rate})
    return groups


class StopRequest:
    """Turns the first SIGINT or SIGTERM into a wish to stop after the step; a second one kills."""

    def __init__(self) -> None:
        self.asked = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        # Signal handlers can be set in the main thread only; elsewhere a run is just not stopped.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _ask(self, number: int, _: FrameType | None) -> None:
        self.asked = True
        signal.signal(number, self._previous[number])


class Record:
    """Writes ``log.jsonl`` of a run and says now and then how it goes."""

    def __init__(self, out: Path, console: Console, every: float = 15.0) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._path = out / "log.jsonl"
        self._console = console
        self._every = every
        self._sums: dict[str, float] = {}
        self._count = 0
        self._samples = 0
        self._since = time.monotonic()

    def add(self, samples: int, **values: float) -> None:
        """Take in the losses of a step."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        self._samples += samples

    def report(self, schedule: Schedule, *, force: bool = False) -> None:
        """Write the means since the last report, if it is time."""
        elapsed = time.monotonic() - self._since
        if self._count == 0 or (elapsed < self._every and not force):
            return
        means = {name: value / self._count for name, value in self._sums.items()}
        speed = self._samples / max(elapsed, 1e-6)
        self.write(step=schedule.step, seconds=schedule.seconds, speed=speed, **means)
        losses = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        self._console.print(
            f"[bold]{100 * schedule.progress:5.1f}%[/]  step {schedule.step}  {losses}  "
            f"{speed:.0f} samples/s  {_clock(schedule.seconds_left)} left",
            highlight=False,
        )
        self._sums, self._count, self._samples = {}, 0, 0
        self._since = time.monotonic()

    def write(self, **values: Any) -> None:
        """Add a line to the log."""
        with self._path.open("a") as stream:
            stream.write(json.dumps(values) + "\n")

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False)


@contextmanager
def ahead(make: Callable[[int], T], first: int, depth: int = 4) -> Iterator[Iterator[T]]:
    """Iterate over make(first), make(first + 1), ..., computed by a thread that runs ahead.

    What a step gets depends on its number alone, so a resumed run sees what it would have seen.
    """
    results: queue.Queue[T | BaseException] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def work() -> None:
        step = first
        while not stop.is_set():
            try:
                item: T | BaseException = make(step)
            except BaseException as error:
                item = error
            while not stop.is_set():
                try:
                    results.put(item, timeout=0.2)
                    break
                except queue.Full:
                    continue
            if isinstance(item, BaseException):
                return
            step += 1

    def items() -> Iterator[T]:
        while True:
            item = results.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield items()
    finally:
        stop.set()
        thread.join(timeout=10.0)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
