"""Users install neither torch nor a training library, and may be offline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROLOGUE = """
import sys, socket
from importlib.abc import MetaPathFinder

BLOCKED = {"torch", "numba", "scipy", "sklearn", "onnx", "safetensors", "anny", "torchvision"}

class Wall(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Wall())

def offline(self, address):
    raise AssertionError(f"connects to {address}")

socket.socket.connect = offline
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROLOGUE + code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


ANALYZE = "from norface.cli import main; sys.exit(main(sys.argv[1:]))"


def test_analyze_needs_no_training_library_and_no_network(person: Path, tmp_path: Path) -> None:
    done = run(ANALYZE, "analyze", str(person), "--out", str(tmp_path / "out"), "--pictures")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "faces.csv").is_file()


def test_normalize_needs_no_training_library_and_no_network(person: Path, tmp_path: Path) -> None:
    done = run(ANALYZE, "normalize", str(person), "--out", str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / person.name).is_file()


def test_privacy_says_what_its_intervals_need(tmp_path: Path) -> None:
    done = run(ANALYZE, "privacy", str(tmp_path), str(tmp_path))
    assert "needs scipy" in done.stderr
    assert 'pip install "norface[train]"' in done.stderr


def test_info_needs_no_training_library() -> None:
    done = run(ANALYZE, "info")
    assert (done.returncode, done.stderr) == (0, "")


def test_evaluate_needs_no_training_library() -> None:
    done = run(ANALYZE, "evaluate", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--predictions" in done.stdout


def test_preparing_a_data_set_needs_no_training_library(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    done = run(
        ANALYZE, "data", "prepare", "disfa", "--root", str(missing), "--out", str(tmp_path / "out")
    )
    assert str(missing) in done.stderr
    assert "not installed" not in done.stderr


def test_a_protocol_on_a_data_set_says_what_its_intervals_need(tmp_path: Path) -> None:
    done = run(ANALYZE, "evaluate", "--protocol", "disfa-detection", "--root", str(tmp_path))
    assert "needs scipy" in done.stderr
    assert 'pip install "norface[train]"' in done.stderr


def test_a_matrix_says_what_its_intervals_need_and_explains_itself_without() -> None:
    done = run(ANALYZE, "evaluate", "matrix", "--test", "rafdb-7=nowhere")
    assert "norface evaluate matrix needs scipy" in done.stderr
    assert "--plan" in run(ANALYZE, "evaluate", "matrix", "--help").stdout


def test_importing_norface_loads_nothing_heavy() -> None:
    code = """
import norface
heavy = {"numpy", "cv2", "mediapipe", "onnxruntime", "PIL", "rich", "tyro"} & set(sys.modules)
assert not heavy, heavy
assert "Norface" in dir(norface)
assert norface.Norface.__name__ == "Norface"
assert norface.FaceAnalysis.__name__ == "FaceAnalysis"
try:
    norface.nothing
except AttributeError:
    pass
else:
    raise AssertionError
"""
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "")
