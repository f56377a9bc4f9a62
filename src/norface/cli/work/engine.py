"""Where the units of an analysis are done: in this process, or in several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from norface.cli.folder_lock import FolderLock
from norface.cli.work.crew import Order, Tell
from norface.cli.work.folder import WorkFolder
from norface.cli.work.processes import do_in_processes, threads_each
from norface.cli.work.unit import analyze_unit, analyzer, give_up
from norface.cli.work.units import Unit, WorkSettings


def analyze_here(units: Sequence[Unit], settings: WorkSettings, tell: Tell) -> Iterator[Unit]:
    """Do units in this process, one after the other; each is given when it is done."""
    for unit in units:
        analyze_unit(unit, settings, tell=partial(tell, unit))
        yield unit


def analyze_in_processes(
    units: Sequence[Unit], settings: WorkSettings, workers: int, tell: Tell
) -> Iterator[Unit]:
    """Do units in so many processes; each is given when it is done, in any order.

    A process that dies is replaced, and its unit tried again with care. What ends a second process
    is noted as unreadable: a picture alone, or what is left of a video.

    Raises:
        OSError, WeightsError, ValueError: as `analyze_unit`; the processes are ended.
    """
    threads = threads_each(workers, settings.threads)
    task = Analysis(replace(settings, threads=threads))
    abandon = partial(give_up, work=WorkFolder(settings.results.work))
    return do_in_processes(task, units, workers, tell=tell, give_up=abandon)


@dataclass(slots=True)
class Analysis:
    """What each process does."""

    settings: WorkSettings
    lock: FolderLock | None = None

    @property
    def threads(self) -> int | None:
        """Of each process."""
        return self.settings.threads

    def begin(self) -> None:
        """Load the networks."""
        self.lock = WorkFolder(self.settings.results.work).lock
        self.lock.join_in()
        analyzer(self.settings)

    def do(self, order: Order[Unit], tell: Callable[..., None]) -> None:
        """Do a unit."""
        analyze_unit(
            order.unit,
            self.settings,
            tell=tell,
            careful=order.careful,
            given_up=order.given_up,
        )
