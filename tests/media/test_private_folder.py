from __future__ import annotations

import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from norface.media.private_folder import private_folder, sweep_private_folders

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs locks")

WAITS = """
import sys, tempfile, time
from norface.media.private_folder import private_folder
tempfile.tempdir = sys.argv[1]
with private_folder() as folder:
    (folder / "face.jpg").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_it_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    def fail() -> None:
        with private_folder() as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            (folder / "deep").mkdir()
            (folder / "deep" / "x").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not list(tmp_path.iterdir())


def test_that_of_a_killed_process_is_removed_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "norface-fetched-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "lock").touch()
    command = [sys.executable, "-c", WAITS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        sweep_private_folders()
        assert (folder / "face.jpg").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with private_folder() as own:
        sweep_private_folders()
        assert own.exists()
    assert not folder.exists()
    assert (tmp_path / "elsewhere" / "lock").exists()
