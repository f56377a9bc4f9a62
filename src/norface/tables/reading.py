"""Tables read back: norface's own in every format, OpenFace's and Py-Feat's."""

from __future__ import annotations

import csv
import json
import re
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.tables.kinds import kind_of
from norface.tables.parquet import arrow
from norface.tables.part_file import TableError, part_of

_UNIT: Final = re.compile(r"(AU\d\d)(_r)?")


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What was read from a table.

    Attributes:
        path: the file.
        names: every column that the file has, in its order, without spaces around.
        values: (N,) of each column that was read: float64, NaN where empty; or str.
        rows: N.
    """

    path: Path
    names: tuple[str, ...]
    values: Mapping[str, NDArray[Any]]
    rows: int

    def numbers(self, name: str) -> NDArray[np.float64]:
        """(N,) of a column of numbers.

        Raises:
            TableError: the table has no such column, or it holds words.
        """
        if name not in self.values:
            raise TableError(f"{self.path} has no column {name}")
        if self.values[name].dtype.kind != "f":
            raise TableError(f"{self.path}: column {name} holds something else than numbers")
        return self.values[name]

    def texts(self, name: str) -> NDArray[np.str_]:
        """(N,) of a column of words; a number is told as it would be in a row of integers."""
        if name not in self.values:
            raise TableError(f"{self.path} has no column {name}")
        column = self.values[name]
        if column.dtype.kind == "f":
            return np.array([_told(value) for value in column], np.str_)
        return column


def read_columns(path: Path, wanted: Collection[str] | None = None) -> Columns:
    """Read a table, or some of its columns; also one that is still being written.

    Args:
        path: .csv, .jsonl or .parquet; where only its ``.part`` is there yet, that is read.
        wanted: the columns to read, those that are missing left out; None for all.

    Raises:
        TableError: it is missing, damaged, or no table.
    """
    part = part_of(path)
    source = path if path.exists() or not part.exists() else part
    suffix = path.suffix.lower()
    if suffix == ".part":
        suffix = Path(path.stem).suffix.lower()
        source = path
    try:
        if suffix == ".parquet" and source.suffix != ".part":
            return _read_parquet(source, wanted)
        if suffix == ".jsonl":
            return _read_json_lines(source, wanted)
        return _read_csv(source, wanted)
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} is no table: {error}") from error


def unit_columns(names: Sequence[str]) -> dict[str, str]:
    """The column of each action unit's intensity (or, in Py-Feat's tables, probability)."""
    found = {}
    for name in names:
        match = _UNIT.fullmatch(name)
        if match:
            found[match[1]] = name
    return found


class _Gathered:
    """A column as it grows: numbers as long as it holds nothing else."""

    def __init__(self, name: str) -> None:
        self._numbers: array[float] | None = array("d") if kind_of(name) != "text" else None
        self._texts: list[str] = []

    def add(self, text: str) -> None:
        if self._numbers is None:
            self._texts.append(text)
            return
        try:
            self._numbers.append(float(text) if text and not text.isspace() else np.nan)
        except ValueError:
            self._texts = [_told(value) for value in self._numbers]
            self._texts.append(text)
            self._numbers = None

    def array(self) -> NDArray[Any]:
        if self._numbers is None:
            return np.array(self._texts, np.str_)
        return np.array(self._numbers, np.float64)


def _told(value: float) -> str:
    if value != value:
        return ""
    return str(int(value)) if value == int(value) else str(value)


def _read_csv(path: Path, wanted: Collection[str] | None) -> Columns:
    growing = path.suffix == ".part"
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(_whole(file) if growing else file)
        names = tuple(name.strip() for name in next(rows, ()))
        if not names:
            raise TableError(f"{path} is empty")
        chosen = [i for i, name in enumerate(names) if wanted is None or name in wanted]
        columns = [_Gathered(names[i]) for i in chosen]
        count = 0
        torn = 0
        for row in rows:
            if not row:
                continue
            if torn:
                raise TableError(f"{path}, line {torn}: fewer or more cells than in the header")
            if len(row) != len(names):
                # Only the last row may be torn.
                torn = rows.line_num
                continue
            for column, i in zip(columns, chosen, strict=True):
                column.add(row[i])
            count += 1
    values = {names[i]: column.array() for column, i in zip(columns, chosen, strict=True)}
    return Columns(path, names, values, count)


def _whole(lines: Iterator[str]) -> Iterator[str]:
    """The lines that have an end: of a file that is being written, the last one may lack it."""
    for line in lines:
        if line.endswith("\n"):
            yield line


def _read_json_lines(path: Path, wanted: Collection[str] | None) -> Columns:
    names: tuple[str, ...] = ()
    columns: dict[str, _Gathered] = {}
    count = 0
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(_whole(file), 1):
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise TableError(f"{path}, line {number}: {error}") from error
            if not isinstance(row, dict):
                raise TableError(f"{path}, line {number}: no JSON object")
            if not names:
                names = tuple(row)
                columns = {n: _Gathered(n) for n in names if wanted is None or n in wanted}
            for name, column in columns.items():
                value = row.get(name)
                column.add("" if value is None else str(value))
            count += 1
    if not names:
        raise TableError(f"{path} is empty")
    return Columns(path, names, {name: each.array() for name, each in columns.items()}, count)


def _read_parquet(path: Path, wanted: Collection[str] | None) -> Columns:
    pyarrow = arrow(path)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            chosen = [name for name in names if wanted is None or name in wanted]
            table = file.read(columns=chosen)
    except pyarrow.ArrowInvalid as error:
        raise TableError(f"{path} is no Parquet file: {error}") from error
    values: dict[str, NDArray[Any]] = {}
    for name in chosen:
        column = table.column(name)
        if pyarrow.types.is_string(column.type):
            values[name] = np.array([value or "" for value in column.to_pylist()], np.str_)
        else:
            values[name] = np.array(column.cast("float64").to_numpy(), np.float64)
    return Columns(path, names, values, table.num_rows)
