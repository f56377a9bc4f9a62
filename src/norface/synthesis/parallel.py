"""Work spread over processes, with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from threading import Thread
from time import sleep
from typing import TypeVar

import cv2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
R = TypeVar("R")


def in_processes(
    work: Callable[[T], R], jobs: Iterable[T], label: str, workers: int | None = None
) -> Iterator[R]:
    """Map ``work`` over ``jobs`` in fresh processes, in order."""
    jobs = list(jobs)
    # Each process keeps to one core: the libraries' own threads would only fight.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    count = max(1, min(workers or os.cpu_count() or 1, len(jobs)))
    with (
        ProcessPoolExecutor(
            count, mp_context=get_context("spawn"), initializer=_start_worker
        ) as pool,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
    ):
        yield from progress.track(pool.map(work, jobs), total=len(jobs), description=label)


def _start_worker() -> None:
    cv2.setNumThreads(0)
    Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()


def _leave_with_parent(parent: int) -> None:
    """End a worker whose parent was killed: nobody would ever tell it to stop."""
    while os.getppid() == parent:
        sleep(2)
    os._exit(1)
