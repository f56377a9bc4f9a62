"""Pre-training from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from norface.cli import main
from norface.data import face_folder


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces are found here: fresh processes take seconds to start."""
    monkeypatch.setattr(face_folder, "in_processes", lambda work, jobs, *_: map(work, jobs))


def test_from_pictures_to_a_checkpoint(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(root / "examples" / "person_1.jpg", tmp_path)
    (tmp_path / "notes.jpg").write_text("no picture at all")
    cache, out = str(tmp_path / "cache"), tmp_path / "run"
    words = ["train", "prepare-faces", str(tmp_path), "--out", cache, "--size", "64"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "notes.jpg is a text file" in said
    assert "1 faces from 2 pictures, 1 without any" in said
    options = ["--preset", "test-vit", "--steps", "1", "--batch", "2", "--threads", "1"]
    assert main(["train", "encoder", cache, "--out", str(out), *options]) == 0
    assert (out / "encoder.safetensors").is_file()
    assert "encoder.safetensors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["encoder", "{here}", "--steps", "1", "--preset", "tiny"], "small, base, large"),
        (["encoder", "--steps", "1"], "name pictures"),
        (["encoder", "{here}", "--steps", "1", "--preset", "test-vit"], "no picture in"),
        (["encoder", "--shards", "{here}", "--steps", "1", "--preset", "test-vit"], "no shard"),
        (["prepare-faces"], "Name at least one"),
        (["prepare-faces", "{here}", "--size", "7"], "size must lie"),
    ],
)
def test_faults_are_exit_code_2(
    words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    said = [word.format(here=tmp_path / "here") for word in words]
    assert main(["train", *said, "--out", str(tmp_path / "out")]) == 2
    assert reason in capsys.readouterr().err
