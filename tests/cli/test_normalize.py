"""``norface normalize``."""

from __future__ import annotations

import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from norface import Norface
from norface.cli import main, normalize_task
from norface.cli.folder_lock import FolderLock
from norface.cli.normalize_plan import plan_normalize
from norface.cli.normalize_video import normalize_video
from norface.cli.work import processes
from norface.media.images import read_image
from norface.media.video import Video
from norface.pictures.videos import Written
from norface.runtime import video_reading

SECRET = "SECRET"


@pytest.fixture
def shared(norface: Norface, monkeypatch: pytest.MonkeyPatch) -> Norface:
    """The networks are loaded once for all."""
    monkeypatch.setattr(Norface, "load", lambda **_: norface)
    monkeypatch.setattr(Norface, "close", lambda _: None)
    return norface


@pytest.fixture
def faces(people: list[Path], tmp_path: Path) -> Path:
    """A small tree of small pictures, with notes of a camera, and files that are none."""
    root = tmp_path / "in"
    for name, path in (("a/one.jpg", people[0]), ("a/b/two.png", people[3]), ("x.gif", people[0])):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            image.thumbnail((240, 240))
            notes = Image.Exif()
            notes[0x010E] = SECRET  # ImageDescription
            notes[0x8298] = SECRET  # Copyright
            options: dict[str, Any] = {"comment": SECRET} if file.suffix != ".png" else {}
            image.save(file, exif=notes, **options)
        os.utime(file, (981_173_106, 981_173_106))
    (root / "notes.txt").write_text("not a picture")
    (root / ".hidden.jpg").write_bytes(b"x")
    return root


def film(path: Path, pictures: Sequence[Path], frames: int = 6) -> Path:
    """Faces side by side that move a little, with a tone in each frame of an odd number."""
    tiles = []
    for picture in pictures:
        image = read_image(picture)
        height = 240 * image.shape[0] // image.shape[1]
        tiles.append(np.asarray(Image.fromarray(image).resize((240, height)))[:240])
    with av.open(str(path), "w") as file:
        file.metadata["title"] = SECRET
        stream = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 260 * len(tiles), 260, "yuv420p"
        stream.metadata["handler_name"] = SECRET
        stream.codec_context.time_base = Fraction(1, 1000)
        sound = file.add_stream("aac", rate=48_000, layout="mono")
        sound.metadata["handler_name"] = SECRET
        for i in range(frames):
            image = np.full((260, 260 * len(tiles), 3), 110, np.uint8)
            for place, tile in enumerate(tiles):
                left = 260 * place + 2 * i
                image[10 : 10 + tile.shape[0], left : left + 240] = tile
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = 100 * i + 7 * (i % 2), Fraction(1, 1000)
            file.mux(stream.encode(frame))
            wave = np.sin(np.arange(4800) * (2 * np.pi * 440 / 48_000)) * 20_000 * (i % 2)
            part = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
            part.sample_rate, part.pts, part.time_base = 48_000, 4800 * i, Fraction(1, 48_000)
            file.mux(sound.encode(part))
        file.mux(stream.encode(None))
        file.mux(sound.encode(None))
    return path


def run(*words: object) -> int:
    return main(["normalize", *map(str, words)])


def table(out: Path) -> dict[str, dict[str, str]]:
    with (out / "normalized.csv").open(encoding="utf-8", newline="") as file:
        return {row["input"]: row for row in csv.DictReader(file)}


def files(folder: Path) -> list[str]:
    found = folder.rglob("*")
    return sorted(path.relative_to(folder).as_posix() for path in found if path.is_file())


def test_tree_and_names_are_kept(
    faces: Path, shared: Norface, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(faces, "--out", out) == 0
    assert files(out) == ["a/b/two.png", "a/one.jpg", "normalized.csv", "x.png"]
    assert capsys.readouterr().out == f"3 pictures, 3 faces -> {out}{os.sep}\n"
    expected = shared.analyze(faces / "a/b/two.png")[0].normalized
    assert np.array_equal(read_image(out / "a/b/two.png"), expected)
    assert table(out)[(faces / "x.gif").as_posix()]["output"] == "x.png"


def test_nothing_else_of_the_pictures_is_carried_over(
    faces: Path, shared: Norface, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = time.time() - 2
    assert run(faces, "--out", out) == 0
    for name in ("a/b/two.png", "a/one.jpg", "x.png"):
        assert SECRET.encode() not in (out / name).read_bytes()
        assert (out / name).stat().st_mtime >= before
        with Image.open(out / name) as image:
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert image.size == (256, 256)


def test_each_further_face_has_a_file(
    group: Path, people: list[Path], shared: Norface, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with Image.open(group) as image:
        image.reduce(3).save(folder / "group.png")
    # The name that a further face would have is another picture's.
    with Image.open(people[0]) as image:
        image.reduce(3).save(folder / "group_face1.png")
    assert run(folder, "--out", tmp_path / "out") == 0
    found = table(tmp_path / "out")[(folder / "group.png").as_posix()]
    count = int(found["faces"])
    assert count >= 2
    names = {f"group__face{n}.png" for n in range(1, count)}
    assert set(files(tmp_path / "out")) == {
        "group.png", "group_face1.png", "normalized.csv", *names
    }  # fmt: skip


def test_faults_stop_nothing(
    faces: Path, shared: Norface, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (faces / "a" / "broken.jpg").write_bytes((faces / "a" / "one.jpg").read_bytes()[:500])
    (faces / "a" / "empty.mp4").write_bytes(b"")
    Image.new("RGB", (64, 64)).save(faces / "a" / "nobody.png")
    out = tmp_path / "out"
    assert run(faces, tmp_path / "missing", "--out", out) == 3
    found = table(out)
    assert len(found) == 7
    assert "damaged" in found[(faces / "a" / "broken.jpg").as_posix()]["note"]
    assert "is empty" in found[(faces / "a" / "empty.mp4").as_posix()]["note"]
    assert found[(tmp_path / "missing").as_posix()]["note"].startswith("There is no such")
    nobody = found[(faces / "a" / "nobody.png").as_posix()]
    assert (nobody["faces"], nobody["output"]) == ("0", "")
    assert files(out) == ["a/b/two.png", "a/one.jpg", "normalized.csv", "x.png"]
    said = capsys.readouterr()
    assert "3 could not be normalized" in said.out
    assert "broken.jpg" in said.err


def test_a_video_shows_the_common_face_in_step_with_the_sound(
    people: list[Path], shared: Norface, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = film(tmp_path / "film.mkv", [people[0], people[3]])
    out = tmp_path / "out"
    assert run(video, "--out", out) == 0
    assert "voices identify people" in capsys.readouterr().err
    row = table(out)[video.as_posix()]
    assert (row["output"], row["frames"], row["faces"]) == ("film.mkv", "6", "12")
    assert SECRET.encode() not in (out / "film.mkv").read_bytes()
    with Video.open(video) as original, Video.open(out / "film.mkv") as new:
        assert (new.width, new.height, new.has_sound) == (original.width, original.height, True)
        for before, after in itertools.zip_longest(original.frames(), new.frames()):
            assert after.time == pytest.approx(before.time, abs=2e-3)
            # What is not near a face is the plain ground.
            edge = after.image[-30:].astype(int)
            assert np.abs(edge - edge.mean(axis=(0, 1))).max() < 8
            assert after.image[:, :260].std() > 5
            assert after.image[:, 260:].std() > 5
    assert loudness(out / "film.mkv") == pytest.approx(loudness(video), abs=0.02)


def loudness(path: Path) -> list[float]:
    """Of each tenth of a second that is played."""
    sound = np.zeros(28_800 + 48_000, np.float64)
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            start = round(float(frame.time) * 48_000)
            part = frame.to_ndarray()[0][max(0, -start) :]
            sound[max(0, start) : max(0, start) + len(part)] = part[: len(sound) - max(0, start)]
    return [float(np.abs(part).mean()) for part in np.array_split(sound[:28_800], 6)]


def test_faces_side_by_side_without_sound(
    people: list[Path], shared: Norface, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = film(tmp_path / "film.avi", [people[0], people[3]], frames=3)
    assert run(video, "--out", tmp_path / "two", "--side-by-side", 2, "--no-sound") == 0
    assert capsys.readouterr().err == ""
    with Video.open(tmp_path / "two" / "film.mp4") as new:
        assert (new.width, new.height, new.has_sound) == (512, 256, False)
    assert run(video, "--out", tmp_path / "one", "--side-by-side", 1, "--no-sound") == 0
    assert "had no place" in table(tmp_path / "one")[video.as_posix()]["note"]
    assert run(video, "--out", tmp_path / "none", "--side-by-side", 0) == 2


def test_a_stopped_run_goes_on(
    faces: Path, shared: Norface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert run(faces, "--out", whole) == 0

    real = Norface.outcomes

    def stopping(self: Norface, pictures: Any, **options: Any) -> Any:
        yield from itertools.islice(real(self, pictures, **options), 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(Norface, "outcomes", stopping)
    assert run(faces, "--out", out) == 130
    monkeypatch.setattr(Norface, "outcomes", real)
    assert len(table(out)) == 2
    assert run(faces, "--out", out, "--minimum-confidence", 0.7) == 2
    assert "another minimum-confidence" in capsys.readouterr().err
    changed = faces / next(iter(table(out)))
    os.utime(changed, (2**32, 2**32))
    assert run(faces, "--out", out) == 2
    assert "has changed since" in capsys.readouterr().err
    os.utime(changed, (981_173_106, 981_173_106))
    left = out / "a" / ".one-0123456789ab.part"
    left.write_bytes(b"x")
    assert run(faces, "--out", out) == 0
    assert "2 done before, 1 picture, 1 face" in capsys.readouterr().out
    assert files(out) == files(whole)
    for name in files(whole):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("places", [None, 1])
@pytest.mark.parametrize("after", [1, 5, 8])
def test_a_video_that_was_stopped_is_gone_on_with(
    places: int | None, after: int, people: list[Path], shared: Norface, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(video_reading, "SECONDS_A_SEGMENT", 0.35)
    video = film(tmp_path / "film.mp4", [people[0], people[3]], frames=9)
    read: list[int] = []

    def normalize(out: str, stop_after: int | None) -> tuple[Written, list[str]]:
        def tell(done: int, total: int | None) -> None:
            assert total == 9
            read.append(done)
            if done == stop_after:
                raise KeyboardInterrupt

        return normalize_video(
            shared, video, tmp_path / f"{out}.mp4", work=tmp_path / f"{out}-work", places=places,
            sound=True, tell=tell,
        )  # fmt: skip

    expected = normalize("whole", None)
    with pytest.raises(KeyboardInterrupt):
        normalize("new", after)
    assert not (tmp_path / "new.mp4").exists()
    read.clear()
    assert normalize("new", None) == expected
    # Three pieces, of frames 0 to 3, 4 to 6, 7 and 8.
    assert read[0] == {1: 1, 5: 5, 8: 8}[after]
    # The encoder does not always write the same bytes for the same pictures.
    with Video.open(tmp_path / "whole.mp4") as one, Video.open(tmp_path / "new.mp4") as other:
        for a, b in itertools.zip_longest(one.frames(), other.frames()):
            assert a.time == b.time
            assert np.abs(a.image.astype(int) - b.image).mean() < 0.5
    assert not list(tmp_path.glob("*-work"))
    if places:
        assert "9 faces had no place" in expected[1][0]


def test_several_workers_make_the_same_files(
    faces: Path, people: list[Path], tmp_path: Path
) -> None:
    film(faces / "film.mkv", [people[0]], frames=3)
    (faces / "a" / "broken.jpg").write_bytes((faces / "a" / "one.jpg").read_bytes()[:500])
    one, two = tmp_path / "one", tmp_path / "two"
    for out, workers in ((one, 1), (two, 2)):
        assert run(faces, tmp_path / "missing", "--out", out, "--workers", workers) == 3
    assert files(one) == files(two)
    assert (one / "normalized.csv").read_bytes() == (two / "normalized.csv").read_bytes()
    for name in ("a/one.jpg", "a/b/two.png", "x.png"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


class Deadly:
    """Finds nobody; a picture called deadly ends the process."""

    target = np.zeros((1, 1, 3), np.uint8)

    def outcomes(self, pictures: Any) -> Any:
        for path in pictures:
            if "deadly" in path.name:
                os._exit(9)
            yield SimpleNamespace(faces=[])

    def close(self) -> None:
        pass

    def __enter__(self) -> Deadly:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def test_what_kills_a_worker_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Norface, "load", lambda **_: Deadly())
    monkeypatch.setattr(processes, "get_context", lambda _: get_context("fork"))
    # OpenCV's threads do not survive a fork.
    monkeypatch.setattr("cv2.setNumThreads", lambda count: None)
    monkeypatch.setattr(normalize_task, "PICTURES_A_UNIT", 4)
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    names = ["a", "b", "c_deadly", "d", "e_deadly", "f", "g", "h", "i"]
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / f"{name}.png")
    assert run(folder, "--out", out, "--workers", 2) == 3
    notes = [row["note"] for row in table(out).values()]
    assert [Path(name).stem for name in table(out)] == names
    for name, note in zip(names, notes, strict=True):
        ended = "Failed: the process that read it was ended twice (exit code 9)."
        assert note == (ended if "deadly" in name else "")


def test_one_run_at_a_time(
    faces: Path, shared: Norface, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (out / ".normalize-work").mkdir(parents=True)
    other = FolderLock(out / ".normalize-work")
    other.hold()
    assert run(faces, "--out", out, "--overwrite") == 2
    assert "Another run is writing" in capsys.readouterr().err
    other.release()
    assert run(faces, "--out", out, "--overwrite") == 0


def test_results_are_not_replaced_unasked(
    faces: Path, shared: Norface, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(faces / "a" / "one.jpg", "--out", out) == 0
    assert run(faces / "a" / "one.jpg", "--out", out) == 2
    assert "exists" in capsys.readouterr().err
    assert run(faces / "a" / "one.jpg", "--out", out, "--overwrite") == 0
    assert len(table(out)) == 1


def test_originals_are_not_written_over(faces: Path, shared: Norface) -> None:
    before = (faces / "a" / "one.jpg").read_bytes()
    assert run(faces / "a" / "one.jpg", "--out", faces / "a", "--overwrite") == 2
    assert (faces / "a" / "one.jpg").read_bytes() == before


def test_nothing_is_done_without_a_path() -> None:
    assert run("--out", "nowhere") == 2


def test_names(tmp_path: Path) -> None:
    for name in ("p/a.jpg", "p/a.gif", "p/a.png", "p/film.AVI", "q/a.jpg", "q/film.MP4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    out = tmp_path / "p" / "out"
    out.mkdir()
    (out / "old.jpg").write_bytes(b"x")

    def names(*paths: Path) -> list[str]:
        return [item.output.as_posix() for item in plan_normalize(paths, out).items]

    p, q = tmp_path / "p", tmp_path / "q"
    # One folder's tree is the results'; of several each has a folder.
    assert names(p) == ["a.gif.png", "a.jpg", "a.png", "film.mp4"]
    assert names(q, q) == ["a.jpg", "film.MP4"]
    assert names(p, q) == [
        "p/a.gif.png", "p/a.jpg", "p/a.png", "p/film.mp4", "q/a.jpg", "q/film.MP4",
    ]  # fmt: skip
    assert names(p / "a.jpg", q / "a.jpg") == ["a.jpg", "a_2.jpg"]


@pytest.mark.slow
def test_a_killed_run_goes_on(people: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with Image.open(people[0]) as image:
        image.thumbnail((240, 240))
        for n in range(60):
            image.save(folder / f"{n:02}.png")
    command = [sys.executable, "-m", "norface", "normalize", str(folder), "--out"]
    assert subprocess.run([*command, str(tmp_path / "whole")], check=False).returncode == 0
    out = tmp_path / "out"
    random = np.random.default_rng(0)
    for _ in range(4):
        process = subprocess.Popen([*command, str(out)])
        while process.poll() is None and not (out / ".normalize.json").exists():
            time.sleep(0.05)
        time.sleep(random.uniform(0, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    if (out / ".normalize.json").exists():
        assert json.loads((out / ".normalize.json").read_text())["no-sound"] is False
        assert subprocess.run([*command, str(out)], check=False).returncode == 0
    assert files(out) == files(tmp_path / "whole")
    for name in files(out):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
