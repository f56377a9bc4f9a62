"""The folder that ``norface normalize`` writes into, and what it knows of an earlier run."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from norface.cli.console import WRONG_COMMAND, CommandError, unwritable
from norface.cli.folder_lock import FolderLock
from norface.cli.normalize_plan import Item, NormalizePlan
from norface.media.half_written import half_written
from norface.tables.part_file import part_of
from norface.tables.reading import read_columns
from norface.tables.writers import CsvTable

COLUMNS: Final = ("input", "output", "faces", "frames", "frames_without_face", "note")
"""Of normalized.csv, a row a file: ``output`` is empty where none was written."""


@dataclass(frozen=True, slots=True)
class NormalizeFolder:
    """Where the normalized files go."""

    folder: Path

    @property
    def table(self) -> Path:
        """The table of what became of each file."""
        return self.folder / "normalized.csv"

    @property
    def begun(self) -> Path:
        """The options of a run, until it is finished."""
        return self.folder / ".normalize.json"

    @property
    def pieces(self) -> Path:
        """The folder of videos that are not whole yet."""
        return self.folder / ".normalize-work"

    def work(self, item: Item) -> Path:
        """The folder of the pieces of a video."""
        return self.pieces / hashlib.sha256(item.output.as_posix().encode()).hexdigest()[:16]

    @property
    def lock(self) -> FolderLock:
        """Keeps other runs out."""
        return FolderLock(self.pieces)

    def open(self, options: Mapping[str, object], *, overwrite: bool, lock: FolderLock) -> bool:
        """Make the folder ready; whether an unfinished run is to be taken up.

        Args:
            options: whatever changes what is written.
            overwrite: replace what is there.
            lock: of the folder, held afterwards.

        Raises:
            CommandError: what is there is finished, or was begun with other options, or is not
                norface's; or another run works in the folder, or it cannot be written to.
        """
        try:
            taken_up = not overwrite and self._takes_up(options)
            self.pieces.mkdir(parents=True, exist_ok=True)
            lock.hold()
            if overwrite:
                for path in (self.table, part_of(self.table)):
                    path.unlink(missing_ok=True)
                for path in self.pieces.iterdir():
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
            part = part_of(self.begun)
            part.write_text(json.dumps(options, indent=1) + "\n", encoding="utf-8")
            part.replace(self.begun)
            if taken_up or overwrite:
                self._tidy()
        except OSError as error:
            raise unwritable(self.folder, error) from error
        return taken_up

    def finish(self, plan: NormalizePlan) -> None:
        """Note that the run is finished, and order the table as its inputs were named."""
        if self.table.exists():
            read = read_columns(self.table, COLUMNS)
            names = [item.input for item in plan.items]
            places = {name: i for i, name in enumerate(names)}
            texts = [read.texts(column).tolist() for column in COLUMNS]
            rows = sorted(zip(*texts, strict=True), key=lambda row: places.get(row[0], -1))
            ordered = self.pieces / self.table.name
            with CsvTable(ordered, COLUMNS) as table:
                for row in rows:
                    table.write(dict(zip(COLUMNS, row, strict=True)))
            ordered.replace(self.table)
        shutil.rmtree(self.pieces, ignore_errors=True)
        self.begun.unlink(missing_ok=True)

    def done(self) -> dict[str, str]:
        """Input and output of each file that an unfinished run is done with."""
        if not self.table.exists() and not part_of(self.table).exists():
            return {}
        read = read_columns(self.table, ("input", "output"))
        if not read.rows:
            return {}
        return dict(zip(read.texts("input").tolist(), read.texts("output").tolist(), strict=True))

    def refuse_changed(self, plan: NormalizePlan, done: Mapping[str, str]) -> None:
        """Refuse to go on where an original was written anew after it was normalized.

        Raises:
            CommandError: one was.
        """
        for item in plan.items:
            output = done.get(item.input)
            if not output:
                continue
            made = self.folder / output
            if made.exists() and item.path.stat().st_mtime > made.stat().st_mtime:
                raise CommandError(
                    f"{item.input} has changed since it was normalized. Begin anew with "
                    "--overwrite, or choose another folder with --out.",
                    code=WRONG_COMMAND,
                )

    def spare_inputs(self, plan: NormalizePlan) -> None:
        """Refuse to write over an original.

        Raises:
            CommandError: an original lies where a normalized file would go.
        """
        originals = {item.path.resolve() for item in plan.items}
        for item in plan.items:
            if (self.folder / item.output).resolve() in originals:
                raise CommandError(
                    f"{self.folder / item.output} would be written over an original. Choose "
                    "another folder with --out.",
                    code=WRONG_COMMAND,
                )

    def _takes_up(self, options: Mapping[str, object]) -> bool:
        if self.begun.exists():
            try:
                earlier = json.loads(self.begun.read_text(encoding="utf-8"))
            except ValueError:
                earlier = {}
            if not isinstance(earlier, dict):
                earlier = {}
            changed = [name for name, value in options.items() if earlier.get(name) != value]
            if changed:
                raise CommandError(
                    f"The run in {self.folder} was begun with another {', '.join(changed)}. "
                    "Repeat its command, choose another --out, or begin anew with --overwrite.",
                    code=WRONG_COMMAND,
                )
            return True
        if self.folder.is_dir() and any(self.folder.iterdir()):
            what = self.table if self.table.exists() else self.folder
            raise CommandError(
                f"{what} exists. Choose another folder with --out, or replace what is there with "
                "--overwrite.",
                code=WRONG_COMMAND,
            )
        return False

    def _tidy(self) -> None:
        """Remove what was being written when an earlier run was killed."""
        for path in half_written(self.folder):
            with suppress(OSError):
                path.unlink()
