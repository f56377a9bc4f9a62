"""A Ray cluster of two workers makes what one process makes, whatever happens to it."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from norface.cli import main

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason='needs pip install "norface[ray]"'
)
RAY = ("--engine", "ray", "--workers", "2")


@pytest.fixture
def folder(noise_film: Callable[[Path, int], Path], tmp_path: Path) -> Path:
    """Pictures, one of which no process survives, a damaged one, and two videos."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    chance = np.random.default_rng(0)
    for i in range(8):
        image = chance.integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(image).save(inputs / f"p{i}.png")
    (inputs / "bad.jpg").write_text("This is no picture.")
    noise_film(inputs / "a.mp4", 45)
    noise_film(inputs / "b.ts", 30)
    return tmp_path


def start(folder: Path, out: str, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("ray_runs.py")), "analyze", "in", "--out",
         out, "--events", "--smoothing", "centred", *more],
        cwd=folder,
        env={**os.environ, "QUICK": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )  # fmt: skip


def run(folder: Path, out: str, *more: str) -> str:
    process = start(folder, out, *more)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 3, said
    return said


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@needs_ray
def test_a_cluster_makes_what_one_process_makes(folder: Path) -> None:
    said = run(folder, "ray", *RAY)
    run(folder, "local")
    made = contents(folder / "ray")
    assert made == contents(folder / "local")
    assert {"faces.csv", "errors.csv", "a.csv", "a_events.csv", "b.csv"} <= set(made)
    # Neither Ray's messages nor its reports.
    assert "usage stats" not in said.lower()
    assert "raylet" not in said.lower()


@needs_ray
@pytest.mark.slow
def test_what_kills_a_worker_of_a_cluster_costs_itself_alone(folder: Path) -> None:
    red = np.zeros((60, 80, 3), np.uint8)
    red[:, np.arange(80) // 16 % 2 == 0, 0] = 255
    Image.fromarray(red).save(folder / "in" / "p4.png")
    run(folder, "ray", *RAY)
    with (folder / "ray" / "errors.csv").open(newline="") as file:
        errors = {row["input"]: row["reason"] for row in csv.DictReader(file)}
    assert set(errors) == {"in/p4.png", "in/bad.jpg"}
    assert "was ended twice" in errors["in/p4.png"]
    with (folder / "ray" / "faces.csv").open(newline="") as file:
        rows = [row["input"] for row in csv.DictReader(file)]
    assert rows == [f"in/p{i}.png" for i in range(8) if i != 4]


@needs_ray
@pytest.mark.slow
def test_a_run_whose_first_process_was_killed_goes_on(folder: Path) -> None:
    process = start(folder, "ray", *RAY)
    until = time.monotonic() + 120
    work = folder / "ray" / ".norface-work"
    while not list(work.glob("unit-*.npz")) and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(work.glob("unit-*.npz"))
    assert "Going on with the unfinished run" in run(folder, "ray", *RAY)
    run(folder, "local")
    assert contents(folder / "ray") == contents(folder / "local")


def test_an_engine_that_cannot_be_is_told(person: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["analyze", str(person), "--out", str(out), "--ray-address", "auto"]) == 2
    assert not out.exists()


def test_a_missing_ray_is_told(
    person: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["analyze", str(person), "--out", str(tmp_path / "out"), "--engine", "ray"]) == 2
    assert "norface[ray]" in capsys.readouterr().err
