"""The units' records joined into the tables, in the order of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from norface.cli.console import CommandError
from norface.cli.work.folder import Done, WorkFolder
from norface.cli.work.rows import rows
from norface.cli.work.units import Unit, WorkSettings
from norface.results import FaceAnalysis
from norface.runtime.records import RecordError, load_record
from norface.tables.columns import ERROR_COLUMNS
from norface.tables.opening import open_table
from norface.tables.styles import style_columns
from norface.tables.writers import CsvTable

Fail = Callable[[str, str], None]
Show = Callable[[str, "FaceAnalysis | None"], None]


class Joiner:
    """Writes ``faces`` and ``errors``; a context manager.

    Args:
        units: of the run, in order.
        settings: of the run.
        work: the ledger.
        columns: the action units that the weights read.
        fail: is told each input that could not be read, and why.
        show: is told each row of a picture: its name, and the face if there is one.
    """

    def __init__(
        self,
        *,
        units: Sequence[Unit],
        settings: WorkSettings,
        work: WorkFolder,
        columns: Sequence[str],
        fail: Fail,
        show: Show,
    ) -> None:
        self.totals = Done()
        self.videos: list[tuple[Unit, Done]] = []
        self._units = units
        self._settings = settings
        self._work = work
        self._columns = columns
        self._fail = fail
        self._show = show
        self._next = 0
        self._stack = ExitStack()

    def __enter__(self) -> Joiner:
        names = style_columns(self._settings.columns, self._columns)
        self._faces = self._stack.enter_context(open_table(self._settings.results.faces, names))
        self._errors = self._stack.enter_context(
            CsvTable(self._settings.results.errors, ERROR_COLUMNS)
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def problem(self, name: str, reason: str) -> None:
        """Note an input that is in no unit."""
        self.totals.errors.append((name, reason))
        self._errors.write({"input": name, "reason": reason})
        self._fail(name, reason)

    def go_on(self) -> None:
        """Join the units that are done, up to the first that is not.

        Raises:
            CommandError: a record is damaged; it was removed.
        """
        while self._next < len(self._units):
            unit = self._units[self._next]
            done = self._work.done(unit)
            if done is None:
                return
            self._join(unit, done)
            self._next += 1

    def end_early(self) -> None:
        """Join what there is of the pictures of the first unit that is not done."""
        if self._next < len(self._units) and self._units[self._next].video is None:
            unit = self._units[self._next]
            done = Done()
            for record in self._work.sound(unit):
                done.add(Done.of(record.about))
            self._join(unit, done)
            self._next = len(self._units)

    def _join(self, unit: Unit, done: Done) -> None:
        if unit.video is not None:
            self.videos.append((unit, done))
        else:
            try:
                self._add_rows(unit)
            except RecordError as error:
                self._work.forget(unit)
                raise CommandError(
                    f"{error}. It was removed: repeat the command, which does its part again."
                ) from error
        for name, reason in done.errors:
            self._errors.write({"input": name, "reason": reason})
            self._fail(name, reason)
        self.totals.add(done)

    def _add_rows(self, unit: Unit) -> None:
        for path in self._work.parts(unit):
            for frame in load_record(path).frames:
                name = unit.pictures[frame.number - unit.first].input
                for row in rows(frame, name, self._settings, self._columns):
                    self._faces.write(row)
                for face in frame.faces or (None,):
                    self._show(name, face)
