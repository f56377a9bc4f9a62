"""Who showed what when: a table of frames, by video and person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import MAXIMUM_INTENSITY
from norface.tables.part_file import TableError
from norface.tables.reading import Columns, read_columns, unit_columns

_PLACES: Final = ("input", "frame", "timestamp", "face_id", "Identity", "success", "FaceScore")


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person of one video.

    Attributes:
        input: the video; empty for a table that does not say (OpenFace's).
        person: the number, as the table has it (of Py-Feat's ``Person_3`` the 3).
        times: (N,) seconds, ascending.
        units: (N,) intensity, 0 to 5, of each action unit; NaN where there is none.
    """

    input: str
    person: str
    times: NDArray[np.float64]
    units: dict[str, NDArray[np.float64]]


def read_tracks(path: Path, units: Collection[str] | None = None) -> list[Track]:
    """Read a table of a video by person, in the order in which they first appear.

    Takes norface's own tables, OpenFace's and Py-Feat's. Py-Feat has probabilities where the others
    have intensities: they are multiplied by 5.

    Args:
        path: the table, see `norface.tables.reading.read_columns`.
        units: the action units to read; None for all that it has.

    Raises:
        TableError: it cannot be read, holds no times or no such unit.
    """
    names = [f"AU{number:02d}" for number in range(100)] if units is None else list(units)
    table = read_columns(path, {*_PLACES, *names, *(f"{name}_r" for name in names)})
    has = unit_columns(table.names)
    missing = sorted(set(units or ()) - has.keys())
    if missing or not has:
        named = ", ".join(missing) or "action units (such as AU12_r)"
        raise TableError(f"{path} has no {named}; it has {', '.join(has) or 'none at all'}")
    values = {
        unit: table.numbers(column) * (1.0 if column.endswith("_r") else MAXIMUM_INTENSITY)
        for unit, column in has.items()
        if column in table.values
    }
    times = _times(table)
    there = np.flatnonzero(np.isfinite(times) & _found(table))
    people, inputs = _people(table)[there], _inputs(table)[there]
    codes: dict[tuple[str, str], int] = {}
    pairs = zip(inputs.tolist(), people.tolist(), strict=True)
    whose = np.array([codes.setdefault(pair, len(codes)) for pair in pairs], np.intp)
    # By person, and within a person by time.
    rows = there[np.lexsort((times[there], whose))]
    of_each = np.split(rows, np.cumsum(np.bincount(whose, minlength=len(codes)))[:-1])
    return [_track(*pair, own, times, values) for pair, own in zip(codes, of_each, strict=False)]


def _track(
    name: str,
    person: str,
    rows: NDArray[np.intp],
    times: NDArray[np.float64],
    values: Mapping[str, NDArray[np.float64]],
) -> Track:
    # Two faces at one time cannot be one person: of such rows the first counts.
    rows = rows[np.concatenate(([True], np.diff(times[rows]) > 0))]
    units = {unit: each[rows] for unit, each in values.items()}
    return Track(input=name, person=person, times=times[rows], units=units)


def _times(table: Columns) -> NDArray[np.float64]:
    if "timestamp" not in table.values:
        raise TableError(f"{table.path} has no column timestamp: it does not say when a frame was")
    times = table.numbers("timestamp")
    if table.rows and not np.isfinite(times).any():
        raise TableError(f"{table.path} holds pictures (no timestamp is set): there is no timeline")
    return times


def _people(table: Columns) -> NDArray[np.str_]:
    if "face_id" in table.values:
        return table.texts("face_id")
    if "Identity" in table.values:
        return np.char.replace(table.texts("Identity"), "Person_", "")
    return np.full(table.rows, "0")


def _inputs(table: Columns) -> NDArray[np.str_]:
    return table.texts("input") if "input" in table.values else np.full(table.rows, "")


def _found(table: Columns) -> NDArray[np.bool_]:
    if "success" in table.values:
        return np.asarray(table.numbers("success") == 1, np.bool_)
    if "FaceScore" in table.values:
        return np.isfinite(table.numbers("FaceScore"))
    return np.ones(table.rows, np.bool_)
