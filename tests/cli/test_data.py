"""norface data check."""

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from PIL import Image

from norface.cli import data, main
from norface.data.catalog import ADAPTERS


@pytest.fixture
def table(tmp_path: Path) -> Path:
    for name in "abc":
        Image.new("RGB", (16, 16), (90, 60, 30)).save(tmp_path / f"{name}.jpg")
    path = tmp_path / "table.csv"
    path.write_text(
        "path,subject,sequence,split,AU12_c,AU12_r,emotion,valence\n"
        "a.jpg,p1,s1,train,1,3,happiness,0.5\n"
        "b.jpg,p2,s1,test,0,0,neutral,\n"
        "c.jpg,p2,s1,,,,,\n"
    )
    return path


def test_check_says_what_was_found(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sheet.png"
    assert main(["data", "check", "table", "--root", str(table), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    for line in ("labelled samples", "skipped: no label", "People: p1, p2", "AU12", "happiness",
                 "split train", "valence: 1 samples"):  # fmt: skip
        assert line in said
    with Image.open(out) as sheet:
        assert sheet.width > 300


def test_check_of_a_damaged_picture(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.jpg").write_bytes(b"broken")
    words = ["data", "check", "table", "--root", str(table), "--out", str(tmp_path / "s.png")]
    assert main(words) == 3
    assert "b.jpg" in capsys.readouterr().err
    assert main([*words, "--pictures", "0"]) == 0


def test_check_of_a_missing_part_shows_the_tree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "check", "disfa", "--root", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "ActionUnit_Labels is missing" in said
    assert "Videos_LeftCamera/LeftVideoSN001_comp.avi" in said


def test_check_with_missing_pictures(table: Path, tmp_path: Path) -> None:
    (tmp_path / "b.jpg").unlink()
    words = ["data", "check", "table", "--root", str(table), "--pictures", "0"]
    assert main(words) == 1
    assert main([*words, "--skip-missing"]) == 0


def test_check_of_a_wrong_variant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["data", "check", "disfa", "--root", str(tmp_path), "--variant", "up"]
    assert main(words) == 2
    assert "left, right" in capsys.readouterr().err


def test_the_command_knows_every_set() -> None:
    names = get_type_hints(data.check)["name"]
    assert get_args(names) == tuple(ADAPTERS)
