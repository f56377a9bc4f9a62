from __future__ import annotations

import csv
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from norface import Norface
from norface.cli import main
from norface.media.images import read_image
from norface.tables.columns import FACE_COLUMNS, face_row

Row = dict[str, str]


def table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def bomb(side: int) -> bytes:
    """A PNG whose header announces a square of this side, and little else."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


READABLE = (
    "gray_16_bit.png", "color_16_bit.png", "palette.png", "cmyk.jpg", "alpha.png", "rotated.jpg",
    "animated.gif", "wrong_suffix.png",
)  # fmt: skip
WITHOUT_A_FACE = ("one_pixel.png", "blank.png")
UNREADABLE = ("empty.jpg", "truncated.jpg", "text.jpg", "bomb.png", "missing.jpg", "folder")


def make_pictures(person: Path, folder: Path) -> None:
    """One picture of every kind that users have, from a picture of one person."""
    content = person.read_bytes()
    with Image.open(person) as opened:
        photo = opened.convert("RGB")
    pixels = np.asarray(photo)
    (folder / "good.jpg").write_bytes(content)
    (folder / "wrong_suffix.png").write_bytes(content)
    gray = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    Image.fromarray(gray).save(folder / "gray_16_bit.png")
    cv2.imwrite(str(folder / "color_16_bit.png"), pixels[:, :, ::-1].astype(np.uint16) * 257)
    photo.quantize(256).save(folder / "palette.png")
    photo.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    transparent = photo.copy()
    transparent.putalpha(255)
    transparent.save(folder / "alpha.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn by 90 degrees clockwise to show it upright.
    photo.rotate(90, expand=True).save(folder / "rotated.jpg", exif=exif, quality=95)
    second = Image.new("RGB", photo.size)
    photo.save(folder / "animated.gif", save_all=True, append_images=[second])
    Image.new("RGB", (1, 1)).save(folder / "one_pixel.png")
    Image.new("RGB", (320, 240), "gray").save(folder / "blank.png")
    (folder / "empty.jpg").touch()
    (folder / "truncated.jpg").write_bytes(content[: len(content) // 2])
    (folder / "text.jpg").write_text("This is no picture.\n" * 20)
    (folder / "bomb.png").write_bytes(bomb(20_000))
    (folder / "folder").mkdir()
    (folder / "folder" / "notes.txt").write_text("No picture here either.")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: Path
    faces: dict[str, list[Row]]
    errors: dict[str, str]


@pytest.fixture(scope="module")
def outcome(person: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One run over good pictures, odd ones and bad ones."""
    folder = tmp_path_factory.mktemp("pictures")
    out = tmp_path_factory.mktemp("results") / "deep" / "out"
    make_pictures(person, folder)
    given = ("missing.jpg", "folder", *UNREADABLE[:4], *WITHOUT_A_FACE, *READABLE, "good.jpg")
    code = main(
        ["analyze", *(str(folder / name) for name in given), "--out", str(out), "--pictures"]
    )
    faces: dict[str, list[Row]] = {}
    for row in table(out / "faces.csv"):
        faces.setdefault(Path(row["input"]).name, []).append(row)
    errors = {Path(row["input"]).name: row["reason"] for row in table(out / "errors.csv")}
    return Outcome(code, out, faces, errors)


def test_some_failed_is_exit_code_3(outcome: Outcome) -> None:
    assert outcome.code == 3


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_bad_input_is_listed_with_its_reason(outcome: Outcome, name: str) -> None:
    assert name not in outcome.faces
    assert len(outcome.errors[name]) > 10


def test_only_bad_inputs_are_listed(outcome: Outcome) -> None:
    assert set(outcome.errors) == set(UNREADABLE)


def test_a_decompression_bomb_is_refused_for_its_size(outcome: Outcome) -> None:
    assert "too large" in outcome.errors["bomb.png"]


@pytest.mark.parametrize("name", READABLE)
def test_an_odd_picture_gives_the_same_face(outcome: Outcome, name: str) -> None:
    (row,) = outcome.faces[name]
    (good,) = outcome.faces["good.jpg"]
    assert row["success"] == "1"
    for side in ("x", "y", "width", "height"):
        assert float(row[side]) == pytest.approx(float(good[side]), abs=8)


@pytest.mark.parametrize("name", WITHOUT_A_FACE)
def test_a_picture_without_a_face_has_an_empty_row(outcome: Outcome, name: str) -> None:
    (row,) = outcome.faces[name]
    assert (row["frame"], row["success"]) == ("0", "0")
    filled = {column for column, value in row.items() if value}
    assert filled == {"input", "frame", "success"}


def test_every_readable_picture_gives_its_files_and_nothing_else(outcome: Outcome) -> None:
    good = [Path(name).stem for name in (*READABLE, "good.jpg")]
    readable = good + [Path(name).stem for name in WITHOUT_A_FACE]
    assert files_below(outcome.out) == {
        "faces.csv",
        "errors.csv",
        *(f"normalized/{stem}_face0.png" for stem in good),
        *(f"pictures/{stem}.png" for stem in readable),
    }


def test_the_columns_are_those_that_are_promised(outcome: Outcome) -> None:
    (row,) = outcome.faces["good.jpg"]
    columns = list(row)
    assert columns == list(FACE_COLUMNS)
    assert ",".join(columns[:13]) == (
        "input,frame,timestamp,face_id,success,confidence,x,y,width,height,pitch,yaw,roll"
    )
    assert ",".join(columns[13:21]) == (
        "AU01_r,AU01_p,AU01_c,AU02_r,AU02_p,AU02_c,AU02_left_r,AU02_right_r"
    )
    assert ",".join(columns[-9:]) == (
        "emotion,neutral,happiness,sadness,surprise,fear,disgust,anger,contempt"
    )


def test_the_table_is_what_python_gives(person: Path, group: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["analyze", str(person), str(group), "--out", str(out)]) == 0
    expected: list[Row] = []
    with Norface.load() as norface:
        for picture in (person, group):
            faces = norface.analyze(picture)
            expected += [face_row(str(picture), face) for face in faces]
            for face in faces:
                path = out / "normalized" / f"{picture.stem}_face{face.face_id}.png"
                with Image.open(path) as image:
                    assert image.size == (256, 256)
                    assert np.array_equal(np.asarray(image), face.normalized)
    assert len(expected) >= 3
    assert table(out / "faces.csv") == expected
    assert not (out / "errors.csv").exists()


def test_what_is_printed_fits_a_terminal(
    person: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["analyze", str(person), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert "1 picture, 1 face" in lines[-1]
    assert all(len(line) <= 80 for line in lines[:-1])
    assert "person_1.jpg" in lines[1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["analyse"],
        ["analyze"],
        ["analyze", "{person}", "--no-such-option"],
        ["analyze", "{person}", "--out"],
        ["analyze", "{person}", "--minimum-face-width", "wide", "--out", "{out}"],
        ["analyze", "{person}", "--minimum-confidence", "7", "--out", "{out}"],
        ["analyze", "{person}", "--target", "{blank}", "--out", "{out}"],
    ],
)
def test_a_wrong_command_line_is_exit_code_2(
    arguments: list[str], person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blank, out = tmp_path / "blank.png", tmp_path / "out"
    Image.new("RGB", (64, 64)).save(blank)
    words = [word.format(person=person, blank=blank, out=out) for word in arguments]
    try:
        code = main(words)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert capsys.readouterr().err
    assert not out.exists()


def test_help_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "analyze" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["analyze", "--help"])
    assert stop.value.code == 0
    assert "--overwrite" in capsys.readouterr().out


def test_an_unwritable_folder_is_told_before_anything_is_done(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    for out in (file, file / "below"):
        assert main(["analyze", str(person), "--out", str(out)]) == 2
        assert "Cannot write" in capsys.readouterr().err
    assert file.read_text() == "no folder"


def test_earlier_results_are_replaced_only_when_told_to(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run = ["analyze", "--out", str(out), str(person)]
    assert main([*run, str(tmp_path / "missing.jpg")]) == 3
    (out / "mine.txt").write_text("mine")
    before = (out / "faces.csv").read_bytes()
    (out / "faces.csv").write_bytes(before + b"mark")
    assert main(run) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (out / "faces.csv").read_bytes() == before + b"mark"
    assert main(["analyze", "--overwrite", *run[1:]]) == 0
    assert (out / "faces.csv").read_bytes() == before
    assert not (out / "errors.csv").exists()
    assert (out / "mine.txt").read_text() == "mine"


def test_a_mistyped_path_does_not_block_the_next_try(person: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["analyze", str(tmp_path / "persom.jpg"), "--out", str(out)]) == 3
    assert files_below(out) == {"errors.csv"}
    assert main(["analyze", str(person), "--out", str(out)]) == 0
    assert not (out / "errors.csv").exists()


def test_a_file_of_the_user_is_not_replaced(person: Path, tmp_path: Path) -> None:
    (tmp_path / "errors.csv").write_text("mine")
    assert main(["analyze", str(person), "--out", str(tmp_path)]) == 2
    assert files_below(tmp_path) == {"errors.csv"}


def test_rows_of_a_killed_run_are_not_replaced(person: Path, tmp_path: Path) -> None:
    (tmp_path / "faces.csv.part").write_text("rows of a run that was killed")
    assert main(["analyze", str(person), "--out", str(tmp_path)]) == 2
    assert files_below(tmp_path) == {"faces.csv.part"}


def test_an_input_is_never_written_over(person: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    with Image.open(person) as image:
        image.save(tmp_path / "pictures" / "me.png")
    before = (tmp_path / "pictures" / "me.png").read_bytes()
    given = ["analyze", str(tmp_path / "pictures" / "me.png"), "--out", str(tmp_path)]
    assert main([*given, "--pictures", "--overwrite"]) == 2
    assert (tmp_path / "pictures" / "me.png").read_bytes() == before


def test_a_second_run_does_not_read_what_the_first_one_drew(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "me.jpg").write_bytes(person.read_bytes())
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main(["analyze", ".", "--pictures", "--overwrite"]) == 0
        assert [row["input"] for row in table(Path("results/faces.csv"))] == ["me.jpg"]


def test_equal_names_do_not_overwrite_each_other(person: Path, tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / "in" / place).mkdir(parents=True)
        (tmp_path / "in" / place / "me.jpg").write_bytes(person.read_bytes())
    out = tmp_path / "out"
    assert main(["analyze", str(tmp_path / "in"), "--out", str(out)]) == 0
    assert files_below(out / "normalized") == {"a/me_face0.png", "b/me_face0.png"}


def copies(person: Path, folder: Path, count: int) -> list[str]:
    paths = [folder / f"{i}.jpg" for i in range(count)]
    for path in paths:
        path.write_bytes(person.read_bytes())
    return [str(path) for path in paths]


def fail_at(call: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def failing(path: Path) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == call:
            raise error
        return read_image(path)

    monkeypatch.setattr("norface.runtime.picture_reading.read_image", failing)


def test_what_was_computed_is_kept_on_ctrl_c_and_gone_on_with(
    person: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given, out = copies(person, tmp_path, 4), tmp_path / "out"
    command = ["analyze", *given, "--out", str(out)]
    monkeypatch.setattr("norface.runtime.picture_reading.FACES_AT_ONCE", 1)
    with monkeypatch.context() as patch:
        fail_at(3, KeyboardInterrupt(), patch)
        assert main(command) == 130
    assert [row["input"] for row in table(out / "faces.csv")] == given[:2]
    assert "Stopped after 2 of 4 pictures" in capsys.readouterr().err
    made = {"faces.csv", "normalized/0_face0.png", "normalized/1_face0.png"}
    assert {name for name in files_below(out) if not name.startswith(".norface-work/")} == made
    with monkeypatch.context() as patch:
        # Only two are left to read.
        fail_at(3, RuntimeError(), patch)
        assert main(command) == 0
    assert [row["input"] for row in table(out / "faces.csv")] == given
    assert "Going on" in capsys.readouterr().err
    assert files_below(out) == {"faces.csv", *(f"normalized/{i}_face0.png" for i in range(4))}


def test_no_failure_of_one_picture_stops_the_others(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, out = copies(person, tmp_path, 3), tmp_path / "out"
    fail_at(2, RuntimeError("a library gave up"), monkeypatch)
    assert main(["analyze", *given, "--out", str(out)]) == 3
    assert [row["input"] for row in table(out / "faces.csv")] == [given[0], given[2]]
    (row,) = table(out / "errors.csv")
    assert row["input"] == given[1]
    assert "a library gave up" in row["reason"]


def test_rows_are_kept_when_the_disk_fills_up(
    person: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given, out = copies(person, tmp_path, 3), tmp_path / "out"
    saved: list[Path] = []

    def save(path: Path, image: object) -> None:
        saved.append(path)
        if len(saved) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("norface.cli.work.pictures.write_image", save)
    assert main(["analyze", *given, "--out", str(out)]) == 1
    assert len(table(out / "faces.csv")) == 1
    assert "No space left" in capsys.readouterr().err


def test_a_file_name_may_hold_anything(person: Path, tmp_path: Path) -> None:
    names = ["[bold]x.jpg", 'a,"b"\n.jpg', "-x.jpg", "😀.jpg", "percent %s.jpg"]
    if os.name == "posix":
        names.append(os.fsdecode(b"\xff\xfe.jpg"))
    for name in names:
        (tmp_path / name).write_bytes(person.read_bytes())
    out = tmp_path / "out"
    assert main(["analyze", str(tmp_path), "--out", str(out), "--pictures"]) == 0
    with (out / "faces.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        assert {Path(row["input"]).name for row in csv.DictReader(file)} == set(names)
    assert len(files_below(out / "pictures")) == len(names)


def test_another_target_changes_the_faces_and_no_score(
    person: Path, group: Path, tmp_path: Path
) -> None:
    outs = tmp_path / "common", tmp_path / "other"
    for out, more in zip(outs, ([], ["--target", str(group)]), strict=True):
        assert main(["analyze", str(person), "--out", str(out), *more]) == 0
    assert table(outs[0] / "faces.csv") == table(outs[1] / "faces.csv")
    name = f"normalized/{person.stem}_face0.png"
    assert (outs[0] / name).read_bytes() != (outs[1] / name).read_bytes()
