"""Which models on which sets: the plan file, and the words of a command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from norface.evaluation.matrix.plan import Model, PlanError, plan_of_words, read_plan
from norface.evaluation.matrix.plan import Test as Column
from norface.evaluation.matrix.tested import plans_of

MODEL = {"weights": "default"}
TEST = {"protocol": "disfa-detection", "root": "disfa"}


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_a_plan_file(tmp_path: Path) -> None:
    (tmp_path / "w1").mkdir()
    models = [
        {"weights": "default"},
        {"name": "mine", "weights": ["w1", "elsewhere/w2"], "trained_on": ["disfa"]},
    ]
    tests = [
        {"name": "DISFA", **TEST, "faces": "faces"},
        {"protocol": "fer2013-7", "root": "/sets/fer", "part": "validation"},
    ]
    plan = read_plan(written(tmp_path / "plan.json", {"models": models, "tests": tests}))
    assert plan.models == (
        Model(name="default", weights=("default",)),
        Model(name="mine", weights=(str(tmp_path / "w1"), "elsewhere/w2"), trained_on=("disfa",)),
    )
    assert plan.tests == (
        Column(
            name="DISFA", protocol="disfa-detection", root=tmp_path / "disfa",
            faces=tmp_path / "faces",
        ),
        Column(
            name="fer2013-7@validation", protocol="fer2013-7", root=Path("/sets/fer"),
            part="validation",
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"models": [MODEL]}, "must hold"),
        ({"models": [], "tests": [TEST]}, "there is no model"),
        ({"models": [MODEL, MODEL], "tests": [TEST]}, "two models are called default"),
        ({"models": [{**MODEL, "name": "a/b"}], "tests": [TEST]}, "name that a folder can have"),
        ({"models": [{**MODEL, "weight": "x"}], "tests": [TEST]}, "unknown weight"),
        ({"models": [{"weights": []}], "tests": [TEST]}, "weights must be"),
        ({"models": [{**MODEL, "trained_on": "disfa"}], "tests": [TEST]}, "must be a list"),
        ({"models": [MODEL], "tests": [{"protocol": "disfa-detection"}]}, "root"),
        ({"models": [MODEL], "tests": ["disfa"]}, "must be an object"),
        ({"models": [{"weights": 3}], "tests": [TEST]}, "wrong one"),
    ],
)
def test_faults_of_a_plan_file(content: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=said) as error:
        read_plan(written(tmp_path / "plan.json", content))
    assert "plan.json" in str(error.value)


def test_the_plan_of_the_documents(root: Path, tmp_path: Path) -> None:
    block = re.search(r"```json\n(.*?)```", (root / "docs" / "matrix.md").read_text(), re.DOTALL)
    assert block
    (tmp_path / "plan.json").write_text(block[1])
    plan = read_plan(tmp_path / "plan.json")
    assert [len(model.weights) for model in plan.models] == [1, 3]
    assert all(plans_of(test) for test in plan.tests)


def test_words() -> None:
    plan = plan_of_words(
        ["runs/mine/weights", "a=b=c"], ["synfacs-v1@train=x", "rafdb-7=y"], ["rafdb-7=z"]
    )
    assert [(m.name, m.weights) for m in plan.models] == [
        ("weights", ("runs/mine/weights",)),
        ("a", ("b=c",)),
    ]
    first, second = plan.tests
    assert (first.name, first.protocol, first.part) == ("synfacs-v1@train", "synfacs-v1", "train")
    assert (second.root, second.faces, second.part) == (Path("y"), Path("z"), "test")
    with pytest.raises(PlanError, match="not of the form --test"):
        plan_of_words(["a"], ["rafdb-7"], [])
    with pytest.raises(PlanError, match="which is no --test"):
        plan_of_words(["a"], ["rafdb-7=y"], ["affectnet-7=z"])
