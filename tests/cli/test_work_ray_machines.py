"""A running Ray cluster of two machines, each a `ray start` of its own, as users start them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import norface
from norface.cli import main
from norface.cli.results_folder import ResultsFolder
from norface.cli.work.crew import Order
from norface.cli.work.ray_actor import RayActor, hashes
from norface.cli.work.ray_cluster import cores_each
from norface.cli.work.units import Unit, WorkSettings

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None or sys.platform == "win32",
    reason='needs pip install "norface[ray]"',
)
RUNS = Path(__file__).with_name("ray_runs.py")


def environment(folder: Path) -> dict[str, str]:
    specification = importlib.util.spec_from_file_location("ray_runs", RUNS)
    assert specification is not None
    assert specification.loader is not None
    ray_runs = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(ray_runs)
    made: dict[str, str] = ray_runs.environment(folder)
    return made


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Machines:
    """The first machine of a cluster, and those that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        # A socket's path may have some hundred characters.
        self.short = Path(tempfile.mkdtemp(prefix="norface-ray-", dir="/tmp"))
        self.environment = {
            **environment(folder),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": "of-these-tests-alone",
            # A lost machine is found out within seconds, a slow one is not taken for lost.
            "RAY_health_check_period_ms": "500",
            "RAY_health_check_failure_threshold": "10",
        }
        self.processes: list[subprocess.Popen[str]] = []
        port = self.address.rpartition(":")[2]
        self.start(
            "first", "--head", "--port", port, "--include-dashboard=false", "--temp-dir",
            str(self.short),
        )  # fmt: skip

    def start(self, name: str, *more: str, fate: str = "") -> None:
        log = self.folder / f"{name}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [Path(sys.executable).with_name("ray"), "start", *more, "--num-cpus", "1",
                 "--block"],
                env={**self.environment, "MACHINE": name, "FATE": fate},
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        until = time.monotonic() + 60
        while "will now block" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)

    def join(self, name: str, *, fate: str = "") -> None:
        self.start(name, "--address", self.address, fate=fate)

    def leave(self) -> None:
        """All but the first."""
        for process in self.processes[1:]:
            end(process)
        del self.processes[1:]

    def close(self) -> None:
        for process in reversed(self.processes):
            end(process)
        shutil.rmtree(self.short, ignore_errors=True)

    def begin(self, out: str, *more: str, **other: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(RUNS), "analyze", "in", "--out", out, "--events", *more],
            cwd=self.folder,
            env={**self.environment, **other},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def analyze(self, out: str, *more: str, **other: str) -> tuple[int, str]:
        process = self.begin(out, *more, **other)
        _, said = process.communicate(timeout=300)
        return process.returncode, said


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


@pytest.fixture(scope="module")
def machines(
    noise_film: Callable[[Path, int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("cluster")
    inputs = folder / "in"
    inputs.mkdir()
    chance = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(chance.integers(0, 255, (60, 80, 3), np.uint8)).save(inputs / f"p{i}.png")
    (inputs / "bad.jpg").write_text("This is no picture.")
    noise_film(inputs / "a.mp4", 45)
    noise_film(inputs / "b.ts", 30)
    started = Machines(folder)
    try:
        code, said = started.analyze("local")
        assert code == 3, said
        yield started
    finally:
        started.close()


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def ray(machines: Machines) -> Iterator[tuple[str, ...]]:
    for path in machines.folder.glob("worked-*"):
        path.unlink()
    yield "--engine", "ray", "--workers", "2", "--ray-address", machines.address
    machines.leave()


@needs_ray
@pytest.mark.slow
def test_two_machines_make_what_one_process_makes(machines: Machines, ray: tuple[str, ...]) -> None:
    machines.join("second")
    (machines.folder / "meet").touch()
    code, said = machines.analyze("two", *ray)
    (machines.folder / "meet").unlink()
    assert code == 3, said
    assert {path.name for path in machines.folder.glob("worked-*")} == {
        "worked-first",
        "worked-second",
    }
    assert contents(machines.folder / "two") == contents(machines.folder / "local")


@needs_ray
@pytest.mark.slow
def test_what_a_lost_machine_did_is_done_elsewhere(
    machines: Machines, ray: tuple[str, ...]
) -> None:
    machines.join("lost", fate="lost")
    # Were it held against them, what was done there would be given up.
    code, said = machines.analyze("one", *ray, ONCE="1")
    assert code == 3, said
    assert (machines.folder / "worked-lost").exists()
    assert machines.processes[1].wait(30) != 0
    assert contents(machines.folder / "one") == contents(machines.folder / "local")


@needs_ray
@pytest.mark.slow
def test_a_machine_where_no_worker_starts_holds_nothing_up(
    machines: Machines, ray: tuple[str, ...]
) -> None:
    machines.join("broken", fate="broken")
    code, said = machines.analyze("without", *ray, ONCE="1")
    assert code == 3, said
    assert contents(machines.folder / "without") == contents(machines.folder / "local")


@needs_ray
@pytest.mark.slow
def test_a_run_whose_driver_was_killed_goes_on(machines: Machines, ray: tuple[str, ...]) -> None:
    machines.join("second")
    process = machines.begin("again", *ray)
    work = machines.folder / "again" / ".norface-work"
    until = time.monotonic() + 120
    while not list(work.glob("unit-*.npz")) and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert list(work.glob("unit-*.npz"))
    code, said = machines.analyze("again", *ray)
    assert code == 3, said
    assert "Going on with the unfinished run" in said
    assert contents(machines.folder / "again") == contents(machines.folder / "local")


@needs_ray
@pytest.mark.slow
def test_a_machine_with_another_norface_is_told(machines: Machines, ray: tuple[str, ...]) -> None:
    machines.join("old", fate="old")
    code, said = machines.analyze("none", *ray)
    assert code == 2
    assert "norface 0.0" in said
    assert "Traceback" not in said
    machines.leave()
    machines.join("mended")
    # What the first did until then is not done again.
    code, said = machines.analyze("none", *ray)
    assert code == 3, said
    assert contents(machines.folder / "none") == contents(machines.folder / "local")


@needs_ray
@pytest.mark.slow
def test_another_token_is_told(machines: Machines, ray: tuple[str, ...]) -> None:
    code, said = machines.analyze("never", *ray, RAY_AUTH_TOKEN="another")
    assert code == 2
    assert not (machines.folder / "never").exists()
    assert "RAY_AUTH_MODE" in said
    assert "Traceback" not in said


@needs_ray
def test_an_address_where_nothing_listens_is_told(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    out = tmp_path / "out"
    started = time.monotonic()
    for prefix in ("", "ray://"):
        command = ["analyze", str(person), "--out", str(out), "--engine", "ray"]
        assert main([*command, "--ray-address", prefix + address]) == 2
        assert f"no Ray cluster at {prefix}{address}" in " ".join(capsys.readouterr().err.split())
    assert time.monotonic() - started < 30
    assert not out.exists()


def test_a_machine_that_does_not_see_the_folders_is_told(tmp_path: Path) -> None:
    settings = WorkSettings(results=ResultsFolder(tmp_path / "out", ".csv"))
    same = (norface.__version__, hashes(settings))
    for folder in (tmp_path / "elsewhere", Path.cwd()):
        actor = RayActor(settings, str(folder), *same)
        assert "does not see" in str(actor.do(Order(Unit(0))))


def test_other_weights_on_a_machine_are_told(tmp_path: Path) -> None:
    settings = WorkSettings(results=ResultsFolder(tmp_path / "out", ".csv"))
    actor = RayActor(settings, str(tmp_path), norface.__version__, {"encoder.onnx": "0"})
    assert "other weights" in str(actor.do(Order(Unit(0))))


@pytest.mark.parametrize(
    ("machines", "workers", "cores"),
    [
        ([8], 2, 4),
        ([8], 3, 2),
        ([1, 1, 1, 1], 2, 1),  # No worker has cores of two machines.
        ([4, 4], 2, 4),
        ([4, 4], 3, 2),
        ([3, 1], 2, 1),
        ([1, 1], 4, 1),
        ([0, 2], 1, 2),
        ([], 1, 1),
    ],
)
def test_workers_share_the_cores_of_whole_machines(
    machines: list[int], workers: int, cores: int
) -> None:
    assert cores_each(machines, workers) == cores
