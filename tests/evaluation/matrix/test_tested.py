"""Columns of the matrix: the benchmark as a data set, parts, and whose people are the same."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from norface.evaluation.matrix.plan import PlanError
from norface.evaluation.matrix.plan import Test as Column
from norface.evaluation.matrix.tested import TRIED, open_test, plans_of, same_people
from norface.facs import ACTION_UNIT_NAMES, EMOTIONS


@pytest.fixture
def synfacs(tmp_path: Path) -> Path:
    """The tables of a benchmark of three people, without pictures."""
    folder = tmp_path / "bench" / "validation"
    folder.mkdir(parents=True)
    rows = [
        {
            "input": f"p{person}_{i}.png", "person": f"validation_{person}", "expression": i,
            "stratum_pose": "", "emotion": ("happiness", "", "neutral")[i],
            **{f"{name}_r": (person + i) % 6 for name in ACTION_UNIT_NAMES},
        }
        for person in range(3)
        for i in range(3)
    ]  # fmt: skip
    with (folder / "truth.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    design = {"digest": "0", "splits": {"validation": {"pictures": 9}}, "strata": {"pose": ["0"]}}
    about = {"name": "synfacs-v1", "design": design}
    (folder.parent / "synfacs.json").write_text(json.dumps(about))
    return folder.parent


def column(root: Path, protocol: str = "synfacs-v1", part: str = "validation") -> Column:
    return Column(name="x", protocol=protocol, root=root, part=part)


def test_the_benchmark_is_a_data_set_of_units_and_emotions(synfacs: Path) -> None:
    tested = open_test(column(synfacs))
    presence, intensity, emotion = tested.parts
    assert [len(divisions[0].test) for _, divisions in tested.parts] == [9, 9, 6]
    sample = presence[1][0].test[1]
    assert (sample.subject, sample.sequence, sample.path.name) == ("validation_0", "1", "p0_1.png")
    assert set(intensity[0].truth(sample).values()) == {1.0}
    assert set(presence[0].truth(sample).values()) == {0.0}
    happy = emotion[1][0].test[0]
    assert emotion[0].truth(happy) == {name: float(name == "happiness") for name in EMOTIONS}
    assert presence[1][0].held_out == {"validation_0", "validation_1", "validation_2"}


def test_a_few_samples(synfacs: Path) -> None:
    tested = open_test(column(synfacs), few=True)
    assert all(len(divisions[0].test) == TRIED for _, divisions in tested.parts)
    assert len(tested.data) < 9


def test_another_part(tmp_path: Path) -> None:
    for part, emotion in (("train", "happy"), ("test", "sad")):
        for number in range(2):
            file = tmp_path / part / emotion / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    tested = open_test(column(tmp_path, "fer2013-7", "train"))
    ((plan, (division,)),) = tested.parts
    assert plan.name == "fer2013-7@train"
    assert {sample.emotion for sample in division.test} == {"happiness"}
    assert len(tested.data) == 2


@pytest.mark.parametrize(
    ("protocol", "part", "said"),
    [
        ("nothing", "test", "is no protocol"),
        ("affectnet-affect", "test", "does not read"),
        ("affectnet-7:rafdb-7", "test", "crosses two sets"),
        ("disfa-detection", "validation", "has no part validation"),
    ],
)
def test_what_cannot_be_a_column(protocol: str, part: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=said):
        plans_of(column(tmp_path, protocol, part))


def test_whose_names_are_the_same_people() -> None:
    assert same_people("disfa", "disfa-plus")
    assert same_people("bp4d", "bp4d")
    assert not same_people("bp4d", "disfa")
    assert not same_people("unknown", "disfa")
