"""``norface evaluate --protocol NAME`` on a data set: a model's report by the field's protocol."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, output, printable
from norface.cli.data import read_set
from norface.cli.data_told import data_faults_told
from norface.data.prepared import prepare_set, read_prepared
from norface.data.protocols import Division, Protocol, protocol
from norface.evaluation.people import BaselineKind
from norface.evaluation.people_compared import people_of
from norface.evaluation.prediction_files import write_csv, write_npz
from norface.evaluation.predictions import Predictions, PredictionsError
from norface.evaluation.protocol_run import FoldReading, read_protocol
from norface.evaluation.published import published_figure
from norface.evaluation.report.about import About, file_digest
from norface.evaluation.report.pictures import pictures_below
from norface.evaluation.report.write import AS_READ, write_report
from norface.evaluation.scores import Scores, score
from norface.runtime.sessions import Weights

_TRIED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the command, see `norface.cli.evaluate.evaluate`."""

    root: Path
    protocol: str
    out: Path
    models: tuple[Path, ...] = ()
    fold: int | None = None
    faces: Path | None = None
    test_root: Path | None = None
    partial: bool = False
    skip_missing: bool = False
    pictures: bool = False
    beside: tuple[Path, ...] = ()
    baselines: tuple[BaselineKind, ...] = ()
    workers: int | None = None
    dry_run: bool = False


def evaluate_protocol(options: Options) -> int:
    """Read the test people of each fold, and write predictions and the report."""
    try:
        plan = protocol(options.protocol)
    except ValueError as error:
        raise CommandError(f"{error}, synfacs-v1.", code=WRONG_COMMAND) from error
    if plan.task == "emotion" and (options.beside or options.baselines):
        raise CommandError(
            f"--beside and --baseline show people in readings of units; {plan.name} is about "
            "emotions.",
            code=WRONG_COMMAND,
        )
    if plan.task == "affect":
        raise CommandError(
            f"{plan.name} is about valence and arousal, which norface does not read.",
            code=WRONG_COMMAND,
        )
    missing = options.skip_missing
    data = read_set(plan.data_set, options.root, plan.variant, skip_missing=missing)
    test = None
    if plan.test_set:
        if options.test_root is None:
            raise CommandError(f"{plan.name} needs --test-root.", code=WRONG_COMMAND)
        test = read_set(plan.test_set, options.test_root, plan.test_variant, skip_missing=missing)
    there = test or data

    def say(text: str) -> None:
        output().print(printable(text), soft_wrap=True)

    folder = options.faces or options.out / "faces"
    try:
        with data_faults_told():
            tested = _tested(plan, plan.divide(data, test, partial=options.partial), options)
            if options.faces is None:
                prepare_set(there, folder, workers=options.workers, say=say)
            faces = read_prepared(folder, there)
            predictions, unread = read_protocol(plan, tested, faces, there, say=say)
            others = {
                name: read_protocol(plan, folds, faces, there, say=say)[0]
                for name, folds in _beside(tested, options).items()
            }
        people = people_of({AS_READ: predictions, **others}, options.baselines, there)
        scores = score(predictions)
        about = About(
            title=plan.title,
            protocol=plan.name,
            model=", ".join(dict.fromkeys(map(_named, tested))),
            model_sha256=_digest(tested),
            data=f"{there.name} {there.variant}".strip(),
            data_sha256=there.fingerprint(),
            notes=(*_notes(plan, tested, unread, there.skipped, options), *people.notes),
        )
        write_npz(predictions, options.out / "predictions.npz")
        write_csv(predictions, options.out / "predictions.csv")
        picture_of = pictures_below(predictions) if options.pictures else None
        write_report(scores, options.out, about, people=people, picture_of=picture_of)
    except (PredictionsError, OSError) as error:
        raise CommandError(str(error)) from error
    _print(plan, scores, predictions)
    output().print(f"-> {options.out / 'report.md'}, report.html, results.json", soft_wrap=True)
    return SUCCESS


def _tested(plan: Protocol, divisions: tuple[Division, ...], options: Options) -> list[FoldReading]:
    """The folds that are asked for, each with its model."""
    numbered = [(int(d.name.removeprefix("fold ")) if "fold" in d.name else 0, d)
                for d in divisions]  # fmt: skip
    chosen = [pair for pair in numbered if options.fold in (None, pair[0])]
    if not chosen:
        raise CommandError(f"{plan.name} has no fold {options.fold} here.", code=WRONG_COMMAND)
    models: list[Path | None] = [*options.models] or [None]
    if len(models) == 1:
        models *= len(chosen)
    if len(models) != len(chosen):
        raise CommandError(
            f"Give one model, or one for each of the {len(chosen)} folds in their order.",
            code=WRONG_COMMAND,
        )
    if options.dry_run:
        chosen = [(number, replace(d, test=d.test[:_TRIED])) for number, d in chosen]
    return [
        FoldReading(d, number, model) for (number, d), model in zip(chosen, models, strict=True)
    ]


def _beside(tested: list[FoldReading], options: Options) -> dict[str, list[FoldReading]]:
    """The same folds with each of the further weights, by their names."""
    found: dict[str, list[FoldReading]] = {}
    for folder in options.beside:
        manifest = Weights(folder).manifest
        name = f"{manifest.name} {manifest.version}"
        # Several folders may hold weights of one name.
        name = name if name not in found else f"{name} ({folder})"
        found[name] = [replace(each, weights=folder) for each in tested]
    return found


def _named(tested: FoldReading) -> str:
    manifest = Weights(tested.weights).manifest
    return f"{manifest.name} {manifest.version}"


def _digest(tested: list[FoldReading]) -> str:
    """Of the weights; of several, of their hashes."""
    folders = dict.fromkeys(Weights(each.weights).folder for each in tested)
    digests = [file_digest(folder) for folder in folders]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()


def _notes(
    plan: Protocol,
    tested: list[FoldReading],
    unread: Mapping[str, int],
    skipped: Mapping[str, int],
    options: Options,
) -> tuple[str, ...]:
    notes = [f"Protocol: {plan.source}."]
    if unread:
        said = ", ".join(
            label if count == len(tested) else f"{label} (in {count} folds)"
            for label, count in unread.items()
        )
        notes.append(f"Not read by the model: {said}.")
    if options.partial:
        notes.append("The set is not complete: people of the protocol's lists are missing.")
    if options.dry_run:
        notes.append("A dry run: a few samples of each fold.")
    if skipped:
        notes.append(f"Left out of the set: {', '.join(f'{k}: {v}' for k, v in skipped.items())}.")
    return tuple(notes)


def _print(plan: Protocol, scores: Scores, predictions: Predictions) -> None:
    out = output()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(plan.name, no_wrap=True)
    for name in ("value", "95% interval", "published"):
        table.add_column(name, no_wrap=True, justify="right")
    for metric, figure in scores.overall.items():
        known = published_figure(plan.name, metric)
        table.add_row(
            metric,
            _number(figure.value),
            f"{_number(figure.low)} to {_number(figure.high)}",
            "" if known is None else _number(known.comparable),
        )
    out.print(table)
    lost = int(predictions.missing.sum())
    if lost:
        out.print(f"{lost} of {len(predictions)} frames have no reading: no face was found.")


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
