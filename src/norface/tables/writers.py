"""Tables on disk: rows are safe as soon as they are known, the finished file appears whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, TypeVar

from norface.tables.kinds import cell, parsed
from norface.tables.part_file import PartFile, TableError, part_of

__all__ = ["CsvTable", "JsonLinesTable", "RowTable", "part_of"]

_Self = TypeVar("_Self", bound="RowTable")


class RowTable:
    """What tables share; see `CsvTable` for what a table promises.

    Attributes:
        path: the finished file.
        rows: how many the table holds.
    """

    _QUOTES: ClassVar[bool]
    _HEADERS: ClassVar[int]

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        append: bool = False,
        keep: int | None = None,
    ) -> None:
        self.path = path
        self.rows = 0
        self._columns = tuple(columns)
        self._names = frozenset(columns)
        self._file = PartFile(path)
        if append:
            self._take_up(keep)

    @property
    def part(self) -> Path:
        """Where the rows are until the table is closed."""
        return self._file.part

    def write(self, row: Mapping[str, object]) -> None:
        """Add one row.

        Raises:
            ValueError: a column is missing or unknown, or a value is not what its column holds.
        """
        if row.keys() != self._names:
            wrong = sorted(row.keys() ^ self._names)
            raise ValueError(f"columns missing or unknown: {', '.join(wrong)}")
        record = self._record([cell(row[column]) for column in self._columns])
        self._file.add(self._header() + record if self._file.empty else record)
        self.rows += 1

    def close(self) -> None:
        """Give the file its final name."""
        self._file.finish()

    def _take_up(self, keep: int | None) -> None:
        # Nothing to keep is no header either.
        records = keep + self._HEADERS if keep else keep
        count, start = self._file.take_up(quotes=self._QUOTES, keep=records)
        if count and self._names_in(start) != self._columns:
            self._file.close()
            raise TableError(
                f"{self.path} has other columns than are to be added to it: it was written with "
                "other weights or another --columns. Choose another folder, or repeat with those"
            )
        self.rows = max(count - self._HEADERS, 0)

    def _names_in(self, start: bytes) -> tuple[str, ...]:
        raise NotImplementedError

    def _header(self) -> bytes:
        raise NotImplementedError

    def _record(self, cells: list[str]) -> bytes:
        raise NotImplementedError

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class CsvTable(RowTable):
    """Writes a CSV file row by row, as a context manager.

    The rows go, each at once, to ``NAME.part`` beside the file, which takes its final name when
    the table is closed: also after an error or Ctrl-C, so that what was computed is kept. Only a
    process that is killed leaves the ``.part`` behind, with every row written until then. It can
    be read all the time. A table without rows leaves no file.

    Args:
        path: the file; one that exists is replaced on closing.
        columns: every row has these keys, in this order in the file.
        append: go on with the rows of an earlier table, finished or not; a torn last row is cut
            off.
        keep: with `append`, how many of its rows to keep; None for every whole one.

    Raises:
        TableError: what is there cannot be gone on with.
        OSError: the folder cannot be written to.
    """

    _QUOTES = True
    _HEADERS = 1

    def _names_in(self, start: bytes) -> tuple[str, ...]:
        text = start.decode("utf-8", "surrogateescape")
        return tuple(next(csv.reader(io.StringIO(text, newline=""))))

    def _header(self) -> bytes:
        return self._record(list(self._columns))

    def _record(self, cells: list[str]) -> bytes:
        line = io.StringIO(newline="")
        csv.writer(line).writerow(cells)
        return line.getvalue().encode("utf-8", "surrogateescape")


class JsonLinesTable(RowTable):
    """Writes a file of one JSON object a row; else as `CsvTable`.

    Numbers are numbers, what is not known is null.
    """

    _QUOTES = False
    _HEADERS = 0

    def _names_in(self, start: bytes) -> tuple[str, ...]:
        try:
            return tuple(json.loads(start.split(b"\n", 1)[0]))
        except json.JSONDecodeError as error:
            self._file.close()
            raise TableError(f"{self.path} is no table of JSON lines: {error}") from error

    def _header(self) -> bytes:
        return b""

    def _record(self, cells: list[str]) -> bytes:
        pairs = zip(self._columns, cells, strict=True)
        row = {column: parsed(column, text) for column, text in pairs}
        return (json.dumps(row, allow_nan=False) + "\n").encode()
