from __future__ import annotations

from pathlib import Path

import pytest

from norface.data.catalog import read_data_set
from norface.data.sample import DataError
from norface.data.sample_pictures import SamplePictures

OCCURRENCE = "0,1,2,4,12\n1,0,1,9,1\n2,9,9,9,9\n3,1,0,0,0\n"


def test_pictures_and_both_codes(root: Path, write, picture) -> None:
    write("AUCoding/AU_OCC/F001_T1.csv", OCCURRENCE)
    write("AUCoding/AU_INT/AU12/F001_T1_AU12.csv", "1,3\n3,9\n")
    for frame in (1, 2, 3):
        picture(f"2D+3D/F001/T1/{frame:04d}.jpg")
        write(f"2D+3D/F001/T1/{frame:04d}.obj", "v 0 0 0")
    # BP4D+ has the same folders for other measurements.
    write("Physiology/F001/T1/BP_mmHg.txt", "80\n")
    data = read_data_set("bp4d-plus", root)
    first, third = data.samples
    assert dict(first.presence) == {"AU01": 0, "AU02": 1, "AU12": 1}
    assert dict(first.intensity) == {"AU12": 3.0}
    assert (first.subject, first.sequence, first.frame) == ("F001", "T1", None)
    assert first.path == root / "2D+3D/F001/T1/0001.jpg"
    assert dict(third.intensity) == {}
    assert data.skipped == {"no label": 1}
    assert data.presence_counts()["AU04"] == {0: 1}


def test_pictures_beside_the_codes_as_bp4d_has_them(root: Path, write, picture) -> None:
    write("AUCoding/M002_T8.csv", "0,1,2\n57,1,0\n")
    picture("M002/T8/057.jpg")
    data = read_data_set("bp4d", root)
    assert data.subjects == ("M002",)
    assert "occurrence only" in data.notes[0]


def test_videos(root: Path, write, video) -> None:
    write("AUCoding/AU_OCC/F001_T1.csv", "0,1\n2,1\n5,0\n9,1\n")
    video("videos/F001_T1.mp4", 5)
    data = read_data_set("bp4d-plus", root)
    assert [s.frame for s in data.samples] == [1, 4]
    assert data.skipped == {"beyond the end of the video": 1}
    with SamplePictures() as pictures:
        # Frame 2 of the codes is the second one.
        assert abs(int(pictures.read(data.samples[0]).mean()) - 20) < 5


def test_a_missing_clip_names_itself_and_the_tree(root: Path, write) -> None:
    write("AUCoding/AU_OCC/F001_T1.csv", "0,1\n2,1\n")
    with pytest.raises(
        DataError, match=r"(?s)F001/T1 is missing.*Expected:.*AU_OCC/F001_T1\.csv"
    ) as e:
        read_data_set("bp4d", root)
    assert e.value.path == root / "F001" / "T1"


def test_a_missing_picture(root: Path, write, picture) -> None:
    write("AUCoding/AU_OCC/F001_T1.csv", "0,1\n1,1\n2,1\n")
    picture("F001/T1/0001.jpg")
    with pytest.raises(DataError, match=r"0002\.jpg is missing"):
        read_data_set("bp4d", root)
    data = read_data_set("bp4d", root, skip_missing=True)
    assert len(data) == 1
    assert data.skipped == {"picture missing": 1}


@pytest.mark.parametrize(
    ("codes", "said"),
    [("0,1\n1,2\n", "row of frame 1"), ("frame,inner brow\n1,1\n", "numbers"), ("", "empty")],
)
def test_damaged_codes(root: Path, write, picture, codes: str, said: str) -> None:
    path = write("AUCoding/AU_OCC/F001_T1.csv", codes)
    picture("F001/T1/0001.jpg")
    with pytest.raises(DataError, match=said) as e:
        read_data_set("bp4d", root)
    assert e.value.path == path


def test_a_damaged_intensity(root: Path, write, picture) -> None:
    write("AUCoding/AU_OCC/F001_T1.csv", "0,6\n1,1\n")
    path = write("AUCoding/AU_INT/AU06/F001_T1_AU06.csv", "1,7\n")
    picture("F001/T1/0001.jpg")
    with pytest.raises(DataError, match="intensity 7") as e:
        read_data_set("bp4d", root)
    assert e.value.path == path


def test_an_empty_folder(root: Path) -> None:
    with pytest.raises(DataError, match="holds no occurrence codes"):
        read_data_set("bp4d", root)
    with pytest.raises(DataError, match="does not exist"):
        read_data_set("bp4d", root / "elsewhere")
