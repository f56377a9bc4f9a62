"""Any CSV or Parquet file with paths and labels, for sets that have no adapter of their own.

The columns are those of norface's own tables (docs/columns.md), as far as they are there; only
``path`` is needed, and any label.

=====================  ============================================================================
path                   of the picture or video, absolute or from the table's folder (also: input)
frame                  number of the video's frame, 0 for the first; empty for a picture
subject, sequence      who, and in which clip
split                  train, validation or test
AU12_c                 0 absent or 1 present; for any unit
AU12_r                 intensity, 0 to 5; for any unit
emotion                one of `norface.facs.EMOTIONS`
neutral, happiness...  shares of the emotions, summing to 1, all eight or only those that were asked
valence, arousal       -1 to 1
x, y, width, height    the face's box in pixels
=====================  ============================================================================

An empty cell is an unknown label. A row without any label is skipped and counted. Other columns are
left alone. Subjects and split: as the columns say. The variant ``face-crops`` says that each
picture is a crop of one face, see `norface.data.fixed_crop`.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from norface.data.sample import DataError, DataSet
from norface.data.sets.reading import Reading, unit_name
from norface.facs import EMOTIONS
from norface.media.images import SUFFIXES

TREE: Final = """\
A CSV or Parquet file, or a folder with table.csv or table.parquet in it; its columns:
  path                          from the table's folder
  frame, subject, sequence      optional
  split                         optional: train, validation, test
  AU12_c  AU12_r                presence 0 or 1, intensity 0 to 5; any units
  emotion, valence, arousal
  neutral, happiness, ...       shares of the emotions
  x, y, width, height           optional: the face's box
"""

VARIANTS: Final = ("", "face-crops")

_UNIT = re.compile(r"AU(\d{1,2})_([cr])")
_ROUNDING = 0.01
_BOX = ("x", "y", "width", "height")


def read_table(root: Path, variant: str = "", *, skip_missing: bool = False) -> DataSet:
    """A table, see the module.

    Args:
        root: the file, or the folder with a file table.csv or table.parquet.
        variant: one of `VARIANTS`.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: the table is missing or damaged, or a picture is missing.
    """
    folder = root.parent if root.is_file() else root
    reading = Reading(folder, TREE, skip_missing=skip_missing)
    path = root
    if not root.is_file():
        path = next((p for p in (root / "table.csv", root / "table.parquet") if p.is_file()), root)
        if path is root:
            raise reading.error(root / "table.csv", "is missing")
    rows = _parquet(reading, path) if path.suffix.lower() == ".parquet" else _csv(reading, path)
    # Row 1 holds the columns' names.
    for number, row in enumerate(rows, start=2):
        try:
            _add_row(reading, folder, row)
        except DataError:
            raise
        except ValueError as error:
            raise reading.error(path, f"is damaged in row {number}: {error}") from error
    return reading.data_set(
        "table", [f"Read from {path.name}."], face_crops=variant == "face-crops"
    )


def _add_row(reading: Reading, folder: Path, row: Mapping[str, str]) -> None:
    name = row.get("path") or row.get("input")
    if not name:
        raise ValueError("it has no path")
    path = folder / name
    if not path.is_file():
        reading.missing(path)
        return
    presence: dict[str, int] = {}
    intensity: dict[str, float] = {}
    for column, cell in row.items():
        match = _UNIT.fullmatch(column)
        if match and cell:
            if match[2] == "c":
                presence[unit_name(match[1])] = _whole(cell)
            else:
                intensity[unit_name(match[1])] = float(cell)
    reading.add(
        path=path,
        frame=_frame(path, row.get("frame", "")),
        subject=row.get("subject", ""),
        sequence=row.get("sequence", ""),
        presence=reading.shared(presence),
        intensity=reading.shared(intensity),
        emotion=row.get("emotion") or None,
        emotion_distribution=_distribution(reading, row),
        valence=_optional(row.get("valence", "")),
        arousal=_optional(row.get("arousal", "")),
        split=row.get("split", ""),
        box=_box(row),
    )


def _csv(reading: Reading, path: Path) -> Iterator[dict[str, str]]:
    rows = reading.rows(path)
    columns = next(rows)
    _check_columns(reading, path, columns)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(columns):
            raise reading.error(
                path, f"is damaged: {len(row)} instead of {len(columns)} cells in row {number}"
            )
        yield dict(zip(columns, row, strict=True))


def _parquet(reading: Reading, path: Path) -> Iterator[dict[str, str]]:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise reading.error(
            path, "needs pyarrow, which is not installed: pip install pyarrow, or write a CSV"
        ) from error
    try:
        table = parquet.read_table(path)
    except (OSError, ValueError) as error:
        raise reading.error(path, f"cannot be read as Parquet ({error})") from error
    _check_columns(reading, path, table.column_names)
    for batch in table.to_batches():
        for row in batch.to_pylist():
            yield {name: _text(value) for name, value in row.items()}


def _check_columns(reading: Reading, path: Path, columns: list[str]) -> None:
    if not {"path", "input"} & set(columns):
        raise reading.error(path, f"has no column path; it has {', '.join(columns)}")
    if len(set(columns)) != len(columns):
        raise reading.error(path, "has two columns of the same name")


def _text(value: object) -> str:
    """As in a CSV: what is not known is empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _whole(cell: str) -> int:
    value = float(cell)
    if not value.is_integer():
        raise ValueError(f"{cell} is no whole number")
    return int(value)


def _frame(path: Path, cell: str) -> int | None:
    """None for a picture: tables of norface itself give those the frame 0."""
    return _whole(cell) if cell and path.suffix.lower() not in SUFFIXES else None


def _distribution(reading: Reading, row: Mapping[str, str]) -> Mapping[str, float] | None:
    shares = {e: float(row[e]) for e in EMOTIONS if row.get(e)}
    if not shares:
        return None
    total = sum(shares.values())
    if abs(total - 1.0) > _ROUNDING:
        raise ValueError(f"the shares of the emotions sum to {total:g} instead of 1")
    return reading.shared({emotion: share / total for emotion, share in shares.items()})


def _optional(cell: str) -> float | None:
    return float(cell) if cell else None


def _box(row: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    if not all(row.get(side) for side in _BOX):
        return None
    x, y, width, height = (float(row[side]) for side in _BOX)
    return x, y, x + width, y + height
