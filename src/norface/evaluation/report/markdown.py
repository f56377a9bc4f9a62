"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from norface.evaluation.report.about import About
from norface.evaluation.report.sections import Section
from norface.evaluation.report.tables import Cell, Table


def markdown(about: About, facts: Iterable[tuple[str, str]], sections: Sequence[Section]) -> str:
    """The report without its drawings, which are in the HTML beside it."""
    lines = [f"# {about.title}", ""]
    lines += [f"- {name}: {value}" for name, value in facts]
    lines += [f"- {note}" for note in about.notes]
    lines += [
        "",
        "Plots and pictures: [report.html](report.html). Data: [results.json](results.json).",
    ]
    for section in sections:
        lines += ["", f"## {section.heading}"]
        for paragraph in section.words:
            lines += ["", paragraph]
        for table in section.tables:
            if table.heading != section.heading:
                lines += ["", f"### {table.heading}"]
            lines += ["", *table_lines(table)]
    return "\n".join(lines) + "\n"


def table_lines(table: Table) -> list[str]:
    """A table as lines of Markdown."""
    aligned = [":---" if cell.kind == "name" else "---:" for cell in table.rows[0]]
    lines = [_row(map(_escape, table.header)), _row(aligned)]
    lines += [_row(map(_cell, row)) for row in table.rows]
    return lines + [line for note in table.notes for line in ("", note)]


def _cell(cell: Cell) -> str:
    text = " ".join(filter(None, (cell.text, cell.aside)))
    return _escape(text)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
