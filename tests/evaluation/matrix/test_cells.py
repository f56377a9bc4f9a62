"""What is kept of a pair on disk."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from norface.evaluation.matrix.cells import CELL, PREDICTIONS, Cell, Result, read_cell, write_cell
from norface.evaluation.scores import Figure

UNDEFINED = Figure(math.nan, math.nan, math.nan, 2)


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    """A cell with two tasks, one of them without a common label, and its predictions."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / PREDICTIONS).touch()
    done = Result(
        protocol="p", task="presence", labels=("AU12",), lacking=("AU23",), folder="a/b/p",
        frames=7, unread=1, subjects=3, overall={"f1": Figure(0.5, 0.25, 0.75), "auc": UNDEFINED},
        by_label={"AU12": Figure(0.5, 0.25, 0.75)},
    )  # fmt: skip
    none = Result(protocol="q", task="emotion", labels=(), lacking=("fear",))
    cell = Cell(state="done", own=True, notes=("a note",), results=(done, none), key="k")
    write_cell(cell, tmp_path)
    return cell


def test_a_cell_comes_back(cell: Cell, tmp_path: Path) -> None:
    found = read_cell(tmp_path, "k")
    assert found is not None
    assert math.isnan(found.results[0].overall["auc"].value)
    assert found.results[0].overall["auc"].undefined == 2
    overall = {"f1": found.results[0].overall["f1"]}
    first = replace(found.results[0], overall=overall)
    expected = replace(cell.results[0], overall=overall)
    assert replace(found, results=(first, found.results[1])) == replace(
        cell, results=(expected, cell.results[1])
    )


def test_what_is_not_whole_or_of_something_else_is_done_again(cell: Cell, tmp_path: Path) -> None:
    assert read_cell(tmp_path, "other") is None
    assert read_cell(tmp_path / "nowhere", "k") is None
    (tmp_path / "p" / PREDICTIONS).unlink()
    assert read_cell(tmp_path, "k") is None
    (tmp_path / "p" / PREDICTIONS).touch()
    (tmp_path / CELL).write_text((tmp_path / CELL).read_text()[:-40])
    assert read_cell(tmp_path, "k") is None
    write_cell(replace(cell, state="failed"), tmp_path)
    assert read_cell(tmp_path, "k") is None
