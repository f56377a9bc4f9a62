"""Any table by its file's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

from norface.tables.parquet import ParquetTable
from norface.tables.part_file import TableError
from norface.tables.writers import CsvTable, JsonLinesTable, RowTable

TABLES: Final[dict[str, type[RowTable]]] = {
    ".csv": CsvTable,
    ".jsonl": JsonLinesTable,
    ".parquet": ParquetTable,
}


class Table(Protocol):
    """A table that is being written; see `norface.tables.writers.CsvTable`.

    Attributes:
        path: the finished file.
        rows: how many it holds.
    """

    path: Path
    rows: int

    @property
    def part(self) -> Path:
        """Where the rows are until then."""

    def write(self, row: Mapping[str, object]) -> None:
        """Add one row, which has exactly the table's columns."""

    def close(self) -> None:
        """Give the file its final name."""

    def __enter__(self) -> Table: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def open_table(
    path: Path, columns: Sequence[str], *, append: bool = False, keep: int | None = None
) -> Table:
    """Start a table, or go on with one.

    Args:
        path: ends with .csv, .jsonl or .parquet.
        columns: every row has these, in this order.
        append: go on with what an earlier run wrote, finished or killed. A torn last row is cut
            off; a finished table is unfinished again until it is closed.
        keep: with `append`, how many of its rows to keep, as `rows` was where the earlier run is
            to be taken up; None for every whole one.

    Raises:
        TableError: no table has this suffix, pyarrow is missing, or what is there does not fit.
        OSError: the folder cannot be written to.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLES:
        raise TableError(f"{path}: a table ends with {', '.join(TABLES)}")
    return TABLES[suffix](path, columns, append=append, keep=keep)
