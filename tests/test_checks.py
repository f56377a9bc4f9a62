"""Lint, format, types and the order of the layers: what pre-commit runs too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "command", ["ruff check", "ruff format --check", "mypy", "lint-imports"], ids=str.split
)
def test_check(command: str, root: Path) -> None:
    name, *arguments = command.split()
    # Beside the interpreter that runs the tests, also when its environment is not activated.
    program = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert program is not None, f'{name} is missing: pip install -e ".[dev]"'
    done = subprocess.run(
        [program, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
