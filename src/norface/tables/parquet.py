"""Tables in Parquet. Needs pyarrow (``pip install "norface[parquet]"``)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from norface.tables.kinds import kind_of
from norface.tables.part_file import TableError, part_of
from norface.tables.writers import CsvTable

_BLOCK: Final = 1 << 20
_ROW_GROUP: Final = 16 << 20
"""Bytes: what is in memory at once while a table is finished."""


class ParquetTable(CsvTable):
    """Writes a Parquet file, in row groups of about 16 MB; else as `CsvTable`.

    A Parquet file is unreadable until its last byte is there. So the rows are kept as CSV in
    ``NAME.parquet.part``, which can be read and gone on with, until the table is closed.
    A name that is not UTF-8 has its odd bytes as escapes.

    Raises:
        TableError: pyarrow is not installed, or what is there cannot be gone on with.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        append: bool = False,
        keep: int | None = None,
    ) -> None:
        self._arrow = arrow(path)
        if append and path.exists() and not part_of(path).exists():
            self._unpack(path)
        super().__init__(path, columns, append=append, keep=keep)

    def close(self) -> None:
        """Turn the rows into the Parquet file."""
        if not self._file.close():
            return
        # A name of its own: the rows must survive a kill while they are being turned.
        packed = self.path.with_name(self.path.name + ".packing")
        try:
            self._pack(packed)
            packed.replace(self.path)
        finally:
            packed.unlink(missing_ok=True)
        self.part.unlink()

    def _record(self, cells: list[str]) -> bytes:
        known = [text.encode("utf-8", "backslashreplace").decode() for text in cells]
        return super()._record(known)

    def _schema(self) -> Any:
        arrow = self._arrow
        types = {"text": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
        return arrow.schema([(name, types[kind_of(name)]) for name in self._columns])

    def _pack(self, packed: Path) -> None:
        parquet, schema = self._arrow.parquet, self._schema()
        with parquet.ParquetWriter(packed, schema, compression="zstd") as writer:
            group: list[Any] = []
            size = 0
            for batch in self._batches(schema):
                group.append(batch)
                size += batch.nbytes
                if size >= _ROW_GROUP:
                    writer.write_table(self._arrow.Table.from_batches(group, schema))
                    group, size = [], 0
            if group:
                writer.write_table(self._arrow.Table.from_batches(group, schema))

    def _batches(self, schema: Any) -> Iterator[Any]:
        csv = self._arrow.csv
        try:
            with csv.open_csv(
                self.part,
                read_options=csv.ReadOptions(block_size=_BLOCK, use_threads=False),
                parse_options=csv.ParseOptions(newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=schema, null_values=[""], strings_can_be_null=True
                ),
            ) as rows:
                yield from rows
        except self._arrow.ArrowInvalid as error:
            raise TableError(f"{self.part} cannot be turned into Parquet: {error}") from error

    def _unpack(self, path: Path) -> None:
        """The rows of a finished file, again as CSV."""
        try:
            file = self._arrow.parquet.ParquetFile(path)
        except self._arrow.ArrowInvalid as error:
            raise TableError(f"{path} is no Parquet file: {error}") from error
        with file:
            made = path.with_name(path.name + ".packing")
            with CsvTable(made, file.schema_arrow.names) as rows:
                for batch in file.iter_batches(batch_size=1000):
                    for row in batch.to_pylist():
                        rows.write(row)
        if not rows.rows:
            raise TableError(f"{path} holds no rows to go on from: remove it")
        made.replace(part_of(path))


def arrow(path: Path) -> Any:
    """The module pyarrow, with its ``csv`` and ``parquet``.

    Raises:
        TableError: it is not installed.
    """
    try:
        for name in ("pyarrow.csv", "pyarrow.parquet"):
            importlib.import_module(name)
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise TableError(
            f"{path}: Parquet needs pyarrow, which is not installed: "
            'pip install "norface[parquet]", or choose .csv or .jsonl'
        ) from error
