"""The tables of a matrix, without saying how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable

from norface.evaluation.matrix.cells import Cell as Pair
from norface.evaluation.matrix.heat_maps import labels_said, metric_name, result_of
from norface.evaluation.matrix.pairs import Opened
from norface.evaluation.matrix.run import Column, Matrix
from norface.evaluation.report.tables import (
    MAIN_METRIC,
    METRIC_TITLES,
    Cell,
    Table,
    number,
    percent,
)
from norface.evaluation.report.tables import interval as between

_SHORT = 12


def models_table(matrix: Matrix) -> Table:
    """What each model is."""
    rows = [_model(name, opened) for name, opened in matrix.models.items()]
    header = ("model", "weights", "units", "units from", "emotions from", "learned from", "SHA-256")
    note = (
        "Units from, emotions from: which faces the network reads. Learned from: as far as the "
        "weights or the plan say; the matrix cannot know more."
    )
    return Table("Models", header, tuple(rows), (note,))


def _model(name: str, opened: Opened | None) -> tuple[Cell, ...]:
    if opened is None:
        return _names(name, "not opened", "", "", "", "", "")
    able = opened.abilities
    return _names(
        name,
        ", ".join(dict.fromkeys(f"{w.manifest.name} {w.manifest.version}" for w in opened.weights)),
        str(len(able.units)) if able.units else "none",
        able.unit_faces or "–",
        able.emotion_faces or "–",
        ", ".join(opened.trained_on) or "not said",
        opened.digest[:_SHORT],
    )


def tests_table(matrix: Matrix) -> Table:
    """What each test set is."""
    rows = []
    for column in matrix.columns:
        results = [result_of(matrix.cells[m, column.test.name], column) for m in matrix.models]
        there = [each for each in results if each]
        people = there[0].subjects if there else None
        rows.append(
            (
                *_names(column.test.name, column.protocol.title, column.protocol.name),
                Cell(f"{there[0].frames:,}" if there else "–"),
                Cell(f"{there[0].unread:,}" if there else "–"),
                Cell("–" if not there else "not named" if people is None else f"{people:,}"),
                *_names(column.data_sha256[:_SHORT]),
            )
        )
    header = ("test", "what", "protocol", "frames", "no reading", "people", "SHA-256")
    return Table("Test sets", header, tuple(rows))


def pairs_table(matrix: Matrix) -> Table:
    """Each pair's main figure over the labels that both sides have."""
    header = ("model", *(f"{c.test.name}: {metric_name(c)}" for c in matrix.columns))
    rows = [
        (*_names(name), *(_pair(matrix.cells[name, c.test.name], c) for c in matrix.columns))
        for name in matrix.models
    ]
    guesses = [c.comparison.guess if c.comparison else math.nan for c in matrix.columns]
    rows.append((*_names("a guess"), *(Cell(number(guess)) for guess in guesses)))
    return Table(
        "Models by test sets",
        header,
        tuple(rows),
        (
            "In brackets: 95 % interval over the tested people, or over pictures where the set "
            "names none. ° learned from other parts of the same set.",
            "A guess sees no face: it calls every unit present, reads one intensity for all, and "
            "says the most frequent emotion.",
        ),
    )


def _pair(pair: Pair, column: Column) -> Cell:
    result = result_of(pair, column)
    if result is None:
        return Cell("none" if pair.state in ("done", "none") else pair.state)
    figure = result.overall[MAIN_METRIC[column.protocol.task]]
    return Cell(f"{number(figure.value)}{'°' if pair.own else ''}", between(figure))


def shared_table(matrix: Matrix) -> Table:
    """Which labels each pair shares."""
    rows = [
        (*_names(name), *(_shared(matrix.cells[name, c.test.name], c) for c in matrix.columns))
        for name in matrix.models
    ]
    header = ("model", *(c.protocol.name for c in matrix.columns))
    return Table("Labels that both sides have", header, tuple(rows))


def _shared(pair: Pair, column: Column) -> Cell:
    if pair.state in ("refused", "failed"):
        return Cell(pair.state, kind="name")
    result = result_of(pair, column)
    if result is None:
        return Cell("none", kind="name")
    lacking = f"without {', '.join(result.lacking)}" if result.lacking else ""
    return Cell(labels_said(result), lacking, "name")


def reasons_table(matrix: Matrix) -> Table | None:
    """Why pairs were refused or failed, and what else is to be known of pairs."""
    rows = []
    for (model, test), cell in matrix.cells.items():
        said = [cell.reason] if cell.reason else list(cell.notes)
        rows += [_names(model, test, cell.state, words) for words in said]
    if not rows:
        return None
    return Table("Of single pairs", ("model", "test", "state", "why"), tuple(rows))


def metrics_table(matrix: Matrix, column: Column) -> Table | None:
    """Every metric of every model over the labels that all of them read."""
    comparison = column.comparison
    if comparison is None or not comparison.figures:
        return None
    metrics = list(next(iter(comparison.figures.values())))
    rows = [
        (*_names(name), *(Cell(number(f[m].value), between(f[m])) for m in metrics))
        for name, f in comparison.figures.items()
    ]
    said = ", ".join(comparison.labels)
    header = ("model", *(METRIC_TITLES[metric] for metric in metrics))
    return Table("Over the same labels", header, tuple(rows), (f"Labels of all models: {said}.",))


def labels_table(matrix: Matrix, column: Column) -> Table | None:
    """Each label by each model, with intervals."""
    read = {
        name: result
        for name in matrix.models
        if (result := result_of(matrix.cells[name, column.test.name], column))
    }
    if not read:
        return None
    rows = []
    for label in column.protocol.labels:
        figures = [result.by_label.get(label) for result in read.values()]
        cells = [Cell("–") if f is None else Cell(number(f.value), between(f)) for f in figures]
        rows.append((*_names(label), *cells))
    return Table(f"{column.test.name}, each label", ("label", *read), tuple(rows))


def person_table(column: Column) -> Table | None:
    """How much of each label's variance is the person, by variant."""
    shares = column.comparison.people.shares if column.comparison else {}
    if not shares:
        return None
    rows = []
    for label in next(iter(shares.values())):
        cells = (
            Cell(percent(one[label].person), f"expression {percent(one[label].expression)}")
            for one in shares.values()
        )
        rows.append((*_names(label), *cells))
    return Table(
        "The person in the readings",
        ("label", *shares),
        tuple(rows),
        (
            "The person's share of the variance of the readings: what differs from person to "
            "person with the true label held equal. Small: what the true label explains; the rest "
            "is neither.",
        ),
    )


def _names(*words: str) -> tuple[Cell, ...]:
    return tuple(Cell(word, kind="name") for word in words)


def known(tables: Iterable[Table | None]) -> tuple[Table, ...]:
    """Those that there are."""
    return tuple(table for table in tables if table is not None)
