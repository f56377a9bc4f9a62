"""``norface plot``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from norface.cli import main
from norface.tables.columns import FACE_COLUMNS
from norface.tables.opening import open_table
from norface.tables.reading import read_columns

RATE = 10
SMILE = (5.0, 20.0)
"""Seconds at which person 0 smiles."""


def rows(frames: int, videos: tuple[str, ...] = ("clip.mp4",)) -> list[dict[str, object]]:
    """Two people; the second comes late, nobody is there in the middle."""
    times = np.arange(frames) / RATE
    smile = 4 * np.exp(-np.min([(times - at) ** 2 for at in SMILE], axis=0))
    written = []
    for video in videos:
        for frame in range(frames):
            there = [] if 0.4 < frame / frames < 0.5 else [0, 1] if frame > frames / 4 else [0]
            place = {"input": video, "frame": frame, "timestamp": f"{times[frame]:.3f}"}
            empty: dict[str, object] = dict.fromkeys(FACE_COLUMNS, "")
            for person in there:
                units = {name: 0.0 for name in FACE_COLUMNS if name.endswith("_r")}
                if person == 0:
                    units["AU12_r"] = smile[frame]
                written.append({**empty, **place, "success": 1, "face_id": person, **units})
            if not there:
                written.append({**empty, **place, "success": 0})
    return written


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with open_table(tmp_path / "faces.csv", FACE_COLUMNS) as opened:
        for row in rows(300):
            opened.write(row)
    return Path("faces.csv")


def run(*words: object) -> int:
    try:
        return main(["plot", *map(str, words)])
    except SystemExit as stop:
        return int(stop.code or 0)


def test_timelines_are_drawn(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(table, "--units", "AU12", "6") == 0
    assert capsys.readouterr().out == "2 people, AU12, AU06 -> timelines.png\n"
    with Image.open("timelines.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape[1] == 1500
    blue, red = pixels[:, :, 2] - pixels[:, :, 0], pixels[:, :, 0] - pixels[:, :, 2]
    assert (blue > 60).sum() > 2000
    assert (red > 60).sum() > 200
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["faces.csv", "timelines.png"]


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_drawings_for_print_are_the_same_each_time(suffix: str, start: bytes, table: Path) -> None:
    for name in ("a", "b"):
        assert run(table, "--units", "AU12", "--out", f"{name}.{suffix}") == 0
    content = Path(f"a.{suffix}").read_bytes()
    assert content.startswith(start)
    assert content == Path(f"b.{suffix}").read_bytes()


def test_a_drawing_says_what_it_shows(table: Path) -> None:
    assert run(table, "--out", "a.svg", "--person", "1", "--units", "12") == 0
    said = Path("a.svg").read_text(encoding="utf-8")
    for words in ("clip.mp4", "person 1", "AU12 lip corner puller", "seconds"):
        assert words in said
    assert "person 0" not in said


def test_the_active_units_are_drawn_unless_others_are_named(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(table) == 0
    said = capsys.readouterr().out
    assert "AU12" in said
    assert said.count("AU") == 8


def test_events_are_written(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(table, "--units", "AU12", "--events", "events.csv") == 0
    assert "2 events -> events.csv" in capsys.readouterr().out
    events = read_columns(Path("events.csv"))
    assert events.numbers("apex").tolist() == list(SMILE)
    assert events.numbers("peak").tolist() == [4, 4]
    assert events.numbers("onset")[0] == pytest.approx(5 - np.sqrt(np.log(4)), abs=0.02)
    assert events.texts("input").tolist() == ["clip.mp4"] * 2


def test_thresholds_and_the_stretch_can_be_chosen(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(table, "--units", "12", "--start", "10", "--events", "a.csv", "--on", "3") == 0
    assert "1 event -> a.csv" in capsys.readouterr().out
    assert read_columns(Path("a.csv")).numbers("offset")[0] == pytest.approx(
        20 + np.sqrt(np.log(4 / 1.5)), abs=0.02
    )
    assert run(table, "--on", "4.5", "--events", "b.csv", "--out", "b.png") == 0
    assert "0 events: no table is written" in capsys.readouterr().out


def test_a_long_table_makes_no_large_drawing(tmp_path: Path) -> None:
    with open_table(tmp_path / "long.jsonl", ("timestamp", "AU12_r")) as opened:
        for frame in range(30_000):
            opened.write({"timestamp": frame / RATE, "AU12_r": 2 + frame % 7 / 7})
    out = tmp_path / "a.svg"
    assert run(tmp_path / "long.jsonl", "--out", out) == 0
    assert out.stat().st_size < 400_000
    assert "minutes:seconds" in out.read_text(encoding="utf-8")


def test_one_of_several_videos_is_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "faces.csv", tmp_path / "a.png"
    with open_table(path, FACE_COLUMNS) as opened:
        for row in rows(40, ("one/clip.mp4", "two/clip.mp4")):
            opened.write(row)
    assert run(path, "--out", out) == 2
    assert "choose one with --video, such as one/clip.mp4, two/clip.mp4" in capsys.readouterr().err
    assert run(path, "--out", out, "--video", "clip.mp4") == 2
    assert run(path, "--out", out, "--video", "three.mp4") == 2
    assert run(path, "--out", out, "--video", "two/clip.mp4") == 0


def test_a_table_that_is_being_written_is_drawn(tmp_path: Path) -> None:
    with open_table(tmp_path / "faces.csv", FACE_COLUMNS) as opened:
        for row in rows(50):
            opened.write(row)
        assert run(tmp_path / "faces.csv", "--out", tmp_path / "a.png") == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--units", "smile"], "'smile' is no action unit"),
        (["--units", "AU23"], "has no AU23"),
        (["--person", "7"], "holds no person 7; it holds 0, 1"),
        (["--out", "a.jpg"], ".png, .svg, .pdf"),
        (["--events", "a.xlsx"], ".csv, .jsonl, .parquet"),
        (["--out", "missing/a.png"], "no folder missing"),
        (["--on", "9"], "thresholds"),
        (["--start", "100"], "Nobody is seen"),
        (["--out", "faces.csv"], ".png, .svg, .pdf"),
        (["--events", "faces.csv"], "--overwrite"),
    ],
)
def test_a_wrong_command_line_is_told(
    words: list[str], says: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(table, *words) == 2
    assert says in capsys.readouterr().err
    assert [path.name for path in Path.cwd().iterdir()] == ["faces.csv"]


def test_a_table_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    for content in (None, "", "a,b\n1,2\n", "timestamp,AU12_r,success\n1,,0\n"):
        if content is not None:
            path.write_text(content, encoding="utf-8")
        assert run(path, "--out", tmp_path / "a.png") != 0
        assert str(path) in capsys.readouterr().err


def test_a_drawing_is_replaced_only_when_told_to(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("timelines.png").write_text("mine")
    assert run(table) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert Path("timelines.png").read_text() == "mine"
    assert run(table, "--overwrite") == 0


def test_without_matplotlib_the_extra_is_named(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run(table) == 1
    assert "norface[plot]" in capsys.readouterr().err
