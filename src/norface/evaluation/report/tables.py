"""The tables of a report, without saying how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from norface.data.protocols import protocol, protocol_names
from norface.evaluation.people import Shares, mean_shares
from norface.evaluation.people_compared import People
from norface.evaluation.published import MEAN, SYSTEM, published, published_figure
from norface.evaluation.scores import Figure, Scores

METRIC_TITLES: Final[Mapping[str, str]] = {
    "f1": "F1", "f1_all": "F1, unread counted", "precision": "precision", "recall": "recall",
    "accuracy": "accuracy", "accuracy_all": "accuracy, unread counted",
    "balanced_accuracy": "balanced accuracy", "auc": "ROC AUC", "ece": "calibration error",
    "brier": "Brier score", "icc_3_1": "ICC(3,1)", "icc_2_1": "ICC(2,1)", "mse": "MSE",
    "mae": "MAE", "pearson": "Pearson", "ccc": "CCC", "mean_recall": "mean recall",
    "f1_macro": "F1, macro",
}  # fmt: skip

MAIN_METRIC: Final[Mapping[str, str]] = {
    "presence": "f1", "intensity": "icc_3_1", "emotion": "accuracy", "affect": "ccc",
}  # fmt: skip
"""By task, what the protocols rank by."""

LABEL_METRIC: Final[Mapping[str, str]] = {**MAIN_METRIC, "emotion": "f1"}
"""By task, what is drawn of each label."""

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "presence": ("f1", "f1_all", "accuracy", "balanced_accuracy", "auc", "ece"),
    "intensity": ("icc_3_1", "icc_2_1", "mse", "mae", "pearson", "ccc"),
    "emotion": ("f1", "precision", "recall", "auc"),
    "affect": ("ccc", "pearson", "mse", "mae"),
}
SUBJECT_TITLES: Final[Mapping[str, str]] = {
    "presence": "F1 of all units together", "intensity": "MAE of all units together",
    "emotion": "accuracy", "affect": "MAE of both together",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table.

    Attributes:
        text: the value.
        aside: smaller, beside it: an interval, a note.
        kind: ``ours``, ``published`` or ``name``.
    """

    text: str
    aside: str = ""
    kind: str = "ours"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its heading.

    Attributes:
        heading: above it.
        header: names of the columns.
        rows: as many cells each.
        notes: below it, a sentence each.
    """

    heading: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def number(value: float) -> str:
    """A figure as it is printed; a dash where it is undefined."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def interval(figure: Figure) -> str:
    """Its interval as it is printed; "" where there is none."""
    return "" if math.isnan(figure.low) else f"[{number(figure.low)}, {number(figure.high)}]"


def overall_table(scores: Scores, name: str) -> Table:
    """Every metric over all labels."""
    several = len(scores.folds) > 1
    what = "Mean of the folds" if several else "All frames"
    header = ["metric", what]
    header += [f"fold {fold}" for fold in scores.folds if several]
    header += ["all folds together"] if several else []
    beside = any(published_figure(name, metric) for metric in scores.overall)
    header += [f"{SYSTEM}, published"] if beside else []
    rows = []
    for metric, figure in scores.overall.items():
        row = [_name(METRIC_TITLES[metric]), Cell(number(figure.value), interval(figure))]
        if several:
            folds = [scores.by_fold[f][metric] for f in scores.folds]
            row += [Cell(number(value)) for value in (*folds, scores.pooled[metric])]
        if beside:
            row.append(_published(name, metric, MEAN))
        rows.append(tuple(row))
    return Table("Overall", tuple(header), tuple(rows), _overall_notes(scores, name))


def _overall_notes(scores: Scores, name: str) -> tuple[str, ...]:
    notes = []
    if name in protocol_names():
        lacking = [label for label in protocol(name).labels if label not in scores.labels]
        if lacking:
            notes.append(
                f"Not comparable with figures of the whole protocol: {', '.join(lacking)} missing."
            )
    if scores.predictions.task != "emotion":
        notes.append("Means over the labels that have a value.")
    undefined = {
        METRIC_TITLES[name]: figure.undefined
        for name, figure in scores.overall.items()
        if figure.undefined
    }
    if undefined:
        said = ", ".join(f"{name} ({count})" for name, count in undefined.items())
        of = "labels and folds" if len(scores.folds) > 1 else "labels"
        notes.append(
            f"Undefined and left out, counted over {of}: {said}. A published mean is over all."
        )
    return tuple(notes)


def label_table(scores: Scores, name: str) -> Table:
    """Every label, with the paper's figure where it is known."""
    task = scores.predictions.task
    first = next(iter(scores.labels.values()))
    metrics = [metric for metric in _COLUMNS[task] if metric in first]
    main = MAIN_METRIC[task]
    beside = any(published_figure(name, main, label) for label in scores.labels)
    counted = task in ("presence", "emotion")
    header = ["label", "shown in" if counted else "frames"]
    for metric in metrics:
        header.append(METRIC_TITLES[metric])
        if metric == main and beside:
            header.append(f"{SYSTEM}, published")
    rows = []
    for label, figures in scores.labels.items():
        counts = scores.counts[label]
        shown = counts["hits"] + counts["misses"] if counted else counts["frames"]
        row = [_name(label), Cell(f"{shown:,}")]
        for metric in metrics:
            figure = figures[metric]
            row.append(Cell(number(figure.value), interval(figure)))
            if metric == main and beside:
                row.append(_published(name, metric, label))
        rows.append(tuple(row))
    heading = "Emotions, each against the others" if task == "emotion" else "Labels"
    return Table(heading, tuple(header), tuple(rows))


def counts_table(scores: Scores) -> Table:
    """Hits, false alarms, misses and correct rejections of each unit."""
    names = ("hits", "misses", "false_alarms", "rejections")
    titles = ("present, called", "present, missed", "absent, called", "absent, not called")
    rows = (
        (_name(label), *(Cell(f"{counts[name]:,}") for name in names))
        for label, counts in scores.counts.items()
    )
    return Table("Calls", ("label", *titles), tuple(rows), (f"{_whose_frames(scores)}.",))


def confusion_table(scores: Scores, names: Sequence[str]) -> Table:
    """The confusion matrix."""
    assert scores.confusion is not None
    rows = (
        (_name(name), *(Cell(f"{count:,}") for count in row))
        for name, row in zip(names, scores.confusion.tolist(), strict=True)
    )
    note = f"Rows: truth. Columns: reading. {_whose_frames(scores)}"
    units = ", all units together" if scores.predictions.task == "intensity" else ""
    return Table("Confusion", ("", *names), tuple(rows), (f"{note}{units}.",))


def people_table(shares: Mapping[str, Mapping[str, Shares]]) -> Table:
    """How much of the variance of each label's readings is the person, in each variant."""
    variants = list(shares)
    header = ["label"]
    for variant in variants:
        header += [f"{variant}: {part}" for part in ("expression", "person", "rest")]
    rows = []
    for label in shares[variants[0]]:
        row = [_name(label)]
        for variant in variants:
            one = shares[variant][label]
            row += [Cell(percent(v)) for v in (one.expression, one.person, one.rest)]
        rows.append(tuple(row))
    return Table(
        "People in the readings",
        tuple(header),
        tuple(rows),
        (
            "Of the variance of the readings: what the true label explains, what differs from "
            "person to person with the true label held equal, and the rest.",
            "Frames of a clip resemble each other, which raises the person's share.",
        ),
    )


def mean_people_table(people: People) -> Table:
    """The parts of the variance, mean of the labels, of each variant."""
    rows = []
    for variant, labels in people.shares.items():
        one, figure = mean_shares(labels), people.mean[variant]
        change = people.change.get(variant)
        rows.append(
            (
                _name(variant),
                Cell(percent(one.expression)),
                Cell(percent(figure.value), _between(figure)),
                Cell(percent(one.rest)),
                Cell("") if change is None else Cell(percent(change.value), _between(change)),
            )
        )
    header = ("mean of the labels", "expression", "person", "rest", "person, less the first's")
    note = (
        "In brackets: 95 % interval over people; of the last column, on the same draws of people."
    )
    return Table("The person in the readings, mean", header, tuple(rows), (note,))


def _between(figure: Figure) -> str:
    return "" if math.isnan(figure.low) else f"[{percent(figure.low)}, {percent(figure.high)}]"


def published_table(name: str) -> Table | None:
    """All published figures over all labels of a protocol; None when there is none."""
    rows = tuple(
        (
            _name(row.system),
            _name(METRIC_TITLES[row.metric]),
            Cell(exact(row.comparable), kind="published"),
            Cell(row.note, kind="name"),
        )
        for row in published(name)
        if row.label == MEAN
    )
    if not rows:
        return None
    return Table("Published figures", ("system", "metric", "published", "note"), rows)


def _published(name: str, metric: str, label: str) -> Cell:
    row = published_figure(name, metric, label)
    if row is None:
        return Cell("–", kind="published")
    return Cell(exact(row.comparable), row.note, "published")


def _whose_frames(scores: Scores) -> str:
    return "Frames of all folds" if len(scores.folds) > 1 else "All frames"


def exact(value: float) -> str:
    """At least three decimals, and a fourth where the source has it."""
    text = f"{value:.4f}"
    return text.removesuffix("0")


def percent(share: float) -> str:
    """A share as it is printed; a dash where it is undefined."""
    return "–" if math.isnan(share) else f"{share:.1%}"


def _name(text: str) -> Cell:
    return Cell(text, kind="name")
