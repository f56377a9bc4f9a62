"""Which samples a process computes, and making them ahead of time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
S = TypeVar("S", bound=np.generic)


class Part(NamedTuple):
    """One of the equal parts of a batch; every process and every accumulation step has its own.

    Attributes:
        number: which part.
        parts: how many there are.
    """

    number: int
    parts: int

    def of(self, samples: NDArray[S]) -> NDArray[S]:
        """This part of the numbers of the samples of a whole batch."""
        return samples[self.number :: self.parts]


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
