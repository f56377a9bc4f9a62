"""Predictions on disk: npz, and CSV for other tools."""

from __future__ import annotations

import csv
import math
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from norface.data.protocols.protocol import Task
from norface.evaluation.predictions import Predictions, PredictionsError
from norface.media.arrays import write_arrays
from norface.tables.writers import CsvTable

_FRAME_COLUMNS: Final = ("subject", "sequence", "path", "frame", "fold", "neutral")
_ARRAYS: Final = ("truth", "score", "threshold", *_FRAME_COLUMNS)
_LAYOUT: Final = "norface-predictions-1"


def write_npz(predictions: Predictions, path: Path) -> None:
    """Write everything; the file appears whole or not at all."""
    arrays = {name: getattr(predictions, name) for name in _ARRAYS}
    head = {"layout": _LAYOUT, "task": predictions.task, "labels": list(predictions.labels)}
    write_arrays(path, {**{k: np.asarray(v) for k, v in head.items()}, **arrays}, compressed=True)


def read_npz(path: Path) -> Predictions:
    """Read what `write_npz` wrote.

    Raises:
        PredictionsError: it is missing, damaged or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise PredictionsError(f"{path} cannot be read: {error}") from error
    lacking = sorted({*_ARRAYS, "layout", "task", "labels"} - arrays.keys())
    if lacking or str(arrays["layout"]) != _LAYOUT:
        raise PredictionsError(f"{path} holds no predictions of norface (layout {_LAYOUT})")
    try:
        return Predictions(
            task=str(arrays["task"]),  # type: ignore[arg-type]  # checked there
            labels=tuple(map(str, arrays["labels"])),
            **{name: arrays[name] for name in _ARRAYS},
        )
    except PredictionsError as error:
        raise PredictionsError(f"{path}: {error}") from error


def write_csv(predictions: Predictions, path: Path) -> None:
    """Write a row a frame: `subject, sequence, path, frame, fold, neutral`, then per label its
    `NAME_truth` and `NAME_score`. What is not known is empty. Task and thresholds are not in it.
    """
    pairs = [f"{label}_{kind}" for label in predictions.labels for kind in ("truth", "score")]
    values = np.stack([predictions.truth, predictions.score], axis=2).reshape(len(predictions), -1)
    with CsvTable(path, (*_FRAME_COLUMNS, *pairs)) as table:
        for row in range(len(predictions)):
            frame = int(predictions.frame[row])
            table.write(
                {
                    "subject": str(predictions.subject[row]),
                    "sequence": str(predictions.sequence[row]),
                    "path": str(predictions.path[row]),
                    "frame": str(frame) if frame >= 0 else "",
                    "fold": str(predictions.fold[row]),
                    "neutral": str(int(predictions.neutral[row])),
                    **dict(zip(pairs, map(_text, values[row]), strict=True)),
                }
            )


def read_csv(path: Path, task: Task, *, threshold: ArrayLike = 0.5) -> Predictions:
    """Read a table with the columns of `write_csv`, from whatever tool.

    Only `path` and the labels' columns must be there; a label is every `NAME_truth` with a
    `NAME_score`. An empty cell, `nan` or `NaN` is not known.

    Args:
        path: the file.
        task: what the columns are, see `Predictions`.
        threshold: of each label, in the order of the columns, or one for all.

    Raises:
        PredictionsError: it cannot be read; a column is missing; a cell is no number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PredictionsError(f"{path} cannot be read: {error}") from error
    labels = [n.removesuffix("_truth") for n in names if n.endswith("_truth")]
    labels = [label for label in labels if f"{label}_score" in names]
    if "path" not in names or not labels:
        raise PredictionsError(
            f"{path} lacks a column 'path', or has no label with columns NAME_truth and NAME_score"
        )
    cut = next((i for i, row in enumerate(rows) if None in (*row, *row.values())), None)
    if cut is not None:
        raise PredictionsError(f"{path}, line {cut + 2}: not as many cells as columns")
    numbers = {
        name: [_number(row[name], path, i + 2, name) for i, row in enumerate(rows)]
        for name in (*(f"{label}_{kind}" for label in labels for kind in ("truth", "score")),
                     *({"frame", "fold", "neutral"} & set(names)))
    }  # fmt: skip
    texts = {n: [row[n] for row in rows] for n in ("subject", "sequence") if n in names}
    whole = {
        name: np.where(np.isnan(values := np.array(numbers[name])), empty, values)
        for name, empty in (("frame", -1), ("fold", 0), ("neutral", 0))
        if name in numbers
    }
    try:
        return Predictions.of(
            task,
            labels,
            truth=np.array([numbers[f"{label}_truth"] for label in labels]).T,
            score=np.array([numbers[f"{label}_score"] for label in labels]).T,
            path=[row["path"] for row in rows],
            threshold=threshold,
            **texts,
            **whole,
        )
    except PredictionsError as error:
        raise PredictionsError(f"{path}: {error}") from error


def _text(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _number(text: str, path: Path, line: int, name: str) -> float:
    try:
        return float(text) if text.strip() else math.nan
    except ValueError as error:
        raise PredictionsError(f"{path}, line {line}: {name} is no number: {text!r}") from error
