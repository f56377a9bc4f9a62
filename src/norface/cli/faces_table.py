"""The faces of a run as a table that fits the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.table import Table

from norface.cli.console import printable
from norface.facs import action_unit
from norface.results import FaceAnalysis

_UNITS_SHOWN: Final = 5
_UNITS_WIDTH: Final = 28
_SPACE: Final = 2


def faces_table(rows: Sequence[tuple[str, FaceAnalysis | None]], width: int) -> Table:
    """Rows of one line each: names lose their beginning, and the weakest units are left out.

    Args:
        rows: name of the picture, and a face of it or None for no face.
        width: of the terminal, characters.
    """
    emotions = [_emotion(face) for _, face in rows]
    rest = width - max(4, *(len(str(face.face_id)) for _, face in rows if face)) - 3 * _SPACE
    rest -= max(len("emotion"), *map(len, emotions))
    names = [printable(name) for name, _ in rows]
    name_width = max(len("picture"), min(max(map(cell_len, names)), rest - _UNITS_WIDTH))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _SPACE, 0, 0))
    table.add_column("picture", no_wrap=True)
    table.add_column("face", justify="right", no_wrap=True)
    table.add_column("emotion", no_wrap=True)
    table.add_column("strongest action units", no_wrap=True)
    before = None
    for (name, face), shown, emotion in zip(rows, names, emotions, strict=True):
        first = "" if name == before else _tail(shown, name_width)
        before = name
        if face is None:
            table.add_row(first, "-", "", "no face found")
            continue
        units = [f"{unit} {intensity:.1f}" for unit, intensity in _strongest(face)]
        while len(", ".join(units)) > rest - name_width:
            units.pop()
        table.add_row(first, str(face.face_id), emotion, ", ".join(units) or _no_units(face))
    return table


def _no_units(face: FaceAnalysis) -> str:
    return "none present" if face.action_units else "not read"


def _emotion(face: FaceAnalysis | None) -> str:
    if face is None or face.emotion is None:
        return ""
    return f"{face.emotion} {face.emotions[face.emotion]:.0%}"


def _tail(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    while cell_len(text) > width - 3:
        text = text[1:]
    return "..." + text


def _strongest(face: FaceAnalysis) -> list[tuple[str, float]]:
    present = [(name, unit.intensity) for name, unit in face.action_units.items() if unit.present]
    return sorted(present, key=lambda item: -item[1])[:_UNITS_SHOWN]


def units_legend(rows: Sequence[tuple[str, FaceAnalysis | None]]) -> str:
    """What the units that the table shows are."""
    shown = {name for _, face in rows if face is not None for name, _ in _strongest(face)}
    names = (f"{name} {action_unit(name).description}" for name in sorted(shown))
    return ", ".join(names)
