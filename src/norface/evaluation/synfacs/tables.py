"""The benchmark's truth and a tool's predictions, side by side."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_UNIT_NAMES

FloatArray = NDArray[np.float64]
TextArray = NDArray[np.str_]

_STRATUM: Final = "stratum_"


class BenchmarkError(ValueError):
    """A benchmark or a table cannot be used; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth of one split.

    Attributes:
        benchmark: its name.
        digest: of its design.
        split: the split's name.
        folder: where its pictures are.
        inputs: (N,) file names.
        person: (N,) who is shown.
        intensity: (N, A) whole intensities, 0 to 5.
        strata: by factor, the level of each picture (N,); empty where it does not take part.
        levels: by factor, the levels in their order.
    """

    benchmark: str
    digest: str
    split: str
    folder: Path
    inputs: TextArray
    person: TextArray
    intensity: FloatArray
    strata: Mapping[str, TextArray]
    levels: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a tool said of the same pictures; NaN where it said nothing.

    Attributes:
        intensity: (N, A), 0 to 5.
        present: (N, A), 0 or 1.
        found: (N,) whether a face was found.
        notes: what is missing in the table or left over, in words.
    """

    intensity: FloatArray
    present: FloatArray
    found: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def read_truth(root: Path, split: str) -> Truth:
    """Read a split of a benchmark that ``norface synth --benchmark`` has finished.

    Raises:
        BenchmarkError: it is not there, or not finished.
    """
    remedy = f"Render it with: norface synth --benchmark synfacs-v1 --out {root}"
    try:
        about = json.loads((root / "synfacs.json").read_text(encoding="utf-8"))
        design = about["design"]
        known = design["splits"]
    except FileNotFoundError as error:
        raise BenchmarkError(f"{root} holds no benchmark (no synfacs.json). {remedy}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{root / 'synfacs.json'} cannot be read: {error}") from error
    if split not in known:
        raise BenchmarkError(f"There is no split {split!r}; there are: {', '.join(known)}.")
    table = root / split / "truth.csv"
    if not table.is_file():
        raise BenchmarkError(f"{table} is missing: the rendering is unfinished. {remedy}")
    columns = _columns(table)
    count = len(columns["input"])
    if count != known[split]["pictures"]:
        raise BenchmarkError(
            f"{table} has {count} pictures in place of {known[split]['pictures']}. {remedy}"
        )
    factors = [name.removeprefix(_STRATUM) for name in columns if name.startswith(_STRATUM)]
    return Truth(
        benchmark=about["name"],
        digest=design["digest"],
        split=split,
        folder=table.parent,
        inputs=np.array(columns["input"]),
        person=np.array(columns["person"]),
        intensity=_unit_columns(columns, "r"),
        strata={name: np.array(columns[_STRATUM + name]) for name in factors},
        levels={name: tuple(design["strata"][name]) for name in factors},
    )


def read_predictions(table: Path, truth: Truth) -> Predictions:
    """Read a table of predictions and put it in the order of the truth.

    A row counts for the picture whose file name its ``input`` ends with, with or without folders
    and suffix. Of several faces of a picture the one with the largest ``width`` times ``height``
    counts, without these columns the first.

    Raises:
        BenchmarkError: it cannot be read, or has no column that can be scored.
    """
    columns = _columns(table)
    if "input" not in columns:
        raise BenchmarkError(f"{table} has no column 'input' that names the pictures.")
    if not any(f"{name}_{kind}" in columns for name in ACTION_UNIT_NAMES for kind in "rc"):
        raise BenchmarkError(
            f"{table} has no column that can be scored. Give intensities (0 to 5) as AU01_r and "
            "presence (0 or 1) as AU01_c, and so on."
        )
    place = {_stem(name): i for i, name in enumerate(truth.inputs)}
    intensity, present = (_unit_columns(columns, kind) for kind in "rc")
    area = _numbers(columns.get("width"), len(intensity)) * _numbers(
        columns.get("height"), len(intensity)
    )
    said = ~(np.isnan(intensity).all(axis=1) & np.isnan(present).all(axis=1))
    said &= _numbers(columns.get("success"), len(intensity)) != 0
    rows = np.full(len(truth.inputs), -1)
    unknown = several = 0
    for row, name in enumerate(columns["input"]):
        at = place.get(_stem(name))
        if at is None:
            unknown += 1
        elif said[row]:
            several += rows[at] >= 0
            if rows[at] < 0 or area[row] > area[rows[at]]:
                rows[at] = row
    found = rows >= 0
    notes = []
    for kind, what in (("r", "intensity"), ("c", "presence")):
        lacking = [name for name in ACTION_UNIT_NAMES if f"{name}_{kind}" not in columns]
        if lacking:
            notes.append(f"No {what} (column _{kind}) of {', '.join(lacking)}: not scored.")
    if unknown:
        notes.append(f"{unknown} rows name no picture of this split and were left out.")
    if several:
        notes.append(f"{several} further faces in the same pictures were left out.")
    result = []
    for values in (intensity, present):
        ordered = np.full(truth.intensity.shape, np.nan)
        ordered[found] = values[rows[found]]
        result.append(ordered)
    return Predictions(result[0], result[1], found, tuple(notes))


def _stem(name: str) -> str:
    return PurePosixPath(name.strip().replace("\\", "/")).stem


def _columns(table: Path) -> dict[str, list[str]]:
    """A CSV file by column; names without the spaces that OpenFace writes."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            names = [name.strip() for name in next(reader, [])]
            # A row cut short, as a killed run leaves one, tells nothing.
            rows: Iterable[Any] = [row for row in reader if len(row) == len(names)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BenchmarkError(f"{table} cannot be read: {error}") from error
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: list(column) for name, column in zip(names, values, strict=True)}


def _unit_columns(columns: Mapping[str, list[str]], kind: str) -> FloatArray:
    """(N, A) of the columns ``AU.._kind``; NaN where there is none."""
    count = len(columns["input"])
    return np.stack(
        [_numbers(columns.get(f"{name}_{kind}"), count) for name in ACTION_UNIT_NAMES], axis=1
    )


def _numbers(values: list[str] | None, count: int) -> FloatArray:
    if values is None:
        return np.full(count, np.nan)
    return np.array([_number(value) for value in values], np.float64)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")
