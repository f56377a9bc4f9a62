from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from norface.data.catalog import read_data_set
from norface.data.sample import DataError

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,"
    "valence,arousal\n"
)
LISTS = "Manually_Annotated_file_lists"
IMAGES = "Manually_Annotated_Images"


@pytest.fixture
def lists(write, picture) -> None:
    write(
        f"{LISTS}/training.csv",
        HEADER
        + "103/a.jpg,10,20,30,40,1.0;2.0;3.0;4.0,7,-0.5,0.25\n"
        + "103/b.jpg,1,2,3,4,1.0;2.0,8,-2,-2\n"
        + "104/c.jpg,NULL,NULL,NULL,NULL,NULL,10,-2,-2\n"
        + "104/d.jpg,1,2,3,4,1.0;2.0,1,-2,-2\n",
    )
    # Some deliveries of this list have no first row.
    write(f"{LISTS}/validation.csv", "103/e.jpg,1,2,3,4,1.0;2.0,0,0.1,-0.1\n")
    for name in ("103/a", "103/b", "104/c", "104/d", "103/e"):
        picture(f"{IMAGES}/{name}.jpg")


def test_lists(root: Path, lists) -> None:
    data = read_data_set("affectnet", root)
    assert not data.face_crops
    first, second, third = data.samples
    assert (first.emotion, first.valence, first.arousal) == ("contempt", -0.5, 0.25)
    assert first.box == (10, 20, 40, 60)
    assert (second.emotion, second.valence) == ("happiness", None)
    assert (third.emotion, third.split) == ("neutral", "validation")
    assert data.skipped == {"no emotion (code 8)": 1, "no face (code 10)": 1}
    assert not data.subjects


def test_a_missing_picture(root: Path, lists) -> None:
    (root / IMAGES / "104/d.jpg").unlink()
    with pytest.raises(DataError, match=r"104/d\.jpg is missing"):
        read_data_set("affectnet", root)


@pytest.mark.parametrize(
    "row", ["103/a.jpg,1,2,3,4,1;2,11,0,0", "103/a.jpg,1,2,3,4,1;2,x,0,0", "103/a.jpg,1,2"]
)
def test_a_damaged_row(root: Path, lists, write, row: str) -> None:
    write(f"{LISTS}/training.csv", f"{HEADER}{row}\n")
    with pytest.raises(DataError, match=r"training\.csv is damaged"):
        read_data_set("affectnet", root)


@pytest.fixture
def arrays(root: Path, picture) -> Path:
    for part, number, code in (
        ("train_set", 0, "3"),
        ("train_set", 10, "6"),
        ("val_set", 1, "2"),
    ):
        folder = root / part / "annotations"
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{number}_exp.npy", np.array(code))
        np.save(folder / f"{number}_val.npy", np.array("0.5"))
        np.save(folder / f"{number}_aro.npy", np.array("-2"))
        np.save(folder / f"{number}_lnd.npy", np.zeros(136))
        picture(f"{part}/images/{number}.jpg")
    return root


def test_arrays(arrays: Path) -> None:
    data = read_data_set("affectnet", arrays)
    assert data.face_crops
    assert [s.emotion for s in data.samples] == ["surprise", "anger", "sadness"]
    assert [s.split for s in data.samples] == ["train", "train", "validation"]
    assert (data.samples[0].valence, data.samples[0].arousal) == (0.5, None)


def test_a_damaged_array(arrays: Path) -> None:
    path = arrays / "train_set/annotations/0_exp.npy"
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"0_exp\.npy is damaged"):
        read_data_set("affectnet", arrays)
    np.save(path, np.array("12"))
    with pytest.raises(DataError, match="no expression 12"):
        read_data_set("affectnet", arrays)
    np.save(path, np.array("3"))
    (arrays / "train_set/annotations/0_aro.npy").unlink()
    with pytest.raises(DataError, match=r"0_aro\.npy is missing"):
        read_data_set("affectnet", arrays)


def test_a_missing_part_is_said(arrays: Path) -> None:
    (arrays / "val_set").rename(arrays / "elsewhere")
    assert "There is no validation part." in read_data_set("affectnet", arrays).notes


def test_neither_delivery(root: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)neither training\.csv nor train_set.*Expected"):
        read_data_set("affectnet", root)
