"""A run that is killed at any moment and repeated makes what an undisturbed one makes."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from norface.media.video import Video

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

SCENARIOS = {
    "one process": [],
    "three workers": ["--workers", "3"],
    "all that depends on more than one frame": [
        "--smoothing", "centred", "--baseline", "file", "--events", "--normalized", "all",
        "--table", "jsonl",
    ],
    "other columns": [
        "--workers", "2", "--smoothing", "causal", "--baseline", "running", "--columns",
        "openface", "--table", "parquet", "--pictures",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(
    noise_film: Callable[[Path, int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Pictures and videos, with and without faces, whole and damaged."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "deep").mkdir()
    chance = np.random.default_rng(0)
    for i in range(8):
        noise = chance.integers(0, 255, (60, 80, 3), np.uint8)
        image = noise if i % 4 else np.full_like(noise, 9)
        Image.fromarray(image).save(folder / f"p{i}.png")
    (folder / "bad.jpg").write_text("This is no picture.")
    noise_film(folder / "a.mp4", 45)
    noise_film(folder / "deep" / "a.ts", 30)
    cut = noise_film(folder / "cut.mkv", 60)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def run(folder: Path, inputs: Path, kills: int, *more: str) -> int:
    """How often a run was killed."""
    (folder / "in").symlink_to(inputs)
    script = Path(__file__).with_name("killed_runs.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), "7", str(kills), *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    log = (folder / "log.txt").read_text() if (folder / "log.txt").exists() else ""
    assert done.returncode == 0, done.stderr + log
    killed, whole, last = map(int, done.stdout.split())
    assert (whole, last) == (3, 3), log
    return killed


def assert_same_film(one: Path, other: Path) -> None:
    films = []
    for path in (one, other):
        with Video.open(path) as video:
            films.append(list(video.frames()))
    for frame, expected in zip(*films, strict=True):
        assert (frame.number, frame.time) == (expected.number, expected.time)
        assert np.abs(frame.image.astype(int) - expected.image).mean() < 2, frame.number


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_nothing_is_there_twice(
    name: str, inputs: Path, tmp_path: Path
) -> None:
    assert run(tmp_path, inputs, 5, *SCENARIOS[name]) > 0
    whole, killed = contents(tmp_path / "whole"), contents(tmp_path / "killed")
    assert set(killed) == set(whole)
    for path in whole:
        if path.endswith(".mp4"):
            # What an encoder makes of the same pictures may differ in a bit.
            assert_same_film(tmp_path / "killed" / path, tmp_path / "whole" / path)
        else:
            assert killed[path] == whole[path], path
    assert any(path.startswith("deep/a.") for path in whole)
    assert not any("norface-work" in path or path.endswith(".part") for path in whole)


def test_workers_change_no_byte(inputs: Path, tmp_path: Path) -> None:
    made = []
    for count in ("1", "3"):
        (tmp_path / count).mkdir()
        run(tmp_path / count, inputs, 0, "--workers", count, "--events")
        made.append(contents(tmp_path / count / "whole"))
    assert made[0] == made[1]


def test_what_kills_a_worker_costs_itself_alone(film: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "inputs"
    folder.mkdir()
    chance = np.random.default_rng(0)
    images = [chance.integers(0, 200, (60, 80, 3), np.uint8) for _ in range(40)]
    red = np.zeros_like(images[0])
    red[:, np.arange(80) // 16 % 2 == 0, 0] = 255
    for i, image in enumerate(images[:8]):
        Image.fromarray(red if i == 4 else image).save(folder / f"p{i}.png")
    film(folder / "good.mp4", images[5:25])
    film(folder / "red.mp4", [*images[5:35], red, *images[35:]])
    run(tmp_path, folder, 0, "--workers", "2")
    whole = tmp_path / "whole"
    with (whole / "errors.csv").open(newline="") as file:
        errors = {row["input"]: row["reason"] for row in csv.DictReader(file)}
    assert set(errors) == {"in/p4.png", "in/red.mp4"}
    assert all("was ended twice (signal 9)" in reason for reason in errors.values())
    with (whole / "faces.csv").open(newline="") as file:
        assert {row["input"] for row in csv.DictReader(file)} == {
            f"in/p{i}.png" for i in range(8) if i != 4
        }
    assert len((whole / "good.csv").read_text().splitlines()) == 21
    # What was recorded of it: two segments of half a second.
    assert len((whole / "red.csv").read_text().splitlines()) == 1 + 25
