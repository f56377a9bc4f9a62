from __future__ import annotations

from pathlib import Path

import pytest

from norface.data.catalog import read_data_set
from norface.data.sample import DataError

UNITS = "AU1,AU2,AU4,AU6,AU7,AU10,AU12,AU15,AU23,AU24,AU25,AU26"
EMOTIONS = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other"
LABELS = "6th ABAW Annotations"


@pytest.fixture
def crops(picture) -> None:
    for name in ("1-30-1280x720", "video2_left"):
        for number in (1, 2, 4):
            picture(f"cropped_aligned/{name}/{number:05d}.jpg")


def parts(write, folder: str, content: str) -> None:
    write(f"{folder}/Train_Set/1-30-1280x720.txt", content)
    write(f"{folder}/Validation_Set/video2_left.txt", content)


@pytest.mark.parametrize("folder", [f"{LABELS}/AU_Detection_Challenge", "annotations/AU_Set"])
def test_units(root: Path, write, crops, folder: str) -> None:
    none, some = ",".join(["-1"] * 12), "1,-1" + ",0" * 10
    parts(write, folder, f"{UNITS}\n{some}\n{none}\n{some}\n{some}\n")
    data = read_data_set("aff-wild2", root)
    assert data.face_crops
    assert [s.path.name for s in data.samples] == ["00001.jpg", "00004.jpg"] * 2
    assert [s.split for s in data.samples] == ["train"] * 2 + ["validation"] * 2
    assert data.samples[0].presence["AU01"] == 1
    assert "AU02" not in data.samples[0].presence
    assert data.skipped == {"no face was found by the set's authors": 2, "not annotated": 2}
    assert {s.sequence for s in data.samples} == {"1-30-1280x720", "video2_left"}
    assert not data.subjects


@pytest.mark.parametrize("name", ["EXPR_Recognition_Challenge", "EXPR_Classification_Challenge"])
def test_expressions(root: Path, write, crops, name: str) -> None:
    parts(write, f"{LABELS}/{name}", f"{EMOTIONS}\n4\n7\n-1\n0\n")
    data = read_data_set("aff-wild2", root, "expression")
    assert [s.emotion for s in data.samples] == ["happiness", "neutral"] * 2
    assert data.skipped == {"expression Other": 2, "not annotated": 2}


def test_valence_and_arousal(root: Path, write, crops) -> None:
    parts(write, f"{LABELS}/VA_Estimation_Challenge", "valence,arousal\n0.5,-0.25\n-5,-5\n")
    data = read_data_set("aff-wild2", root, "valence-arousal")
    assert [(s.valence, s.arousal) for s in data.samples] == [(0.5, -0.25)] * 2


@pytest.mark.parametrize("line", ["1,2" + ",0" * 10, "1,0"])
def test_a_damaged_line(root: Path, write, crops, line: str) -> None:
    parts(write, f"{LABELS}/AU_Detection_Challenge", f"{UNITS}\n{line}\n")
    with pytest.raises(DataError, match="in line 2"):
        read_data_set("aff-wild2", root)


def test_missing_parts(root: Path, write, crops) -> None:
    with pytest.raises(DataError, match=r"(?s)AU_Detection_Challenge is missing.*Expected"):
        read_data_set("aff-wild2", root)
    write(
        f"{LABELS}/AU_Detection_Challenge/Train_Set/elsewhere.txt", f"{UNITS}\n" + "0," * 11 + "0"
    )
    with pytest.raises(DataError, match="cropped_aligned/elsewhere is missing"):
        read_data_set("aff-wild2", root)
