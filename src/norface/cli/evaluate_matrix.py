"""``norface evaluate matrix``: several models on several test sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.table import Table

from norface.cli.console import (
    FAILURE,
    SOME_FAILED,
    SUCCESS,
    WRONG_COMMAND,
    CommandError,
    messages,
    output,
    printable,
)
from norface.evaluation.matrix.plan import Plan, PlanError, plan_of_words, read_plan

if TYPE_CHECKING:
    from norface.evaluation.matrix.run import Matrix

_INT = tyro.conf.arg(metavar="INT", help_behavior_hint="")
_MODELS = tyro.conf.arg(metavar="NAME=WEIGHTS ...", help_behavior_hint="")
_TESTS = tyro.conf.arg(metavar="PROTOCOL[@PART]=ROOT ...", help_behavior_hint="")
_FACES = tyro.conf.arg(metavar="PROTOCOL[@PART]=FACES ...", help_behavior_hint="")
_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_TRIED = "dry-run"


def matrix(
    *,
    model: Annotated[tuple[str, ...], _MODELS] = (),
    test: Annotated[tuple[str, ...], _TESTS] = (),
    faces: Annotated[tuple[str, ...], _FACES] = (),
    plan: Annotated[Path | None, _PATH] = None,
    out: Path = Path("matrix"),
    baseline: tuple[Literal["quantile", "mode", "given"], ...] = ("quantile",),
    partial: bool = False,
    skip_missing: bool = False,
    dry_run: bool = False,
    workers: Annotated[int | None, _INT] = None,
) -> int:
    """Test every model on every data set, over the labels that both sides have.

    Writes one report.html, report.md and results.json into OUT, and the report of each pair with
    its predictions.npz into OUT/pairs. A pair that is done is not done again while its weights,
    data and faces are the same; one that fails does not stop the others. Needs the extra train, for
    scipy.

    Args:
        model: Folders or names of weights; without any, those that come with norface.
        test: A protocol of docs/data-sets.md, or synfacs-v1, and the folder of its data. PART is
            another than the test part, such as fer2013-7@validation or synfacs-v1@validation.
        faces: Folders of the faces of a test, made by norface data prepare; else they are found
            into OUT.
        plan: JSON file with models and tests in place of the three above, see docs/matrix.md; it
            also says what models were trained on, and names weights for each fold.
        out: Folder for the results.
        baseline: What of each person is subtracted to show the person in the readings: estimated as
            a quantile or the mode of the person's readings, or given by the faces that the set
            calls neutral.
        partial: Go on when people of a protocol are missing in a data set.
        skip_missing: Leave labelled pictures out that are missing.
        dry_run: Read a few samples of each fold only, into OUT/dry-run.
        workers: Processes that find faces; else one a core.
    """
    if workers is not None and workers < 1:
        raise CommandError("--workers must be at least 1.", code=WRONG_COMMAND)
    # Imported here, so that --help needs no scipy.
    from norface.evaluation.matrix.run import Settings, run_matrix
    from norface.evaluation.matrix.write import write_matrix

    settings = Settings(
        workers=workers,
        partial=partial,
        skip_missing=skip_missing,
        few=dry_run,
        baselines=tuple(dict.fromkeys(baseline)),
    )
    folder = out / _TRIED if dry_run else out

    def say(text: str) -> None:
        output().print(printable(text), soft_wrap=True)

    try:
        found = run_matrix(_plan(plan, model, test, faces), folder, settings, say=say)
        write_matrix(found, folder)
    except PlanError as error:
        raise CommandError(f"{error}.", code=WRONG_COMMAND) from error
    except OSError as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        messages().print("The same command goes on from the pairs that are done.")
        raise
    _print(found)
    say(f"-> {folder / 'report.html'}, report.md, results.json")
    if not found.failed:
        return SUCCESS
    messages().print(f"{found.failed} of {len(found.cells)} pairs failed", style="red")
    return FAILURE if found.failed == len(found.cells) else SOME_FAILED


def _plan(
    path: Path | None, models: tuple[str, ...], tests: tuple[str, ...], faces: tuple[str, ...]
) -> Plan:
    if path is None:
        return plan_of_words(models or ("default",), tests, faces)
    if models or tests or faces:
        raise PlanError("give --plan, or --model, --test and --faces, not both")
    return read_plan(path)


def _print(found: Matrix) -> None:
    from norface.evaluation.matrix.heat_maps import metric_name, result_of
    from norface.evaluation.report.tables import MAIN_METRIC, number

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("test", "model", "figure", "value", "95% interval", "labels"):
        right = name in ("value", "95% interval", "labels")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "test")
    for column in found.columns:
        for name in found.models:
            cell = found.cells[name, column.test.name]
            result = result_of(cell, column)
            if result is None:
                state = "none" if cell.state == "done" else cell.state
                table.add_row(column.test.name, name, metric_name(column), state, "", "0")
                continue
            figure = result.overall[MAIN_METRIC[column.protocol.task]]
            table.add_row(
                column.test.name,
                name,
                metric_name(column),
                number(figure.value),
                f"{number(figure.low)} to {number(figure.high)}",
                str(len(result.labels)),
            )
    output().print(table)
