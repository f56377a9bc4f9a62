"""What a report says, in order; Markdown and HTML are two ways to write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import norface
from norface.evaluation.people import Shares
from norface.evaluation.people_compared import People
from norface.evaluation.published import (
    published_caution,
    published_figure,
    published_source,
)
from norface.evaluation.report import plots, tables
from norface.evaluation.report.about import About, label_digest
from norface.evaluation.report.svg import Drawing
from norface.evaluation.scores import Scores
from norface.evaluation.worst import Worst


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Attributes:
        heading: above it.
        drawings: plots; Markdown leaves them out.
        tables: below them; in HTML the first is open and the others are folded.
        words: paragraphs below the heading.
    """

    heading: str
    drawings: tuple[Drawing, ...] = ()
    tables: tuple[tables.Table, ...] = ()
    words: tuple[str, ...] = ()


def facts(scores: Scores, about: About) -> list[tuple[str, str]]:
    """What was evaluated, by name."""
    p = scores.predictions
    unread = int(p.missing.sum())
    unlabelled = int(np.isnan(p.truth).all(axis=1).sum())
    people = f"{scores.subjects:,}" if p.has_subjects else "not named by the set"
    rows = [
        ("model", about.model),
        ("model, SHA-256", about.model_sha256),
        ("data", about.data),
        ("data, SHA-256", about.data_sha256),
        ("scored labels, SHA-256", label_digest(p)),
        ("protocol", about.protocol),
        ("task", p.task),
        ("frames scored", f"{scores.scored:,}"),
        ("frames without a reading", f"{unread:,}, left out of the scores" if unread else ""),
        ("frames without a label", f"{unlabelled:,}, left out" if unlabelled else ""),
        ("subjects", people),
        ("folds", str(len(scores.folds)) if len(scores.folds) > 1 else ""),
        ("norface", norface.__version__),
    ]
    return [(name, value) for name, value in rows if value]


def sections(
    scores: Scores,
    about: About,
    shares: Mapping[str, Mapping[str, Shares]],
    worst: Sequence[Worst],
    people: People | None = None,
) -> list[Section]:
    """Everything but the head and the pictures of the worst frames."""
    found = [
        Section("Overall", tables=(tables.overall_table(scores, about.protocol),)),
        _labels(scores, about.protocol),
    ]
    table = tables.published_table(about.protocol)
    if table is not None:
        caution = published_caution(about.protocol)
        words = [f"Figures marked published: {published_source()}."]
        words += [f"Keep in mind: {caution}."] if caution else []
        found.append(Section("Published", tables=(table,), words=tuple(words)))
    found += _confusion(scores)
    if scores.reliability is not None:
        error = scores.reliability.expected_error
        what = "the most probable emotion" if scores.confusion is not None else "all units together"
        found.append(
            Section(
                "Reliability",
                (plots.reliability_plot(scores.reliability),),
                words=(f"Expected calibration error of {what}, over ten bins: {error:.3f}.",),
            )
        )
    if scores.by_subject:
        title = tables.SUBJECT_TITLES[scores.predictions.task]
        values = np.array([v for v in scores.by_subject.values() if not np.isnan(v)])
        spread = (
            f"{title[0].upper()}{title[1:]}, from {values.min():.3f} to {values.max():.3f}, "
            f"median {np.median(values):.3f}."
            if len(values)
            else "Undefined for every subject."
        )
        plot = plots.subject_plot(scores.by_subject, title)
        found.append(Section("Subjects", (plot,), words=(spread,)))
    if shares:
        mean = (tables.mean_people_table(people),) if people and people.shares else ()
        found.append(
            Section(
                "People in the readings",
                (plots.people_plot(shares),),
                (*mean, tables.people_table(shares)),
            )
        )
    if worst:
        found.append(Section("Worst frames", tables=(_worst(scores, worst),)))
    found.append(Section("How to read this", words=_explanation(scores)))
    return found


def _labels(scores: Scores, protocol: str) -> Section:
    metric = tables.LABEL_METRIC[scores.predictions.task]
    beside = {
        label: row.comparable
        for label in scores.labels
        if metric == tables.MAIN_METRIC[scores.predictions.task]
        and (row := published_figure(protocol, metric, label))
    }
    figures = {label: values[metric] for label, values in scores.labels.items()}
    title = f"{tables.METRIC_TITLES[metric]} of each label"
    over = "subjects" if scores.predictions.has_subjects else "pictures"
    more = (tables.counts_table(scores),) if scores.predictions.task == "presence" else ()
    return Section(
        title,
        (plots.label_plot(figures, beside, title, over),),
        (tables.label_table(scores, protocol), *more),
    )


def _confusion(scores: Scores) -> list[Section]:
    if scores.confusion is None:
        return []
    task = scores.predictions.task
    names = scores.predictions.labels
    drawings = []
    if task == "intensity":
        names = tuple(str(level) for level in range(len(scores.confusion)))
    drawings.append(plots.confusion_plot(scores.confusion.tolist(), names))
    if scores.levels is not None:
        drawings.append(plots.levels_plot(scores.levels))
    return [
        Section("Confusion", tuple(drawings), (tables.confusion_table(scores, names),)),
    ]


def _worst(scores: Scores, worst: Sequence[Worst]) -> tables.Table:
    p = scores.predictions
    rows = tuple(
        (
            tables.Cell(p.where(w.row), kind="name"),
            tables.Cell(str(p.subject[w.row]), kind="name"),
            tables.Cell(f"{w.loss:.2f}"),
            tables.Cell("; ".join(w.words), kind="name"),
        )
        for w in worst
    )
    what = "absolute error" if p.task in ("intensity", "affect") else "minus log of what was given"
    note = f"Loss: mean {what} to the truth. At most one frame of a clip."
    return tables.Table("Worst frames", ("frame", "subject", "loss", "read"), rows, (note,))


def _explanation(scores: Scores) -> tuple[str, ...]:
    people = scores.predictions.has_subjects
    whom = "subjects, each with all of their frames," if people else "frames (no subject is named)"
    words = [
        f"In brackets: 95 % intervals. {scores.resamples:,} times, as many {whom} were drawn with "
        "replacement as there are, and the figure computed again. The interval says how much the "
        "figure hangs on who was recorded, not how the model would change if it were trained "
        "again.",
        "A dash is a value that is undefined, e.g. F1 where a unit is neither shown nor called. It "
        "is left out of means, and counted.",
    ]
    if len(scores.folds) > 1:
        words.append("Figures are means over the folds, as the field's protocols have it.")
    return tuple(words)
