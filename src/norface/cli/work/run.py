"""One run of ``norface analyze``, from its units to what it prints."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

from norface.cli.console import (
    INTERRUPTED,
    SOME_FAILED,
    SUCCESS,
    WRONG_COMMAND,
    CommandError,
    counted,
    messages,
    naming,
    output,
    printable,
)
from norface.cli.faces_table import faces_table, units_legend
from norface.cli.plan import Plan
from norface.cli.work.engine import analyze_here, analyze_in_processes
from norface.cli.work.folder import WorkFolder
from norface.cli.work.join import Joiner
from norface.cli.work.progress import WorkProgress
from norface.cli.work.ray_cluster import do_on_ray
from norface.cli.work.unit import analyzer
from norface.cli.work.units import Engine, Unit, WorkSettings
from norface.media.private_folder import sweep_private_folders
from norface.results import FaceAnalysis
from norface.runtime.sessions import Weights
from norface.tables.part_file import TableError

_ROWS_SHOWN: Final = 40


@dataclass(slots=True)
class Run:
    """One run of the command.

    Attributes:
        planned: its inputs.
        settings: what is done with them.
        work: the ledger.
        units: all of them, done or not.
        workers: how many processes do them.
        engine: where these are.
        ray_address: of the cluster; None for one of its own.
        complete: whether all is done, and the tables are written.
    """

    planned: Plan
    settings: WorkSettings
    work: WorkFolder
    units: list[Unit]
    workers: int
    engine: Engine = "local"
    ray_address: str | None = None
    complete: bool = False
    shown: list[tuple[str, FaceAnalysis | None]] = field(default_factory=list)
    joined: Joiner | None = None
    err: Console = field(default_factory=messages)

    def carry_out(self, *, anew: bool) -> int:
        """Do what is left to do; the exit code."""
        units: tuple[str, ...] = ()
        if self.units:
            units = Weights(self.settings.weights).manifest.units
        try:
            with Joiner(
                units=self.units,
                settings=self.settings,
                work=self.work,
                columns=units,
                fail=self._fail,
                show=self._show,
            ) as joined:
                self.joined = joined
                for name, reason in self.planned.problems:
                    joined.problem(name, reason)
                try:
                    if self.units:
                        self._work(joined, anew=anew)
                except KeyboardInterrupt:
                    joined.end_early()
                    raise
                except OSError:
                    joined.end_early()
                    raise
        except KeyboardInterrupt:
            self.report()
            self.err.print(f"Stopped after {self._how_far()}. {self.kept()}", style="bold yellow")
            return INTERRUPTED
        except TableError as error:
            raise CommandError(str(error), code=WRONG_COMMAND) from error
        self.complete = True
        self.report()
        return SOME_FAILED if joined.totals.errors else SUCCESS

    def _work(self, joined: Joiner, *, anew: bool) -> None:
        inputs = [*self.planned.pictures, *self.planned.videos]
        goes_on = self.work.begin(self.settings, inputs, anew=anew)
        done = [unit for unit in self.units if self.work.done(unit) is not None]
        if goes_on:
            self.settings.results.sweep()
            self.err.print(
                f"Going on with the unfinished run in {self.settings.results.folder}: "
                f"{len(done)} of {len(self.units)} parts are done."
            )
        numbers = {unit.index for unit in done}
        left = [unit for unit in self.units if unit.index not in numbers]
        with WorkProgress(units=self.units, done=done, console=self.err) as progress:
            self.err = progress.console
            joined.go_on()
            try:
                for unit in self._engine(left, progress):
                    progress.finished(unit)
                    joined.go_on()
            finally:
                # Of workers that were ended in the middle.
                sweep_private_folders()

    def _engine(self, units: list[Unit], progress: WorkProgress) -> Iterator[Unit]:
        if not units:
            return iter(())
        if self.engine == "ray":
            count = min(self.workers, len(units))
            return do_on_ray(units, self.settings, count, self.ray_address, progress.tell)
        if self.workers > 1:
            # Even for a single unit: what kills a worker must not kill the run.
            count = min(self.workers, len(units))
            return analyze_in_processes(units, self.settings, count, progress.tell)
        try:
            norface = analyzer(self.settings)
        except ValueError as error:
            raise CommandError(str(error), code=WRONG_COMMAND) from error
        missing = [] if norface.reads_action_units else ["action units"]
        missing += [] if norface.reads_emotions else ["emotions"]
        if missing:
            said = f"These weights hold no network for {' and '.join(missing)}."
            self.err.print(said, style="yellow")
        return analyze_here(units, self.settings, progress.tell)

    def _fail(self, name: str, reason: str) -> None:
        self.err.print(printable(naming(name, reason)), style="red")

    def _show(self, name: str, face: FaceAnalysis | None) -> None:
        if len(self.shown) < _ROWS_SHOWN:
            self.shown.append((name, face))

    def _how_far(self) -> str:
        words = []
        assert self.joined is not None
        if self.planned.pictures:
            count = self.joined.totals.pictures
            words.append(f"{count} of {counted(len(self.planned.pictures), 'picture')}")
        if self.planned.videos:
            count = len(self.joined.videos)
            words.append(f"{count} of {counted(len(self.planned.videos), 'video')}")
        return " and ".join(words)

    def kept(self) -> str:
        """Where what was computed lies."""
        if self.work.is_empty:
            return "Nothing was written to a table."
        return (
            f"What was read until then is in {self.settings.results.folder}{os.sep}; the same "
            "command goes on from there."
        )

    def report(self) -> None:
        """Print the table of faces and what lies where."""
        assert self.joined is not None
        out, results, totals = output(), self.settings.results, self.joined.totals
        if self.shown:
            out.print(faces_table(self.shown, out.width))
            legend = units_legend(self.shown)
            if legend:
                out.print(legend, style="dim")
        of_videos = [done for _, done in self.joined.videos]
        faces = totals.faces - sum(done.faces for done in of_videos)
        without = totals.without_face - sum(done.without_face for done in of_videos)
        left_out = faces + without - len(self.shown)
        if left_out:
            out.print(f"... and {left_out} more in {results.faces}", soft_wrap=True)
        for unit, done in self.joined.videos[:_ROWS_SHOWN]:
            assert unit.video is not None
            said = f"{unit.video.input}: {counted(done.frames, 'frame')}"
            if done.people:
                said += f", {done.people} {'person' if done.people == 1 else 'people'}"
            if done.without_face:
                said += f", {done.without_face} without a face"
            said += f" -> {results.table(unit.video)}" if done.frames else ""
            out.print(printable(said), soft_wrap=True)
        words = []
        if self.planned.pictures or not self.planned.videos:
            words += [counted(totals.pictures, "picture"), counted(faces, "face")]
            words += [f"{without} without a face"] if without else []
        if self.planned.videos:
            words += [counted(len(of_videos), "video"), counted(totals.frames, "frame")]
        out.print(printable(f"{', '.join(words)} -> {results.folder}{os.sep}"), soft_wrap=True)
        if totals.errors:
            said = f"{len(totals.errors)} could not be read: see {results.errors}"
            out.print(printable(said), style="red", soft_wrap=True)
