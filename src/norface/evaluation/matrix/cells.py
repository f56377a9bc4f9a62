"""A pair of the matrix: what came out, and how it is kept on disk."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from norface.evaluation.report.content import plain
from norface.evaluation.scores import Figure

CELL: Final = "cell.json"
PREDICTIONS: Final = "predictions.npz"

State: TypeAlias = Literal["done", "none", "refused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One task of a pair.

    Attributes:
        protocol: whose labels.
        task: presence, intensity or emotion.
        labels: those that both sides have; empty when there is none.
        lacking: the protocol's others.
        folder: of its report and predictions, below the matrix; "" when there is none.
        frames: scored.
        unread: frames without a reading.
        subjects: how many people; None where the set names none.
        overall: by metric, over `labels`.
        by_label: by label, its main metric.
    """

    protocol: str
    task: str
    labels: tuple[str, ...]
    lacking: tuple[str, ...]
    folder: str = ""
    frames: int = 0
    unread: int = 0
    subjects: int | None = None
    overall: dict[str, Figure] = field(default_factory=dict)
    by_label: dict[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A pair of a model and a test set.

    Attributes:
        state: ``done``; ``none`` when they share no label; ``refused`` when the model learned from
            the tested people; ``failed``.
        reason: of the last two, in words.
        own: whether the model learned from other parts of the tested set.
        notes: what a reader must know.
        results: one for each task.
        key: hashes of everything that it depends on; "" where nothing was computed.
    """

    state: State
    reason: str = ""
    own: bool = False
    notes: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    key: str = ""


def write_cell(cell: Cell, folder: Path) -> None:
    """Write a cell into its folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{CELL}.part"
    part.write_text(json.dumps(plain(asdict(cell)), indent=1, allow_nan=False) + "\n", "utf-8")
    part.replace(folder / CELL)


def read_cell(folder: Path, key: str) -> Cell | None:
    """The finished cell in a folder if it is of that key and its predictions are there."""
    try:
        content = json.loads((folder / CELL).read_text(encoding="utf-8"))
        if content["key"] != key or content["state"] not in ("done", "none"):
            return None
        results = tuple(_result(each) for each in content["results"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    places = [folder / each.protocol / PREDICTIONS for each in results if each.folder]
    if not all(place.is_file() for place in places):
        return None
    return Cell(
        state=content["state"],
        reason=content["reason"],
        own=content["own"],
        notes=tuple(content["notes"]),
        results=results,
        key=key,
    )


def _result(content: dict[str, Any]) -> Result:
    figures = {
        name: {label: _figure(each) for label, each in content[name].items()}
        for name in ("overall", "by_label")
    }
    lists = {name: tuple(content[name]) for name in ("labels", "lacking")}
    return Result(**{**content, **figures, **lists})


def _figure(content: dict[str, Any]) -> Figure:
    value, low, high = (
        math.nan if content[name] is None else float(content[name])
        for name in ("value", "low", "high")
    )
    return Figure(value, low, high, int(content["undefined"]))
