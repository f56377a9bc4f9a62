"""``norface evaluate``: the scores of a published protocol."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.table import Table

import norface
from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, messages, output
from norface.evaluation.synfacs.predict import TABLE, predict
from norface.evaluation.synfacs.report import write_results
from norface.evaluation.synfacs.scores import Group, Scores, score
from norface.evaluation.synfacs.tables import BenchmarkError, read_predictions, read_truth
from norface.runtime.sessions import Weights

_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")


def evaluate(
    *,
    root: Path,
    protocol: Literal["synfacs-v1"] = "synfacs-v1",
    split: str = "test",
    out: Path = Path("evaluation"),
    model: Annotated[Path | None, _PATH] = None,
    predictions: Annotated[Path | None, _PATH] = None,
    workers: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None,
) -> int:
    """Score norface, or any tool's table of predictions, on a public benchmark.

    Writes results.json and report.md into OUT, and predictions.csv when norface itself is scored;
    an interrupted run goes on where it stopped. Units count as present from intensity 2 on.

    Args:
        root: Folder of the benchmark, made by norface synth --benchmark.
        protocol: The benchmark.
        split: Of the benchmark: train, validation or test.
        out: Folder for the results.
        model: Folder of other weights of norface.
        predictions: CSV of another tool: input, AU01_r (0 to 5), AU01_c (0 or 1), and so on.
        workers: Processes; else one a core.
    """
    if model is not None and predictions is not None:
        raise CommandError("Give --model or --predictions, not both.", code=WRONG_COMMAND)
    if workers is not None and workers < 1:
        raise CommandError("--workers must be at least 1.", code=WRONG_COMMAND)
    try:
        truth = read_truth(root, split)
        if truth.benchmark != protocol:
            raise BenchmarkError(f"{root} holds {truth.benchmark}, not {protocol}.")
        if predictions is None:
            manifest = Weights(model).manifest
            about = {"model": f"norface {norface.__version__}, weights {manifest.name} "
                     f"{manifest.version}"}  # fmt: skip
            table = predict(truth, out, weights=model, workers=workers)
        else:
            about, table = {"predictions": str(predictions)}, predictions
        scores = score(truth, read_predictions(table, truth))
        out.mkdir(parents=True, exist_ok=True)
        write_results(scores, out, about=about)
    except BenchmarkError as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    except KeyboardInterrupt:
        messages().print(
            f"What was read is kept in {out / TABLE}; the same command goes on from there."
        )
        raise
    except OSError as error:
        raise CommandError(str(error)) from error
    _print(scores)
    output().print(f"-> {out / 'report.md'}, {out / 'results.json'}", soft_wrap=True)
    return SUCCESS


def _print(scores: Scores) -> None:
    out = output()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in (f"{scores.benchmark} {scores.split}", "pictures", "found", "F1", "F1 all", "ICC",
                 "MAE", "MSE"):  # fmt: skip
        table.add_column(name, no_wrap=True, justify="left" if "syn" in name else "right")
    for name, unit in scores.whole.units.items():
        shown = f"shown {unit['positives']:.0f}"
        values = (unit[metric] for metric in ("f1", "f1_all", "icc", "mae", "mse"))
        table.add_row(name, shown, "", *map(_number, values))
    table.add_row("mean of the units", *_cells(scores.whole), style="bold")
    for factor, levels in scores.strata.items():
        for level, group in levels.items():
            table.add_row(f"{factor} {level}", *_cells(group))
    out.print(table)
    undefined = scores.whole.means["f1"].undefined
    if undefined:
        out.print(f"{undefined} units have no F1 and are left out of its mean.")
    missed = scores.whole.pictures - scores.whole.found
    if missed:
        out.print(
            f"No face was found in {missed} pictures: they count as missing, in F1 all as showing "
            "nothing."
        )
    for note in scores.notes:
        messages().print(note, style="yellow")


def _cells(group: Group) -> list[str]:
    means = [_number(group.means[metric].value) for metric in ("f1", "f1_all", "icc", "mae", "mse")]
    return [str(group.pictures), f"{group.detection_rate:.1%}", *means]


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
