"""A report as one HTML file that needs nothing else: no script, no network, no other file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import PurePath

from norface.evaluation.predictions import Predictions
from norface.evaluation.published import published_figure
from norface.evaluation.report.about import About
from norface.evaluation.report.sections import Section
from norface.evaluation.report.tables import (
    MAIN_METRIC,
    METRIC_TITLES,
    Cell,
    Table,
    exact,
    interval,
    number,
)
from norface.evaluation.scores import Scores
from norface.evaluation.worst import Worst

_TERMS = (
    "The pictures below belong to the data set. Its terms may forbid to pass them on: make the "
    "report without pictures before you publish it."
)


@dataclass(frozen=True, slots=True)
class Face:
    """A badly read frame and its picture.

    Attributes:
        worst: which and why.
        uri: the picture as a data URI; "" when there is none.
    """

    worst: Worst
    uri: str


def html(
    scores: Scores,
    about: About,
    facts: Iterable[tuple[str, str]],
    sections: Sequence[Section],
    faces: Sequence[Face],
) -> str:
    """The whole page."""
    body = [_headline(scores, about.protocol), described(facts, about.notes)]
    for section in sections:
        pictures = ""
        if section.heading == "Worst frames" and faces:
            pictures = _faces(scores.predictions, faces)
        body.append(drawn_section(section, pictures))
    return page(about.title, body)


def page(title: str, body: Iterable[str]) -> str:
    """A whole page around its parts."""
    style = files("norface.evaluation.report").joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join([f"<h1>{escape(title)}</h1>", *body])
        + "\n</body>\n</html>\n"
    )


def described(facts: Iterable[tuple[str, str]], notes: Sequence[str]) -> str:
    """Facts by name, and notes."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    said = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<dl>{rows}</dl>" + (f'\n<ul class="notes">{said}</ul>' if notes else "")


def drawn_section(section: Section, pictures: str = "") -> str:
    """A section; tables after the first are folded, and with pictures all are."""
    body = [f"<h2>{escape(section.heading)}</h2>"]
    body += [f"<p>{escape(paragraph)}</p>" for paragraph in section.words]
    if section.drawings:
        drawn = "".join(drawing.svg() for drawing in section.drawings)
        body.append(f'<div class="plots">{drawn}</div>')
    if pictures:
        body.append(pictures)
    body += [_table(table, folded=i > 0 or bool(pictures))
             for i, table in enumerate(section.tables)]  # fmt: skip
    return "\n".join(body)


def _headline(scores: Scores, protocol: str) -> str:
    metric = MAIN_METRIC[scores.predictions.task]
    figure = scores.overall[metric]
    title = METRIC_TITLES[metric]
    if scores.predictions.task != "emotion":
        title = f"mean {title}"
    between = interval(figure)
    tiles = [_tile(title, number(figure.value), between or "no interval: too few subjects", "ours")]
    row = published_figure(protocol, metric)
    if row is not None:
        note = f"published for Norface{f'; {row.note}' if row.note else ''}"
        tiles.append(_tile(title, exact(row.comparable), note, "published"))
    return f'<div class="headline">{"".join(tiles)}</div>'


def _tile(title: str, value: str, aside: str, kind: str) -> str:
    return (
        f'<div class="tile {kind}"><span>{escape(title)}</span><b>{escape(value)}</b>'
        f"<span>{escape(aside)}</span></div>"
    )


def _table(table: Table, *, folded: bool) -> str:
    kinds = [cell.kind for cell in table.rows[0]]
    head = "".join(
        f'<th class="{kind}">{escape(name)}</th>'
        for name, kind in zip(table.header, kinds, strict=True)
    )
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in table.notes)
    drawn = (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"</div>{notes}"
    )
    if folded:
        return f"<details><summary>{escape(table.heading)}, table</summary>{drawn}</details>"
    return drawn


def _cell(cell: Cell) -> str:
    aside = f"<small>{escape(cell.aside)}</small>" if cell.aside else ""
    return f'<td class="{cell.kind}">{escape(cell.text)}{aside}</td>'


def _faces(predictions: Predictions, faces: Sequence[Face]) -> str:
    figures = []
    for face in faces:
        row = face.worst.row
        picture = (
            f'<img alt="" src="{face.uri}">'
            if face.uri
            else '<div class="absent">picture not found</div>'
        )
        frame = int(predictions.frame[row])
        place = [str(predictions.subject[row]), str(predictions.sequence[row]),
                 PurePath(str(predictions.path[row])).name,
                 f"frame {frame}" if frame >= 0 else ""]  # fmt: skip
        words = "<br>".join(escape(word) for word in face.worst.words)
        where = escape(", ".join(filter(None, place)))
        figures.append(
            f"<figure>{picture}<figcaption><b>{words}</b><br>{where}</figcaption></figure>"
        )
    terms = f'<p class="note">{escape(_TERMS)}</p>'
    return f'{terms}<div class="faces">{"".join(figures)}</div>'
