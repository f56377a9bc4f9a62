"""The benchmarks of videos make the videos that they say, and read all of them."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from norface.media.video import Video

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("video_speed"), importlib.import_module("video_memory")


def test_a_video_is_repeated_whole(scripts: tuple[ModuleType, ModuleType], tmp_path: Path) -> None:
    speed, memory = scripts
    speed.make_film(tmp_path / "short.mp4", 2, 64, 48, 5)
    memory.repeated(tmp_path / "short.mp4", tmp_path / "long.mp4", 3, seconds=2)
    with Video.open(tmp_path / "long.mp4") as video:
        times = [frame.time for frame in video.frames()]
    assert times == pytest.approx([n / 5 for n in range(30)], abs=1e-3)


def test_a_contender_counts_frames(scripts: tuple[ModuleType, ModuleType], tmp_path: Path) -> None:
    speed, _ = scripts
    video = tmp_path / "film.mp4"
    speed.make_film(video, 1, 64, 48, 5)
    result = speed.in_own_process(sys.executable, "decoding alone", video)
    assert (result["frames"], result["with_face"]) == (5, 0)
    assert result["cpu"] > 0
    assert 10e6 < result["peak"] < 1e9


def test_a_contender_that_fails_is_told(
    scripts: tuple[ModuleType, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speed, _ = scripts

    class Python:
        @staticmethod
        def run(*call: object, **how: object) -> subprocess.CompletedProcess[str]:
            return subprocess.CompletedProcess([], 1, "", "Traceback\nImportError: no fer\n")

    speed.subprocess = Python
    try:
        speed.compare(tmp_path / "film.mp4", 2, "python-of-fer", ["fer"])
    finally:
        speed.subprocess = subprocess
    assert "fer: failed (ImportError: no fer)" in capsys.readouterr().out
