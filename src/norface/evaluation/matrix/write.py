"""Writes the three files of a matrix."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import norface
from norface.evaluation.matrix import tables
from norface.evaluation.matrix.compare import Comparison
from norface.evaluation.matrix.heat_maps import label_map, pair_map, person_plot
from norface.evaluation.matrix.run import Column, Matrix
from norface.evaluation.people import mean_shares
from norface.evaluation.report.about import About
from norface.evaluation.report.content import plain
from norface.evaluation.report.html import described, drawn_section, page
from norface.evaluation.report.markdown import markdown
from norface.evaluation.report.plots import people_plot
from norface.evaluation.report.sections import Section
from norface.evaluation.report.tables import LABEL_METRIC, METRIC_TITLES, mean_people_table

TITLE: Final = "Models by test sets"


def write_matrix(matrix: Matrix, out: Path) -> None:
    """Write ``results.json``, ``report.md`` and ``report.html`` into a folder.

    Raises:
        OSError: the folder cannot be written to.
    """
    parts = _sections(matrix)
    facts = [("norface", norface.__version__), ("single reports", "pairs/MODEL/TEST/PROTOCOL")]
    about = About(title=TITLE, notes=_notes(matrix))
    body = [described(facts, about.notes), *map(drawn_section, parts)]
    values = json.dumps(content(matrix), indent=2, allow_nan=False)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("results.json", values + "\n"),
        ("report.md", markdown(about, facts, parts)),
        ("report.html", page(TITLE, body)),
    ):
        part = out / f"{name}.part"
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
        part.replace(out / name)


def _sections(matrix: Matrix) -> list[Section]:
    found = [
        Section("Pairs", (pair_map(matrix),), (tables.pairs_table(matrix),)),
        Section("Labels that both sides have", tables=(tables.shared_table(matrix),)),
    ]
    reasons = tables.reasons_table(matrix)
    if reasons:
        found.append(Section("Of single pairs", tables=(reasons,)))
    found.append(
        Section(
            "Models and test sets", (), (tables.models_table(matrix), tables.tests_table(matrix))
        )
    )
    for column in matrix.columns:
        drawing = label_map(matrix, column)
        if drawing is not None:
            shown = (tables.metrics_table(matrix, column), tables.labels_table(matrix, column))
            title = METRIC_TITLES[LABEL_METRIC[column.protocol.task]]
            words = (f"{title} of each label by each model; the shade is from 0 to 1.",)
            found.append(Section(_heading(column), (drawing,), tables.known(shown), words))
    for column in matrix.columns:
        if column.comparison and column.comparison.people.shares:
            found += _people(matrix, column, column.comparison)
    return found


def _people(matrix: Matrix, column: Column, comparison: Comparison) -> list[Section]:
    shares = comparison.people.shares
    means = {variant: {"mean": mean_shares(labels)} for variant, labels in shares.items()}
    read = [name for name in matrix.models if name in shares]
    heading = f"The person in the readings: {column.protocol.title}"
    words = (
        "Of the variance of the readings: what the true label explains, what differs from person "
        "to person with the true label held equal, and the rest. Mean of the units.",
        *comparison.people.notes,
    )
    each = "The person's share alone; hollow: with each person's baseline subtracted."
    return [
        Section(heading, (people_plot(means),), (mean_people_table(comparison.people),), words),
        Section(
            f"{heading}, each unit",
            (person_plot(shares, read),),
            tables.known([tables.person_table(column)]),
            (each,),
        ),
    ]


def _heading(column: Column) -> str:
    return f"{column.test.name}: {column.protocol.title}"


def _notes(matrix: Matrix) -> tuple[str, ...]:
    notes = [
        "Every pair is compared over the labels that both sides have: figures of one column are "
        "over the same labels only where the number of labels is the same; the tables of each test "
        "set compare all models over the labels that all of them read."
    ]
    if any(opened and not opened.trained_on for opened in matrix.models.values()):
        notes.append(
            "Weights that do not say what they learned from may have learned from the tested set."
        )
    if matrix.settings.few:
        notes.append("A dry run: a few samples of each fold.")
    return tuple(notes)


def content(matrix: Matrix) -> dict[str, Any]:
    """Everything in the report; undefined numbers are None."""
    models = {
        name: None
        if opened is None
        else {
            "weights": [f"{w.manifest.name} {w.manifest.version}" for w in opened.weights],
            "sha256": opened.digest,
            "learned_from": list(opened.trained_on),
            **asdict(opened.abilities),
        }
        for name, opened in matrix.models.items()
    }
    cells = [
        {"model": model, "test": test, **asdict(cell)}
        for (model, test), cell in matrix.cells.items()
    ]
    return plain(  # type: ignore[no-any-return]
        {
            "norface": norface.__version__,
            "models": models,
            "columns": [_column(column) for column in matrix.columns],
            "pairs": cells,
        }
    )


def _column(column: Column) -> dict[str, Any]:
    comparison = column.comparison
    return {
        "test": column.test.name,
        "protocol": column.protocol.name,
        "task": column.protocol.task,
        "labels": list(column.protocol.labels),
        "data_sha256": column.data_sha256,
        "comparison": None
        if comparison is None
        else {
            "labels": list(comparison.labels),
            "figures": {
                name: {metric: asdict(figure) for metric, figure in figures.items()}
                for name, figures in comparison.figures.items()
            },
            "guess": comparison.guess,
            "people": asdict(comparison.people),
        },
    }
