"""The documents say what is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from norface.facs import ACTION_UNITS
from norface.tables.columns import FACE_COLUMNS, GAZE_COLUMNS, PLACE_COLUMNS

TEST_COMMAND = 'pip install -c constraints.txt -e ".[dev,train]" && pytest'


def test_ci_runs_the_test_command_of_the_readme(root: Path) -> None:
    readme, ci = (root / "README.md").read_text(), (root / ".ci" / "run").read_text()
    commands = re.findall(r"^```\n([^`]*?)\n```$", readme, flags=re.MULTILINE)
    assert "pip install . && norface analyze examples/ --out results" in commands
    assert TEST_COMMAND in commands
    assert TEST_COMMAND in ci.splitlines()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(root: Path, name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (root / name).read_text())
    missing = [link for link in links if "://" not in link and not (root / link).exists()]
    assert not missing


def test_every_dependency_has_its_reason(root: Path) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("reads TOML")
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    said = (root / "docs" / "dependencies.md").read_text()
    needed = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        needed += extra
    names = {re.split(r"[\[=<>]", each)[0] for each in needed} - {"norface"}
    assert not {name for name in names if f"| {name} " not in said}


def test_every_column_is_explained(root: Path) -> None:
    said = (root / "docs" / "columns.md").read_text()
    assert not [name for name in (*PLACE_COLUMNS, *GAZE_COLUMNS) if f"`{name}`" not in said]
    for unit in ACTION_UNITS:
        sides = "yes" if unit.has_sides else "no"
        assert f"| {unit.name} | {unit.description} | {sides} |" in said
    assert "`emotion`" in said
    assert FACE_COLUMNS[-1] in said
