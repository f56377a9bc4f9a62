"""Every model on every test set; a pair that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from norface.data.prepared import PreparedFaces, prepare_set, read_prepared
from norface.data.protocols import Protocol
from norface.evaluation.matrix.cells import PREDICTIONS, Cell
from norface.evaluation.matrix.compare import Comparison, compare
from norface.evaluation.matrix.pairs import Opened, run_pair
from norface.evaluation.matrix.plan import Plan, Test
from norface.evaluation.matrix.tested import Tested, open_test, plans_of
from norface.evaluation.people import BaselineKind
from norface.evaluation.prediction_files import read_npz

PAIRS = "pairs"
_SMALL_CROP = 128
_CROP = 256

Say: TypeAlias = Callable[[str], None]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the pairs are run.

    Attributes:
        workers: processes that find faces; None for one a core.
        partial: go on when people of a protocol's lists are missing.
        skip_missing: leave labelled pictures out that are missing.
        few: only a few samples of each fold.
        baselines: of people, to subtract.
    """

    workers: int | None = None
    partial: bool = False
    skip_missing: bool = False
    few: bool = False
    baselines: tuple[BaselineKind, ...] = ("quantile",)


@dataclass(frozen=True, slots=True)
class Column:
    """One task of a test set.

    Attributes:
        test: as the plan has it.
        protocol: whose labels.
        data_sha256: of the tested samples; "" when the set could not be read.
        comparison: of the models; None when there is nothing to compare.
    """

    test: Test
    protocol: Protocol
    data_sha256: str
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """What came out.

    Attributes:
        models: the rows; None in place of weights that could not be opened.
        columns: of all tests, in order.
        cells: by the names of model and test.
        settings: how it was run.
    """

    models: Mapping[str, Opened | None]
    columns: tuple[Column, ...]
    cells: Mapping[tuple[str, str], Cell]
    settings: Settings

    @property
    def failed(self) -> int:
        """How many pairs failed."""
        return sum(cell.state == "failed" for cell in self.cells.values())


def run_matrix(plan: Plan, out: Path, settings: Settings, *, say: Say = print) -> Matrix:
    """Run all pairs, those left out that an earlier run has done with the same hashes.

    Args:
        plan: rows and columns.
        out: folder; ``pairs/MODEL/TEST`` holds each pair, ``faces/TEST`` the faces found.
        settings: how.
        say: told how it goes.

    Raises:
        PlanError: a test has no such protocol or part.
    """
    protocols = {test.name: plans_of(test) for test in plan.tests}
    faults: dict[str, str] = {}
    opened = {
        model.name: _tried(faults, model.name, partial(Opened.of, model)) for model in plan.models
    }
    crop = _crop([each for each in opened.values() if each is not None])
    cells: dict[tuple[str, str], Cell] = {}
    columns: list[Column] = []
    for test in plan.tests:
        lost: dict[str, str] = {}
        ready = _tried(lost, test.name, partial(_ready, test, out, crop, settings, say))
        for name, model in opened.items():
            if model is None or ready is None:
                cell = Cell(state="failed", reason=faults.get(name) or lost[test.name])
            else:
                cell = _pair(model, *ready, out, settings, say)
            cells[name, test.name] = cell
            if cell.reason:
                say(f"{name} on {test.name}: {cell.state}: {cell.reason}")
        columns += [
            Column(test, one, "", None)
            if ready is None
            else _column(test, one, ready[0], cells, out, settings, say)
            for one in protocols[test.name]
        ]
    return Matrix(opened, tuple(columns), cells, settings)


def _tried(faults: dict[str, str], name: str, work: Callable[[], _T]) -> _T | None:
    """What it gives; None and a reason in `faults` when it fails."""
    try:
        return work()
    except ModuleNotFoundError:
        raise
    except Exception as error:  # Whatever is wrong with one, the others are still worth having.
        faults[name] = str(error) or type(error).__name__
        return None


def _ready(
    test: Test, out: Path, crop: int, settings: Settings, say: Say
) -> tuple[Tested, PreparedFaces]:
    """A test set and its faces."""
    tested = open_test(
        test, partial=settings.partial, skip_missing=settings.skip_missing, few=settings.few
    )
    folder = test.faces
    if folder is None:
        folder = out / "faces" / f"{test.name}-{crop}"
        say(f"{test.name}: finding the faces of {len(tested.data):,} samples -> {folder}")
        prepare_set(tested.data, folder, crop=crop, workers=settings.workers, say=say)
    return tested, read_prepared(folder, tested.data)


def _pair(
    model: Opened, tested: Tested, faces: PreparedFaces, out: Path, settings: Settings, say: Say
) -> Cell:
    notes = []
    if settings.partial:
        notes.append("The set may lack people of the protocol's lists.")
    if settings.few:
        notes.append("A dry run: a few samples of each fold.")
    if tested.data.skipped:
        counts = ", ".join(f"{why}: {n}" for why, n in tested.data.skipped.items())
        notes.append(f"Left out of the set: {counts}.")
    folder = out / PAIRS / model.model.name / tested.test.name
    fault: dict[str, str] = {}
    run = partial(run_pair, model, tested, faces, folder, say=say, notes=notes)
    return _tried(fault, "pair", run) or Cell(state="failed", reason=fault["pair"])


def _column(
    test: Test,
    one: Protocol,
    tested: Tested,
    cells: Mapping[tuple[str, str], Cell],
    out: Path,
    settings: Settings,
    say: Say,
) -> Column:
    read = {}
    for (model, name), cell in cells.items():
        for result in cell.results:
            if name == test.name and result.protocol == one.name and result.folder:
                read[model] = read_npz(out / result.folder / PREDICTIONS)
    comparison = None
    if read:
        fault: dict[str, str] = {}
        work = partial(compare, read, settings.baselines, tested.data)
        comparison = _tried(fault, one.name, work)
        for name, reason in fault.items():
            say(f"{name}: the models cannot be compared: {reason}")
    return Column(test, one, tested.data.fingerprint(), comparison)


def _crop(opened: list[Opened]) -> int:
    """The smallest faces that serve every model."""
    sides = [weights.manifest.crop_size for each in opened for weights in each.weights]
    return _SMALL_CROP if max(sides, default=_CROP) <= _SMALL_CROP else _CROP
