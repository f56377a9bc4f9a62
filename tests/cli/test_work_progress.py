from __future__ import annotations

import io
from pathlib import Path, PurePosixPath

import pytest
from rich.console import Console

from norface.cli.plan import Planned
from norface.cli.work import progress as work_progress
from norface.cli.work.progress import WorkProgress
from norface.cli.work.units import Unit

PICTURES = tuple(Planned(Path(f"{i}.jpg"), PurePosixPath(f"{i}")) for i in range(64))
UNITS = [
    Unit(0, 0, PICTURES),
    Unit(1, 64, PICTURES),
    Unit(2, video=Planned(Path("film.mp4"), PurePosixPath("film"))),
]


def told(terminal: bool, seconds: float, monkeypatch: pytest.MonkeyPatch) -> str:
    now = 100.0
    monkeypatch.setattr(work_progress.time, "monotonic", lambda: now)
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    with WorkProgress(units=UNITS, done=UNITS[:1], console=console) as progress:
        now += seconds
        progress.tell(UNITS[1], 32, 64)
        progress.tell(UNITS[2], 250, 1000)
        if terminal:
            progress._bars.refresh()
        progress.finished(UNITS[2])
    return out.getvalue()


def test_a_terminal_shows_counts_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(True, 1, monkeypatch)
    assert "96/128" in said
    assert "film.mp4" in said
    assert "250/1000" in said


def test_a_log_gets_a_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(False, 30, monkeypatch) == ""
    # Those of the run before do not count for the rate.
    assert "96 of 128 pictures, 0.4/s, 1 minutes left" in told(False, 80, monkeypatch)
