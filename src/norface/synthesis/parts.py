"""Tables made in parts, so that a run that was cut off goes on where it stopped.

Each finished part lies as a small table in ``.parts`` beside the table to be; the whole is put
together at the end, and the parts go.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

_FOLDER: Final = ".parts"
_SETTINGS: Final = "settings.json"


class Parts:
    """The parts of one run in a folder.

    Args:
        out: the run's folder.
        settings: whatever the run's content depends on; parts of other settings do not fit.
        overwrite: throw unfitting parts away instead of raising.

    Raises:
        FileExistsError: ``out`` holds the parts of another run and ``overwrite`` is off.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any], *, overwrite: bool) -> None:
        self.folder = out / _FOLDER
        said = json.dumps(dict(settings), sort_keys=True)
        kept = self.folder / _SETTINGS
        if kept.exists() and kept.read_text() != said:
            if not overwrite:
                raise FileExistsError(
                    f"{out} holds an unfinished run with other settings; choose another folder or "
                    "pass --overwrite"
                )
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_text(kept, said)

    def path(self, name: str) -> Path:
        """Where the part ``name`` lies, e.g. ``"truth_000000.csv"``."""
        return self.folder / name

    def join_tables(self, names: Iterable[str], table: Path) -> None:
        """Put CSV parts with the same columns together, a part at a time."""
        partial = table.with_name(table.name + ".part")
        with partial.open("w", newline="") as stream:
            for i, name in enumerate(names):
                with self.path(name).open(newline="") as part:
                    header = next(part)
                    if i == 0:
                        stream.write(header)
                    shutil.copyfileobj(part, stream)
        partial.replace(table)

    def join_arrays(self, names: Iterable[str], array: Path, length: int) -> None:
        """Put NPY parts together along their first axis, a part at a time."""
        partial = array.with_name(array.name + ".part")
        whole, start = None, 0
        for name in names:
            part = np.load(self.path(name))
            if whole is None:
                whole = np.lib.format.open_memmap(
                    partial, "w+", dtype=part.dtype, shape=(length, *part.shape[1:])
                )
            whole[start : start + len(part)] = part
            start += len(part)
        del whole
        partial.replace(array)

    def remove(self) -> None:
        """Everything is put together."""
        shutil.rmtree(self.folder)


def write_rows(path: Path, rows: list[dict[str, Any]], columns: Iterable[str] = ()) -> None:
    """Write a CSV table in one go: after a kill it is there in full or not at all.

    Args:
        path: of the table.
        rows: its rows, all with the same columns.
        columns: needed only where there may be no row.
    """
    partial = path.with_name(path.name + ".tmp")
    with partial.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(columns) or list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)


def write_array(path: Path, array: Any) -> None:
    """Write an NPY file in one go."""
    partial = path.with_name(path.name + ".tmp")
    with partial.open("wb") as stream:
        np.save(stream, array)
    partial.replace(path)


def _write_text(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(text)
    partial.replace(path)
