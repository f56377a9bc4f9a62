"""A run of ``norface normalize``: what became of each file, noted in a table as it is done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from norface.cli.console import counted, naming, output, printable
from norface.cli.normalize_folder import COLUMNS, NormalizeFolder
from norface.cli.normalize_plan import NormalizePlan
from norface.cli.normalize_task import Normalized, NormalizeTask, NormalizeUnit, cut_into_units
from norface.cli.work.processes import do_in_processes, threads_each
from norface.runtime.analyzer import Norface
from norface.tables.writers import CsvTable

_VOICES: Final = (
    "The sound of videos is kept, and voices identify people: --no-sound leaves it out."
)


@dataclass(slots=True)
class NormalizeRun:
    """What is to be done, and what has been done so far."""

    task: NormalizeTask
    plan: NormalizePlan
    err: Console
    pictures: int = 0
    videos: int = 0
    faces: int = 0
    without_face: int = 0
    failed: int = 0
    earlier: int = 0
    _pictures_left: int = 0
    _noted: set[str] = field(default_factory=set)
    _table: CsvTable = field(init=False)
    _progress: Progress = field(init=False)
    _tasks: dict[int, TaskID] = field(default_factory=dict)

    @property
    def folder(self) -> NormalizeFolder:
        """Where the results go."""
        return self.task.folder

    def carry_out(self, norface: Norface, workers: int, *, taken_up: bool) -> None:
        """Do what is not done yet: pictures first, then videos.

        Args:
            norface: finds and normalizes the faces, if there is one worker; else each has its own.
            workers: processes that share the work.
            taken_up: whether an earlier run is gone on with.

        Raises:
            CommandError: an original has changed since it was done.
            OSError: the results cannot be written.
        """
        done = self.folder.done() if taken_up else {}
        self.folder.refuse_changed(self.plan, done)
        items = [item for item in self.plan.items if item.input not in done]
        self.earlier = len(self.plan.items) - len(items)
        self._pictures_left = sum(not item.is_video for item in items)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self.err,
            transient=True,
            disable=not self.err.is_terminal or not items,
        )
        with CsvTable(self.folder.table, COLUMNS, append=taken_up) as self._table, self._progress:
            for name, reason in self.plan.problems:
                if name not in done:
                    self._fail(name, reason)
            if self.task.sound and any(item.is_video for item in items):
                self.err.print(_VOICES, style="yellow")
            for unit in self._done(cut_into_units(items), norface, workers):
                if unit.items[0].is_video:
                    self._progress.remove_task(self._bar(unit))

    def _done(
        self, units: list[NormalizeUnit], norface: Norface, workers: int
    ) -> Iterator[NormalizeUnit]:
        if workers > 1 and units:
            norface.close()
            task = replace(self.task, threads=threads_each(workers, self.task.threads))
            yield from do_in_processes(
                task, units, min(workers, len(units)), tell=self._hear, give_up=self._give_up
            )
            return
        for unit in units:
            self.task.normalize(norface, unit.items, partial(self._hear, unit))
            yield unit

    def _hear(self, unit: NormalizeUnit, *said: Any) -> None:
        """Note what became of a file, or how far a video is."""
        bar = self._bar(unit)
        if not isinstance(said[0], Normalized):
            self._progress.update(bar, completed=said[0], total=said[1])
            return
        self._note(said[0])
        if not said[0].item.is_video:
            self._progress.advance(bar)
            speed = self._progress.tasks[self._progress.task_ids.index(bar)].speed
            if speed:
                self._progress.update(bar, rate=f"{speed:.1f}/s")

    def _bar(self, unit: NormalizeUnit) -> TaskID:
        """All pictures have one bar, each video has its own."""
        is_video = unit.items[0].is_video
        key = unit.index if is_video else -1
        if key not in self._tasks:
            name = printable(unit.items[0].path.name) if is_video else "Pictures"
            total = None if is_video else self._pictures_left
            self._tasks[key] = self._progress.add_task(name, total=total, rate="")
        return self._tasks[key]

    def _give_up(self, unit: NormalizeUnit, why: str) -> str:
        """Two workers died of a unit: of the first file that has no row yet."""
        for item in unit.items:
            if item.input not in self._noted:
                self._note(Normalized(item=item, note=why, failed=True))
                break
        return why

    def _note(self, made: Normalized) -> None:
        name = made.item.input
        self._noted.add(name)
        if made.failed:
            self._fail(name, made.note)
            return
        self.videos += made.item.is_video
        self.pictures += not made.item.is_video
        self.faces += made.faces or 0
        self.without_face += not made.item.is_video and not made.faces
        if made.note:
            self.err.print(printable(f"{name}: {made.note}"), style="yellow")
        # One row a file, written at once: after a kill a file is done or not begun.
        self._table.write(made.row())

    def _fail(self, name: str, reason: str) -> None:
        """Note what could not be normalized."""
        self.failed += 1
        self._table.write({**dict.fromkeys(COLUMNS, ""), "input": name, "note": reason})
        self.err.print(printable(naming(name, reason)), style="red")

    def report(self) -> None:
        """Print what was done."""
        words = []
        if self.earlier:
            words.append(f"{self.earlier} done before")
        words += [
            counted(n, what)
            for n, what in ((self.pictures, "picture"), (self.videos, "video"))
            if n
        ]
        words.append(counted(self.faces, "face"))
        if self.without_face:
            words.append(f"{self.without_face} without a face")
        summary = ", ".join(words) + f" -> {self.folder.folder}{os.sep}"
        output().print(printable(summary), soft_wrap=True)
        if self.failed:
            said = f"{self.failed} could not be normalized: see {self.folder.table}"
            output().print(printable(said), style="red", soft_wrap=True)
