from __future__ import annotations

from pathlib import Path

import pytest

from norface.data.catalog import read_data_set
from norface.data.sample import DataError
from norface.data.sets.disfa import UNITS

LEFT = "Videos_LeftCamera/LeftVideoSN001_comp.avi"
RIGHT = "Video_RightCamera/RightVideoSN001_Comp.avi"


@pytest.fixture
def labels(write):
    for unit in UNITS:
        write(
            f"ActionUnit_Labels/SN001/SN001_au{unit}.txt",
            "".join(f"{frame},{4 if (unit, frame) == (12, 2) else 0}\n" for frame in (1, 2, 3, 4)),
        )


@pytest.mark.parametrize(("variant", "name"), [("left", LEFT), ("right", RIGHT)])
def test_each_camera(root: Path, labels, video, variant: str, name: str) -> None:
    video(LEFT, 4)
    video(RIGHT, 4)
    data = read_data_set("disfa", root, variant)
    assert {s.path for s in data.samples} == {root / name}
    assert [s.frame for s in data.samples] == [0, 1, 2, 3]
    assert data.samples[1].intensity["AU12"] == 4
    assert not data.samples[1].presence
    assert len(data.units) == 12
    assert data.subjects == ("SN001",)


def test_labels_longer_than_the_video(root: Path, labels, video) -> None:
    video(LEFT, 3)
    assert read_data_set("disfa", root).skipped == {"beyond the end of the video": 1}


def test_a_missing_video(root: Path, labels) -> None:
    with pytest.raises(DataError, match=r"(?s)LeftVideoSN001_comp\.avi is missing.*Expected"):
        read_data_set("disfa", root)


def test_a_damaged_video(root: Path, labels, write) -> None:
    write(LEFT, "no video")
    with pytest.raises(DataError, match="cannot be opened as a video"):
        read_data_set("disfa", root)


def test_a_missing_unit(root: Path, labels, video) -> None:
    video(LEFT, 4)
    (root / "ActionUnit_Labels/SN001/SN001_au17.txt").unlink()
    with pytest.raises(DataError, match=r"SN001_au17\.txt is missing"):
        read_data_set("disfa", root)


@pytest.mark.parametrize("line", ["2,6", "2", "0,1", "a,b", "2,-1"])
def test_a_damaged_line(root: Path, labels, video, write, line: str) -> None:
    video(LEFT, 4)
    write("ActionUnit_Labels/SN001/SN001_au9.txt", f"1,0\n{line}\n")
    with pytest.raises(DataError, match=r"SN001_au9\.txt is damaged"):
        read_data_set("disfa", root)


def test_an_unknown_camera(root: Path) -> None:
    with pytest.raises(ValueError, match="left, right"):
        read_data_set("disfa", root, "middle")


@pytest.fixture
def trial(write, picture) -> str:
    heading = "% labels of AU\n% image intensity\n"
    for unit in UNITS:
        level = 5 if unit == 1 else 0
        write(
            f"Labels/SN003/A1_AU1_TrailNo_1/AU{unit}.txt",
            f"{heading}000.jpg  0\n001.jpg  {level}\n",
        )
    picture("Images/SN003/A1_AU1_TrailNo_1/000.jpg")
    picture("Images/SN003/A1_AU1_TrailNo_1/001.jpg")
    return "A1_AU1_TrailNo_1"


def test_disfa_plus(root: Path, trial: str) -> None:
    data = read_data_set("disfa-plus", root)
    assert [s.intensity["AU01"] for s in data.samples] == [0, 5]
    assert {(s.subject, s.sequence) for s in data.samples} == {("SN003", trial)}
    assert len(data.samples[0].intensity) == 12


def test_disfa_plus_with_something_missing(root: Path, trial: str) -> None:
    (root / "Images/SN003" / trial / "001.jpg").unlink()
    with pytest.raises(DataError, match=r"001\.jpg is missing"):
        read_data_set("disfa-plus", root)
    assert read_data_set("disfa-plus", root, skip_missing=True).skipped == {"picture missing": 1}


def test_disfa_plus_with_a_damaged_line(root: Path, trial: str, write) -> None:
    write(f"Labels/SN003/{trial}/AU4.txt", "%\n%\n000.jpg  0\n001.jpg  8\n")
    with pytest.raises(DataError, match=r"AU4\.txt is damaged"):
        read_data_set("disfa-plus", root)
