"""How far a run is: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from norface.cli.console import printable
from norface.cli.work.units import Unit

_SECONDS_BETWEEN: Final = 60.0
_LONGEST_NAME: Final = 30


class WorkProgress:
    """Shows how many pictures and frames are done, how many a second, and the time left.

    A context manager.

    Args:
        units: of the run.
        done: those that are done already.
        console: for messages.
    """

    def __init__(self, *, units: Sequence[Unit], done: Sequence[Unit], console: Console) -> None:
        pictures = sum(len(unit.pictures) for unit in units)
        self._videos = sum(unit.video is not None for unit in units)
        self._quiet = not console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=self._quiet or (pictures <= 1 and not self._videos),
        )
        self.console = self._bars.console
        self._counts = {unit.index: len(unit.pictures) for unit in done if unit.video is None}
        self._videos_done = sum(unit.video is not None for unit in done)
        self._total = pictures
        self._pictures = self._all_videos = None
        if pictures:
            self._pictures = self._bars.add_task(
                "Pictures", total=pictures, completed=sum(self._counts.values())
            )
        if self._videos > 1:
            self._all_videos = self._bars.add_task(
                "Videos", total=self._videos, completed=self._videos_done
            )
        self._tasks: dict[int, TaskID] = {}
        self._started = self._said = time.monotonic()
        self._before = sum(self._counts.values())
        self._frames: dict[int, int] = {}

    def __enter__(self) -> WorkProgress:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def tell(self, unit: Unit, done: int, of: int | None) -> None:
        """So many pictures or frames of a unit are done, of so many if that is known."""
        if unit.video is None:
            self._counts[unit.index] = done
            if self._pictures is not None:
                self._bars.update(self._pictures, completed=sum(self._counts.values()))
        else:
            self._frames[unit.index] = done
            if unit.index not in self._tasks:
                name = printable(unit.video.input)
                name = name if len(name) <= _LONGEST_NAME else "..." + name[3 - _LONGEST_NAME :]
                self._tasks[unit.index] = self._bars.add_task(name, total=of, completed=done - 1)
            self._bars.update(self._tasks[unit.index], completed=done)
        if self._quiet and time.monotonic() - self._said > _SECONDS_BETWEEN:
            self._say(unit, done, of)

    def finished(self, unit: Unit) -> None:
        """A unit is done."""
        if unit.video is None:
            return
        self._videos_done += 1
        if unit.index in self._tasks:
            self._bars.remove_task(self._tasks.pop(unit.index))
        if self._all_videos is not None:
            self._bars.update(self._all_videos, completed=self._videos_done)

    def _say(self, unit: Unit, done: int, of: int | None) -> None:
        self._said = time.monotonic()
        passed = self._said - self._started
        words = []
        if self._total:
            count = sum(self._counts.values())
            rate = (count - self._before) / passed
            words.append(f"{count} of {self._total} pictures")
            if rate:
                words.append(f"{rate:.1f}/s, {(self._total - count) / rate / 60:.0f} minutes left")
        if unit.video is not None:
            words.append(f"{unit.video.input}: frame {done}" + (f" of about {of}" if of else ""))
        if self._videos:
            words.append(f"{self._videos_done} of {self._videos} videos")
        self.console.print(printable(", ".join(words)), style="dim")


class _Rate(ProgressColumn):
    """Pictures or frames a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")
