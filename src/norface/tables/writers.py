"""Tables on disk: rows are safe as soon as they are known, the finished file appears whole."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO


class CsvTable:
    """Writes a CSV file row by row, as a context manager.

    The rows go, each at once, to ``NAME.part`` beside the file, which takes its final name when
    the table is closed: also after an error or Ctrl-C, so that what was computed is kept. Only a
    process that is killed leaves the ``.part`` behind, with every row written until then. A table
    without rows leaves no file.

    Args:
        path: the file; one that exists is replaced on closing.
        columns: every row has these keys, in this order in the file.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.rows = 0
        self._columns = tuple(columns)
        self._file: TextIO | None = None

    @property
    def part(self) -> Path:
        """Where the rows are until the table is closed."""
        return part_of(self.path)

    def write(self, row: Mapping[str, str]) -> None:
        """Add one row.

        Raises:
            ValueError: a column is missing or unknown.
        """
        if row.keys() != set(self._columns):
            wrong = sorted(row.keys() ^ set(self._columns))
            raise ValueError(f"columns missing or unknown: {', '.join(wrong)}")
        if self._file is None:
            self._file = self.part.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            csv.writer(self._file).writerow(self._columns)
        csv.writer(self._file).writerow([row[column] for column in self._columns])
        self._file.flush()
        self.rows += 1

    def close(self) -> None:
        """Give the file its final name."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self.part.replace(self.path)

    def __enter__(self) -> CsvTable:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def part_of(path: Path) -> Path:
    """The file in which a table's rows are kept until it is finished."""
    return path.with_name(path.name + ".part")
