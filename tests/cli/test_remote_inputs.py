"""What lies elsewhere is analyzed as if it lay in a folder here."""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import known_implementations
from PIL import Image

from norface import Norface
from norface.cli import main
from norface.cli.plan import Planned
from norface.cli.results_folder import ResultsFolder
from norface.cli.work import units
from norface.cli.work.unit import analyze_unit
from norface.media import remote

Row = dict[str, str]
HERE = Path(__file__).parent


class Signed(MemoryFileSystem):
    """memory://, whose addresses hold passwords and signatures."""

    protocol = "signed"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        path = path.removeprefix("signed://").rpartition("@")[2].partition("?")[0]
        return "/" + path.strip("/")


fsspec.register_implementation("signed", Signed, clobber=True)


@pytest.fixture(scope="module")
def quick() -> ModuleType:
    """Networks that take no time."""
    spec = importlib.util.spec_from_file_location("killed_runs", HERE / "killed_runs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(
    noise_film: Callable[[Path, int], Path],
    quick: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A folder with pictures and videos in ``in``, one of each damaged; the same in memory://."""
    inputs = tmp_path / "in"
    (inputs / "deep").mkdir(parents=True)
    chance = np.random.default_rng(0)
    for name in ("b", "deep/a", "c", "a", "d"):
        noise = chance.integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(noise).save(inputs / f"{name}.png")
    (inputs / "bad.jpg").write_text("This is no picture.")
    (inputs / "notes.txt").write_text("Neither is this.")
    noise_film(inputs / "a.mp4", 30)
    cut = noise_film(inputs / "deep" / "cut.mkv", 60)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    memory = MemoryFileSystem()
    memory.store.clear()
    for path in filter(Path.is_file, inputs.rglob("*")):
        memory.pipe(f"/box/in/{path.relative_to(inputs).as_posix()}", path.read_bytes())
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(units, "PICTURES_A_UNIT", 3)
    monkeypatch.setattr(
        units.WorkSettings,
        "load",
        lambda self: Norface(finder=quick.Finder(), networks=quick.Networks()),
    )
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list((tmp_path / "temporary").glob("norface-fetched-*"))
    memory.store.clear()


def table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def results(folder: Path) -> dict[str, object]:
    """All that a run made; tables as rows, without the beginnings of the inputs' names."""
    found: dict[str, object] = {}
    for path in filter(Path.is_file, folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix != ".csv":
            found[name] = path.read_bytes() if path.suffix != ".mp4" else None
            continue
        rows = table(path)
        for row in rows:
            whole = row["input"]
            row["input"] = whole.partition("in/")[2]
            row["reason"] = row.get("reason", "").replace(whole, row["input"])
        found[name] = rows
    return found


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_it_gives_the_tables_of_the_same_folder_here(folder: Path) -> None:
    more = ["--events", "--pictures"]
    assert main(["analyze", "in", "--out", "here", *more]) == 3
    assert main(["analyze", "memory://box/in", "--out", "there", *more]) == 3
    here, there = results(folder / "here"), results(folder / "there")
    assert here == there
    assert {"faces.csv", "errors.csv", "a.csv", "deep/cut.csv", "pictures/a.mp4"} <= set(there)
    assert table(folder / "there" / "faces.csv")[0]["input"] == "memory://box/in/a.png"
    reasons = {row["input"]: row["reason"] for row in table(folder / "there" / "errors.csv")}
    assert list(reasons) == ["memory://box/in/bad.jpg", "memory://box/in/deep/cut.mkv"]
    assert all(reason.startswith(name) for name, reason in reasons.items())


@pytest.mark.skipif(sys.platform == "win32", reason="the quick networks need fork")
@pytest.mark.parametrize("engine", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_workers_fetch_for_themselves(folder: Path, engine: str) -> None:
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        pytest.skip('needs pip install "norface[ray]"')
    given = {"here": "in", "there": f"local://{folder / 'in'}"}
    for out, inputs in given.items():
        engines = ["--engine", engine] if out == "there" else []
        done = subprocess.run(
            [sys.executable, str(HERE / "ray_runs.py"), "analyze", inputs, "--out", out,
             "--workers", "2", *engines],
            env={**os.environ, "QUICK": str(folder), "TMPDIR": str(folder / "temporary")},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 3, done.stderr
    assert results(folder / "here") == results(folder / "there")


def test_files_of_one_name_and_a_file_beside_folders(folder: Path) -> None:
    arguments = ["memory://box/in/deep/", "in/a.png", "memory://box/in/a.png"]
    assert main(["analyze", *arguments, "memory://box/in/a.png", "--out", "out"]) == 3
    rows = table(folder / "out" / "faces.csv")
    assert [row["input"] for row in rows] == [
        "memory://box/in/deep/a.png", "in/a.png", "memory://box/in/a.png",
    ]  # fmt: skip
    made = {path.name for path in (folder / "out" / "normalized").rglob("*.png")}
    assert len(list((folder / "out" / "normalized").rglob("*.png"))) == 3, made
    assert (folder / "out" / "normalized" / "deep" / "a_png_face0.png").exists()


def test_a_name_that_says_nothing_is_looked_into(folder: Path) -> None:
    memory = MemoryFileSystem()
    memory.pipe("/box/one", (folder / "in" / "a.png").read_bytes())
    memory.pipe("/box/two", (folder / "in" / "a.mp4").read_bytes())
    assert main(["analyze", "memory://box/one", "memory://box/two", "--out", "out"]) == 0
    assert len(table(folder / "out" / "two.csv")) == 30
    assert [row["input"] for row in table(folder / "out" / "faces.csv")] == ["memory://box/one"]


def test_what_cannot_be_fetched_costs_itself_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MemoryFileSystem.get_file

    def get_file(self: MemoryFileSystem, rpath: str, lpath: str, **more: object) -> None:
        if rpath.endswith("/a.png"):
            raise PermissionError(13, "Permission denied")
        if rpath.endswith("/a.mp4"):
            raise FileNotFoundError(rpath)
        if rpath.endswith("/b.png"):
            Path(lpath).write_bytes(b"half")
            raise ConnectionResetError("the cable")
        real(self, rpath, lpath, **more)

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    arguments = ["memory://box/in", "memory://box/none.png", "memory://nobox/"]
    assert main(["analyze", *arguments, "--out", "out"]) == 3
    reasons = {row["input"]: row["reason"] for row in table(folder / "out" / "errors.csv")}
    assert reasons["memory://box/none.png"] == "There is no such file or folder."
    assert reasons["memory://nobox/"] == "There is no such file or folder."
    assert "not permitted" in reasons["memory://box/in/a.png"]
    assert "no connection" in reasons["memory://box/in/b.png"]
    assert "not there any more" in reasons["memory://box/in/a.mp4"]
    names = [row["input"] for row in table(folder / "out" / "faces.csv")]
    assert names == ["memory://box/in/c.png", "memory://box/in/d.png"]
    assert table(folder / "out" / "deep" / "cut.csv")


def test_a_run_goes_on_unless_a_file_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched: list[str] = []
    real = MemoryFileSystem.get_file

    def get_file(self: MemoryFileSystem, rpath: str, lpath: str, **more: object) -> None:
        fetched.append(rpath.removeprefix("/box/in/"))
        if stops and rpath.endswith("cut.mkv"):
            raise KeyboardInterrupt
        real(self, rpath, lpath, **more)

    stops = True
    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    command = ["analyze", "memory://box/in", "--out", "out"]
    assert main(command) == 130
    order = ["a.png", "b.png", "bad.jpg", "c.png", "d.png", "deep/a.png", "a.mp4", "deep/cut.mkv"]
    assert fetched == order
    memory = MemoryFileSystem()
    content = memory.cat("/box/in/a.png")
    memory.pipe("/box/in/a.png", content)
    assert main(command) == 2
    assert "memory://box/in/a.png has changed" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 130
    stops = False
    fetched.clear()
    assert main(command) == 3
    # What is done is not fetched again.
    assert fetched == ["deep/cut.mkv"]
    assert main(["analyze", "in", "--out", "here"]) == 3
    assert results(folder / "out") == results(folder / "here")


def test_no_secret_is_written_or_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def get_file(self: MemoryFileSystem, rpath: str, lpath: str, **more: object) -> None:
        if rpath.endswith("cut.mkv"):
            # So that the ledger stays.
            raise KeyboardInterrupt
        if rpath.endswith(("b.png", "a.mp4")):
            raise OSError("GET https://me:pa55word@box/in?sig=S1GN: 500")
        MemoryFileSystem.get_file(self, rpath, lpath, **more)

    monkeypatch.setattr(Signed, "get_file", get_file, raising=False)
    address = "signed://me:pa55word@{}?sig=S1GN"
    given = [address.format("box/in"), address.format("none"), address.format("box/in/a.png")]
    assert main(["analyze", *given, "--out", "out"]) == 130
    assert b"signed://box/in/a.png" in everything(folder / "out")
    assert (folder / "out" / ".norface-work" / "work.json").exists()
    written, said = everything(folder / "out"), "".join(capfd.readouterr())
    assert "signed://none" in said
    for secret in ("pa55word", "S1GN"):
        assert secret.encode() not in written
        assert secret not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere://box/x", "in"], "Install nowhere"),
        (["unheard-of://box/x"], "neither a stream nor a protocol"),
        (["in", "--out", "s3://box/results"], "--out must be a folder"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is(
    arguments: list[str],
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    missing = {"class": "nowhere_to_be.Found", "err": "Install nowhere to use it"}
    monkeypatch.setitem(known_implementations, "nowhere", missing)
    before = set(folder.iterdir())
    assert main(["analyze", *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert set(folder.iterdir()) == before


def test_without_the_extra_it_is_told_and_files_here_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert main(["analyze", "s3://box/in", "in", "--out", "out"]) == 2
    assert 'pip install "norface[remote]"' in " ".join(capsys.readouterr().err.split())
    assert not (folder / "out").exists()
    assert main(["analyze", "in/a.png", "--out", "out"]) == 0


def test_a_worker_that_lacks_a_package_is_no_fault_of_the_files(folder: Path) -> None:
    file = remote.RemoteFile("x", PurePosixPath("x.jpg"), 1, None, "unheard-of://x.jpg", "x.jpg")
    planned = Planned(Path("x.jpg"), PurePosixPath("x"), called="x", remote=file)
    settings = units.WorkSettings(results=ResultsFolder(folder / "out"))
    for unit in (units.Unit(0, pictures=(planned,)), units.Unit(0, video=planned)):
        with pytest.raises(remote.UnavailableError):
            analyze_unit(unit, settings)
    assert not (folder / "out").exists()


def test_an_address_that_ffmpeg_reads_is_no_remote_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "list_remote", None)
    assert main(["analyze", f"file://{folder / 'in' / 'a.mp4'}", "--out", "out"]) == 0
    assert [path.suffix for path in (folder / "out").iterdir()] == [".csv"]
