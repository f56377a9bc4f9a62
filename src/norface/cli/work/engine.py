"""Where units are done: in this process, or in several."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from time import sleep

import cv2

from norface.cli.work.crew import Order, Tell, do_with_crew
from norface.cli.work.folder import WorkFolder
from norface.cli.work.unit import analyze_unit, analyzer
from norface.cli.work.units import Unit, WorkSettings
from norface.runtime.sessions import available_cores


def do_here(units: Sequence[Unit], settings: WorkSettings, tell: Tell) -> Iterator[Unit]:
    """Do units in this process, one after the other; each is given when it is done."""
    for unit in units:
        analyze_unit(unit, settings, tell=partial(tell, unit))
        yield unit


def do_in_processes(
    units: Sequence[Unit], settings: WorkSettings, workers: int, tell: Tell
) -> Iterator[Unit]:
    """Do units in so many processes; each is given when it is done, in any order.

    A process that dies is replaced, and its unit tried again with care. What ends a second process
    is noted as unreadable: a picture alone, or what is left of a video.

    Raises:
        OSError, WeightsError, ValueError: as `analyze_unit`; the processes are ended.
    """
    return do_with_crew(_Crew(settings, workers), units, settings, workers, tell)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    order: Order


class _Crew:
    """The processes: those that do a unit, and those that wait for one."""

    def __init__(self, settings: WorkSettings, workers: int) -> None:
        threads = settings.threads or max(1, available_cores() // workers)
        self._settings = replace(settings, threads=threads)
        self._context = get_context("spawn")
        self._idle: list[_Worker] = []
        self.busy: list[_Worker] = []

    def give(self, order: Order) -> None:
        """Have a unit done."""
        if self._idle:
            worker = self._idle.pop()
            worker.order = order
        else:
            here, there = self._context.Pipe()
            process = self._context.Process(
                target=_work, args=(there, self._settings, os.getpid()), daemon=True
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


def _work(connection: Connection, settings: WorkSettings, parent: int) -> None:
    """What a process does: one unit after the other, until it is ended."""
    # Ctrl-C reaches every process of a terminal; the first one decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with, args=(parent,), daemon=True).start()
    cv2.setNumThreads(settings.threads or 0)
    WorkFolder(settings.results.work).join_in()
    try:
        analyzer(settings)
        while True:
            order: Order = connection.recv()
            analyze_unit(
                order.unit,
                settings,
                tell=lambda done, of: connection.send((done, of)),
                careful=order.careful,
                given_up=order.given_up,
            )
            connection.send(None)
    except EOFError:
        return
    except Exception as error:
        connection.send(sendable(error))


def sendable(error: Exception) -> Exception:
    """The error as the other process will have it; libraries' own may not survive the way."""
    known = type(error).__module__.partition(".")[0] in ("builtins", "norface")
    return error if known else RuntimeError(f"{type(error).__name__}: {error}")


def _leave_with(parent: int) -> None:
    """End a process whose parent was killed: nobody would ever tell it to stop."""
    while os.getppid() == parent:
        sleep(0.2)
    os._exit(1)
