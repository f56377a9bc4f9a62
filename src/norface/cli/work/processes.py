"""Units done in several processes of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from time import sleep
from typing import Any, Protocol

import cv2

from norface.cli.work.crew import Order, Tell, U, do_with_crew
from norface.runtime.sessions import available_cores


class Task(Protocol[U]):
    """What a process does with its units; it can be pickled."""

    @property
    def threads(self) -> int | None:
        """How many each process may use."""

    def begin(self) -> None:
        """Make ready what all units need."""

    def do(self, order: Order[U], tell: Callable[..., None]) -> None:
        """Do a unit.

        Args:
            order: the unit.
            tell: takes what the first process is to hear of it.
        """


def threads_each(workers: int, threads: int | None) -> int:
    """How many threads each of some processes has, if these are not given."""
    return threads or max(1, available_cores() // workers)


def do_in_processes(
    task: Task[U],
    units: Sequence[U],
    workers: int,
    *,
    tell: Tell,
    give_up: Callable[[U, str], str],
) -> Iterator[U]:
    """Do units in so many processes; each is given when it is done, in any order.

    Args:
        task: done with each unit.
        units: to do.
        workers: number of processes.
        tell: takes a unit and what is heard of it.
        give_up: see `do_with_crew`.

    Raises:
        Exception: what the task raised; the processes are ended.
    """
    return do_with_crew(_Crew(task, get_context("spawn")), units, workers, tell, give_up)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    order: Order[Any]


class _Crew:
    """The processes: those that do a unit, and those that wait for one."""

    def __init__(self, task: Task[Any], context: Any) -> None:
        self._task = task
        self._context = context
        self._idle: list[_Worker] = []
        self.busy: list[_Worker] = []

    def give(self, order: Order[Any]) -> None:
        """Have a unit done."""
        if self._idle:
            worker = self._idle.pop()
            worker.order = order
        else:
            here, there = self._context.Pipe()
            process = self._context.Process(
                target=_work, args=(there, self._task, os.getpid()), daemon=True
            )
            process.start()
            there.close()
            worker = _Worker(process, here, order)
        self.busy.append(worker)
        # If it died idle, that shows when it is listened to.
        with suppress(OSError):
            worker.connection.send(order)

    def ready(self) -> list[_Worker]:
        """Those that have something to say, or are gone."""
        heard = wait([worker.connection for worker in self.busy])
        return [worker for worker in self.busy if worker.connection in heard]

    def rest(self, worker: _Worker) -> None:
        """A unit is done."""
        self.busy.remove(worker)
        self._idle.append(worker)

    def bury(self, worker: _Worker) -> str:
        """A process is gone; how it ended."""
        self.busy.remove(worker)
        worker.connection.close()
        worker.process.join(10)
        code = worker.process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def dismiss(self) -> None:
        """End all."""
        for worker in (*self.busy, *self._idle):
            worker.process.kill()
        for worker in (*self.busy, *self._idle):
            worker.process.join()
            worker.connection.close()


def _work(connection: Connection, task: Task[Any], parent: int) -> None:
    """What a process does: one unit after the other, until it is ended."""
    # Ctrl-C reaches every process of a terminal; the first one decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with, args=(parent,), daemon=True).start()
    cv2.setNumThreads(task.threads or 0)
    try:
        task.begin()
        while True:
            task.do(connection.recv(), partial(_say, connection))
            connection.send(None)
    except EOFError:
        return
    except Exception as error:
        connection.send(sendable(error))


def _say(connection: Connection, *said: Any) -> None:
    connection.send(said)


def sendable(error: Exception) -> Exception:
    """The error as the other process will have it; libraries' own may not survive the way."""
    known = type(error).__module__.partition(".")[0] in ("builtins", "norface")
    return error if known else RuntimeError(f"{type(error).__name__}: {error}")


def _leave_with(parent: int) -> None:
    """End a process whose parent was killed: nobody would ever tell it to stop."""
    while os.getppid() == parent:
        sleep(0.2)
    os._exit(1)
