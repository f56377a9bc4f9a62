"""``norface evaluate``: the scores of a published protocol."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Literal

import tyro
from rich.table import Table

import norface
from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, messages, output
from norface.evaluation.synfacs.predict import TABLE, predict
from norface.evaluation.synfacs.report import write_results
from norface.evaluation.synfacs.scores import Group, Scores, score
from norface.evaluation.synfacs.tables import BenchmarkError, read_predictions, read_truth
from norface.runtime.sessions import Weights

BENCHMARK: Final = "synfacs-v1"
_KINDS = tyro.conf.arg(metavar="KIND ...", help_behavior_hint="")
_PATHS = tyro.conf.arg(metavar="PATH ...", help_behavior_hint="")
_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")


def evaluate(
    *,
    root: Path,
    protocol: str = "synfacs-v1",
    split: str = "test",
    out: Path = Path("evaluation"),
    model: Annotated[tuple[Path, ...], _PATHS] = (),
    fold: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None,
    faces: Annotated[Path | None, _PATH] = None,
    test_root: Annotated[Path | None, _PATH] = None,
    partial: bool = False,
    skip_missing: bool = False,
    pictures: bool = False,
    beside: Annotated[tuple[Path, ...], _PATHS] = (),
    baseline: Annotated[tuple[Literal["quantile", "mode", "given"], ...], _KINDS] = (),
    dry_run: bool = False,
    predictions: Annotated[Path | None, _PATH] = None,
    workers: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None,
) -> int:
    """Score norface on a data set by a protocol, or anybody's predictions on synfacs-v1.

    Writes results.json and report.md into OUT, and predictions.csv when norface itself is scored;
    an interrupted run goes on where it stopped. docs/data-sets.md lists the protocols; on their
    data sets there are report.html and predictions.npz too (docs/metrics.md says what is in it),
    and the extra train is needed, for scipy. norface evaluate matrix tests several models at once.

    Args:
        root: Folder of the data set as it was delivered, or of the benchmark, made by norface synth
            --benchmark.
        protocol: A protocol such as disfa-detection, A:B to test on another set than is trained on,
            or the benchmark synfacs-v1.
        split: Of the benchmark: train, validation or test.
        out: Folder for the results.
        model: Folder of other weights of norface; for a protocol of folds one for all, or one for
            each.
        fold: Only this fold; else all.
        faces: Folder of the faces, made by norface data prepare; else they are found into OUT.
        test_root: Folder of the data set B of a protocol A:B; the faces are of that one.
        partial: Go on when people of the protocol are missing in the data set.
        skip_missing: Leave labelled pictures out that are missing.
        pictures: Show the worst frames in report.html; mind the terms of the data set.
        beside: Folders of further weights: how much of their readings is the person stands beside
            that of the model's, on the same frames of a protocol of units.
        baseline: Of each person, subtracted beside the readings as they are: quantile or mode of
            the person's readings, or given by the faces that the set calls neutral.
        dry_run: Read a few samples of each fold only, to try the command.
        predictions: CSV of another tool: input, AU01_r (0 to 5), AU01_c (0 or 1), and so on.
        workers: Processes; else one a core.
    """
    if protocol != BENCHMARK:
        if split != "test":
            raise CommandError(f"--split is for {BENCHMARK}.", code=WRONG_COMMAND)
        if predictions is not None:
            raise CommandError("--predictions is for synfacs-v1.", code=WRONG_COMMAND)
        # Imported here, for the benchmark needs less.
        from norface.cli.evaluate_protocol import Options, evaluate_protocol

        return evaluate_protocol(
            Options(
                root=root, protocol=protocol, out=out, models=model, fold=fold, faces=faces,
                test_root=test_root, partial=partial, skip_missing=skip_missing, pictures=pictures,
                beside=beside, baselines=tuple(dict.fromkeys(baseline)), workers=workers,
                dry_run=dry_run,
            )
        )  # fmt: skip
    unused = {
        "--fold": fold is not None, "--faces": faces is not None,
        "--test-root": test_root is not None, "several models": len(model) > 1,
        "--partial": partial, "--skip-missing": skip_missing, "--pictures": pictures,
        "--beside": bool(beside), "--baseline": bool(baseline), "--dry-run": dry_run,
    }  # fmt: skip
    if any(unused.values()):
        said = ", ".join(name for name, given in unused.items() if given)
        raise CommandError(
            f"{said}: for data sets, not for {BENCHMARK}. norface evaluate matrix compares several "
            "models on it, tries a few samples, and shows the people in their readings.",
            code=WRONG_COMMAND,
        )
    weights = model[0] if model else None
    if weights is not None and predictions is not None:
        raise CommandError("Give --model or --predictions, not both.", code=WRONG_COMMAND)
    if workers is not None and workers < 1:
        raise CommandError("--workers must be at least 1.", code=WRONG_COMMAND)
    try:
        truth = read_truth(root, split)
        if truth.benchmark != protocol:
            raise BenchmarkError(f"{root} holds {truth.benchmark}, not {protocol}.")
        if predictions is None:
            manifest = Weights(weights).manifest
            about = {"model": f"norface {norface.__version__}, weights {manifest.name} "
                     f"{manifest.version}"}  # fmt: skip
            table = predict(truth, out, weights=weights, workers=workers)
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
