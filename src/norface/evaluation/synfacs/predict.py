"""Runs norface over a split, several pictures at a time; what was read survives an interruption."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import norface
from norface.evaluation.synfacs.tables import BenchmarkError, Truth
from norface.media.hashes import file_hash
from norface.runtime.analyzer import Norface
from norface.runtime.sessions import Weights, available_cores
from norface.tables.columns import face_columns, face_row
from norface.tables.writers import CsvTable, part_of

_CHUNK: Final = 8
_ALONE: Final = 48
"""Up to so many pictures, starting further processes takes longer than reading."""

TABLE: Final = "predictions.csv"
_ABOUT: Final = "predictions.json"

Row = dict[str, str]


def predict(
    truth: Truth, out: Path, *, weights: Path | None = None, workers: int | None = None
) -> Path:
    """Read every picture of a split and write ``out/predictions.csv``, a row a face.

    Pictures that an interrupted run with the same weights has read are not read again.

    Args:
        truth: the split.
        out: folder; made when missing.
        weights: a folder of weights; None for those that come with norface.
        workers: processes; 1 for none beside this one, the machine's cores when None.

    Raises:
        BenchmarkError: ``out`` holds predictions of something else.
        WeightsError: the weights are missing or damaged.
        ImageError: a picture is missing or damaged.
    """
    about = {
        "benchmark": truth.benchmark,
        "design": truth.digest,
        "split": truth.split,
        "truth": _digest(truth.folder / "truth.csv"),
        "weights": _digest(Weights(weights).folder / "manifest.json"),
        "norface": norface.__version__,
    }
    out.mkdir(parents=True, exist_ok=True)
    table = out / TABLE
    columns = face_columns(Weights(weights).manifest.units)
    known = _kept(table, out / _ABOUT, about, columns)
    (out / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    missing = [truth.folder / str(name) for name in truth.inputs if str(name) not in known]
    with CsvTable(table, columns) as written:
        for rows in known.values():
            for row in rows:
                written.write(row)
        for rows in _read_all(missing, weights, workers):
            for row in rows:
                written.write(row)
    return table


def _kept(
    table: Path, note: Path, about: dict[str, str], columns: tuple[str, ...]
) -> dict[str, list[Row]]:
    """The rows of an earlier run, by picture."""
    part = part_of(table)
    if not (table.exists() or part.exists()):
        return {}
    try:
        same = json.loads(note.read_text(encoding="utf-8")) == about
    except (OSError, ValueError):
        same = False
    if not same:
        raise BenchmarkError(
            f"{table.parent} holds predictions of another model, split or rendering. Choose "
            "another folder with --out."
        )
    finished = _by_picture(_whole_rows(table, columns)) if table.exists() else {}
    if not part.exists():
        return finished
    begun = _by_picture(_whole_rows(part, columns))
    if begun:
        # The last picture of a killed run may lack faces.
        begun.popitem()
    return {**finished, **begun}


def _by_picture(rows: list[Row]) -> dict[str, list[Row]]:
    known: dict[str, list[Row]] = {}
    for row in rows:
        known.setdefault(row["input"], []).append(row)
    return known


def _whole_rows(path: Path, columns: tuple[str, ...]) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if None not in (*row, *row.values())]
    return [row for row in rows if tuple(row) == columns]


def _digest(path: Path) -> str:
    try:
        return file_hash(path)[:32]
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror}).") from error


def _read_all(
    pictures: list[Path], weights: Path | None, workers: int | None
) -> Iterator[list[Row]]:
    """The rows of each picture, in order."""
    count = available_cores() if workers is None else workers
    if len(pictures) <= _ALONE:
        count = 1
    with _progress(len(pictures)) as advance:
        if count == 1:
            if pictures:
                with Norface.load(weights=weights) as reader:
                    for path in pictures:
                        yield _read(reader, path)
                        advance()
            return
        chunks = [pictures[i : i + _CHUNK] for i in range(0, len(pictures), _CHUNK)]
        pool = ProcessPoolExecutor(
            count, mp_context=get_context("spawn"), initializer=_start, initargs=(weights,)
        )
        try:
            for found in pool.map(_read_chunk, chunks):
                for rows in found:
                    yield rows
                    advance()
        finally:
            pool.shutdown(cancel_futures=True)


_readers: list[Norface] = []


def _start(weights: Path | None) -> None:
    """In each process: one reader, which keeps to one core."""
    _readers.append(Norface.load(weights=weights, threads=1))


def _read_chunk(paths: list[Path]) -> list[list[Row]]:
    return [_read(_readers[0], path) for path in paths]


def _read(reader: Norface, path: Path) -> list[Row]:
    faces = reader.analyze(path)
    columns = face_columns(reader.action_units)
    return [face_row(path.name, face, columns=columns) for face in faces or (None,)]


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading", total=total)
        yield lambda: progress.advance(task)
