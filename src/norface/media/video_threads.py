"""Reading in a thread of its own, so that decoding and what follows overlap."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


def read_ahead(frames: Iterable[T], count: int) -> Generator[T, None, None]:
    """Give what an iterable gives, while a thread already reads what comes next.

    The thread ends, and a generator that it read is closed, when all is read, when reading fails,
    or when the reader stops early and closes this generator (as leaving a loop and dropping it
    does). What fails in the thread is raised here, after all that was read before.

    Args:
        frames: read in the thread alone.
        count: at most so many are held, 1 or more.

    Raises:
        ValueError: ``count`` is less than 1.
    """
    if count < 1:
        raise ValueError(f"count {count} must be 1 or more")
    return _read_ahead(frames, count)


def _read_ahead(frames: Iterable[T], count: int) -> Generator[T, None, None]:
    # The thread holds one more while the queue is full, and the reader has one.
    ready: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(max(1, count - 1))
    stopped = threading.Event()

    def put(item: tuple[T] | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def read() -> None:
        end: BaseException | None = None
        try:
            for frame in frames:
                put((frame,))
                del frame
                if stopped.is_set():
                    break
        except BaseException as error:
            end = error
        finally:
            if isinstance(frames, Generator):
                frames.close()
        put(end)

    thread = threading.Thread(target=read, name="norface-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item[0]
            del item
    finally:
        stopped.set()
        thread.join()
