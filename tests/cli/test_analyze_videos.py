"""`norface analyze` on videos, and on videos and pictures together."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from norface import Norface
from norface.cli import main
from norface.media.video import Video
from norface.tables.columns import FACE_COLUMNS
from norface.tables.reading import read_columns
from norface.tables.styles import FramePlace, style_columns, video_row

Row = dict[str, str]


def table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def expected(video: Path, style: str, **options: object) -> list[Row]:
    """The table that Python gives."""
    rows = []
    with Norface.load() as norface:
        for frame in norface.analyze_video(video, **options):
            place = FramePlace(str(video), frame.number, frame.time, frame.size)
            rows += [video_row(style, place, face) for face in frame.faces or (None,)]
    return rows


@pytest.fixture(scope="module")
def outcome(
    two_people: Path, people: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A folder with a video and a picture, analyzed."""
    given, out = tmp_path_factory.mktemp("given"), tmp_path_factory.mktemp("out") / "results"
    (given / "films").mkdir()
    shutil.copy(two_people, given / "films" / "two.mp4")
    shutil.copy(people[0], given / "me.jpg")
    assert main(["analyze", str(given), "--out", str(out), "--events"]) == 0
    return given, out


def test_a_video_has_a_table_of_its_own_beside_that_of_pictures(
    outcome: tuple[Path, Path],
) -> None:
    given, out = outcome
    made = {"faces.csv", "films/two.csv", "normalized/me_face0.png"}
    # What the two do is not over when the film ends, or never begins.
    assert made <= files_below(out) <= made | {"films/two_events.csv"}
    assert [row["input"] for row in table(out / "faces.csv")] == [str(given / "me.jpg")]


def test_the_table_of_a_video_is_what_python_gives(outcome: tuple[Path, Path]) -> None:
    given, out = outcome
    rows = table(out / "films" / "two.csv")
    assert list(rows[0]) == list(FACE_COLUMNS)
    assert rows == expected(given / "films" / "two.mp4", "norface")
    assert {row["frame"] for row in rows} == {str(i) for i in range(20)}
    assert [row["success"] for row in rows[-4:]] == ["0"] * 4
    assert {row["face_id"] for row in rows} == {"0", "1", ""}


def test_other_columns_options_and_formats(two_people: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--start", "0.5", "--stop", "1.8", "--every", "2", "--smoothing", "causal"]
    options += ["--columns", "openface", "--table", "jsonl", "--normalized", "all"]
    assert main(["analyze", str(two_people), "--out", str(out), *options]) == 0
    read = read_columns(out / "two.jsonl")
    assert read.names == style_columns("openface")
    rows = expected(two_people, "openface", start=0.5, stop=1.8, every=2, smoothing="causal")
    assert read.rows == len(rows)
    for name in ("frame", "face_id", "timestamp", "AU12_r", "x_30", "pose_Rx"):
        values = [float(row[name]) if row[name] else np.nan for row in rows]
        assert np.array_equal(read.numbers(name), values, equal_nan=True)
    faces = {
        f"normalized/two/frame{int(row['frame']) - 1:06d}_person{row['face_id']}.png"
        for row in rows
        if row["success"] == "1"
    }
    assert files_below(out) == {"two.jsonl", *faces}


def test_a_video_cut_short_is_kept_and_told(
    noise_film: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    video = noise_film(tmp_path / "cut.mkv", 60)
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 2 // 3])
    (tmp_path / "none.mp4").write_bytes(b"no video" * 100)
    out = tmp_path / "out"
    assert main(["analyze", str(tmp_path), "--out", str(out)]) == 3
    assert len(table(out / "cut.csv")) > 10
    errors = {Path(row["input"]).name: row["reason"] for row in table(out / "errors.csv")}
    assert "cut short" in errors["cut.mkv"]
    assert "not a video" in errors["none.mp4"]
    assert files_below(out) == {"cut.csv", "errors.csv"}


def test_names_never_collide(noise_film: Callable[[Path, int], Path], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "a.mkv", "faces.mp4", "a_events.mp4"):
        noise_film(tmp_path / "in" / name, 2)
    out = tmp_path / "out"
    assert main(["analyze", str(tmp_path / "in"), "--out", str(out)]) == 0
    assert files_below(out) == {
        "a_mp4.csv", "a_mkv.csv", "faces_mp4.csv", "a_events_mp4.csv",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["0", "{picture}"], "alone"),
        (["rtsp://a:b@host/x", "--workers", "2"], "rtsp://host/x"),
        (["rtsp://host/x", "--baseline", "file"], "running"),
        (["{picture}", "--workers", "0"], "workers"),
        (["{picture}", "--start", "3", "--stop", "2"], "before"),
        (["{picture}", "--every", "0"], "every"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    arguments: list[str],
    said: str,
    person: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("norface.media.video_source.camera_input", lambda index: ("v", "x", {}))
    out = tmp_path / "out"
    words = [word.format(picture=person) for word in arguments]
    assert main(["analyze", *words, "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "a:b" not in err
    assert not out.exists()


def stop_in_the_middle(
    given: Path, out: Path, *options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at the second of the videos."""
    with monkeypatch.context() as patch:
        tried: list[Path] = []

        def fail(self: Norface, *arguments: object, **more: object) -> object:
            tried.append(out)
            if len(tried) == 2:
                raise KeyboardInterrupt
            return segments(self, *arguments, **more)

        segments = Norface.segments
        patch.setattr(Norface, "segments", fail)
        assert main(["analyze", str(given), "--out", str(out), *options]) == 130


@pytest.fixture
def stopped(
    noise_film: Callable[[Path, int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """Two films, and a run over them that was stopped after the first."""
    given, out = tmp_path / "in", tmp_path / "out"
    given.mkdir()
    for name in ("a.mp4", "b.mp4"):
        noise_film(given / name, 5)
    stop_in_the_middle(given, out, monkeypatch=monkeypatch)
    assert (out / ".norface-work" / "work.json").exists()
    return given, out


def test_the_same_command_goes_on(
    capsys: pytest.CaptureFixture[str], stopped: tuple[Path, Path]
) -> None:
    given, out = stopped
    said = capsys.readouterr().err
    assert "Stopped after 1 of 2 videos" in said
    assert "the same command goes on" in said
    assert main(["analyze", str(given), "--out", str(out), "--workers", "1"]) == 0
    assert "1 of 2 parts are done" in capsys.readouterr().err
    assert files_below(out) == {"a.csv", "b.csv"}


@pytest.mark.parametrize("change", ["option", "content", "new", "gone", "ledger"])
def test_what_is_not_the_same_any_more_is_noticed(
    change: str,
    stopped: tuple[Path, Path],
    noise_film: Callable[[Path, int], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    given, out = stopped
    command = ["analyze", str(given), "--out", str(out)]
    said = ""
    if change == "option":
        command += ["--every", "2"]
        said = "--every was 1, now 2"
    elif change == "content":
        noise_film(given / "b.mp4", 6)
        said = "b.mp4 has changed since"
    elif change == "new":
        noise_film(given / "c.mp4", 2)
        said = "c.mp4 was not among its inputs"
    elif change == "gone":
        (given / "b.mp4").unlink()
        said = "b.mp4 was among its inputs"
    else:
        (out / ".norface-work" / "work.json").write_text("{")
        said = "ledger is damaged"
    assert main(command) == 2
    assert said in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert not (out / ".norface-work").exists()


def test_damaged_records_are_made_again(
    stopped: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = stopped
    work = out / ".norface-work"
    (done,) = work.glob("unit-*.json")
    before = (out / "a.csv").read_bytes()
    done.write_text(json.dumps({"pictures": 1}))
    (record,) = work.glob("unit-*.npz")
    record.write_bytes(record.read_bytes()[:100])
    (work / "unit-000001-0000.npz").write_bytes(b"")
    assert main(["analyze", str(given), "--out", str(out)]) == 0
    assert "0 of 2 parts" in capsys.readouterr().err
    assert (out / "a.csv").read_bytes() == before
    assert len(table(out / "b.csv")) == 5


def test_two_runs_never_share_a_folder(
    stopped: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    fcntl = pytest.importorskip("fcntl")
    given, out = stopped
    with (out / ".norface-work" / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(["analyze", str(given), "--out", str(out)]) == 2
        assert "Another run" in capsys.readouterr().err
        assert main(["analyze", str(given), "--out", str(out), "--overwrite"]) == 2
    assert (out / ".norface-work" / "work.json").exists()
    assert main(["analyze", str(given), "--out", str(out)]) == 0


def test_a_missing_extra_is_told(
    noise_film: Callable[[Path, int], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("norface.faces.identity.find_spec", lambda name: None)
    video = noise_film(tmp_path / "a.mp4", 2)
    out = tmp_path / "out"
    assert main(["analyze", str(video), "--people", "link", "--out", str(out)]) == 2
    assert "norface[people]" in capsys.readouterr().err
    assert not out.exists()


def test_a_video_that_upsets_a_library_stops_no_other(
    noise_film: Callable[[Path, int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.mp4", "b.mp4"):
        noise_film(tmp_path / name, 4)
    segments, seen = Norface.segments, []

    def fail(self: Norface, *arguments: object, **more: object) -> object:
        seen.append(1)
        for i, item in enumerate(segments(self, *arguments, **more)):
            if len(seen) == 1 and i == 2:
                raise RuntimeError("a library gave up")
            yield item

    monkeypatch.setattr(Norface, "segments", fail)
    out = tmp_path / "out"
    assert main(["analyze", str(tmp_path), "--out", str(out)]) == 3
    assert len(table(out / "a.csv")) == 2
    assert len(table(out / "b.csv")) == 4
    (row,) = table(out / "errors.csv")
    assert "a library gave up" in row["reason"]


def test_an_annotated_video_is_drawn_with_its_sound_in_step(
    two_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("norface.runtime.video_reading.SECONDS_A_SEGMENT", 0.7)
    out = tmp_path / "out"
    assert main(["analyze", str(two_people), "--pictures", "--out", str(out)]) == 0
    assert files_below(out) == {"two.csv", "pictures/two.mp4"}
    with Video.open(out / "pictures" / "two.mp4") as drawn:
        frames = list(drawn.frames())
        assert drawn.damage is None
    assert [frame.time for frame in frames] == pytest.approx([i / 10 for i in range(20)], abs=1e-3)
    assert frames[0].image.shape[1] > 480


@pytest.fixture
def camera(
    noise_film: Callable[[Path, int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera that shows a film."""
    film = noise_film(tmp_path / "seen.mkv", 40)
    monkeypatch.setattr(
        "norface.media.video_source.camera_input", lambda index: ("matroska", str(film), {})
    )


def test_a_camera_is_ended_by_ctrl_c_and_all_is_kept(
    camera: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = Norface.segments

    def stopped(self: Norface, *arguments: object, **more: object) -> object:
        for i, item in enumerate(segments(self, *arguments, **more)):
            if i == 25:
                raise KeyboardInterrupt
            yield item

    monkeypatch.setattr(Norface, "segments", stopped)
    monkeypatch.setattr("norface.runtime.video_reading.SECONDS_A_SEGMENT", 0.5)
    out = tmp_path / "out"
    assert main(["analyze", "0", "--out", str(out), "--pictures"]) == 0
    rows = table(out / "camera_0.csv")
    assert [row["frame"] for row in rows] == [str(i) for i in range(24)]
    assert {row["input"] for row in rows} == {"Camera 0"}
    assert files_below(out) == {"camera_0.csv", "pictures/camera_0.mp4"}
    with Video.open(out / "pictures" / "camera_0.mp4") as drawn:
        assert len(list(drawn.frames())) == 24


def test_what_a_killed_run_saw_of_a_camera_is_not_gone_on_with(
    camera: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "out" / ".norface-work"
    work.mkdir(parents=True)
    (work / "work.json").write_text("{}")
    assert main(["analyze", "0", "--out", str(tmp_path / "out")]) == 2
    assert "Camera 0" in capsys.readouterr().err
    assert main(["analyze", "0", "--out", str(tmp_path / "out"), "--overwrite"]) == 0
    assert len(table(tmp_path / "out" / "camera_0.csv")) == 40
