from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from norface.data.catalog import read_data_set
from norface.data.sample import DataError

LIST = "basic/EmoLabel/list_patition_label.txt"


@pytest.fixture
def tree(root: Path, write, picture) -> Path:
    write(LIST, "train_00001.jpg 5\ntrain_00002.jpg 1\ntest_0001.jpg 7\n")
    write("compound/EmoLabel/list_patition_label.txt", "train_0001.jpg 11\n")
    for name in ("train_00001", "train_00002", "test_0001"):
        picture(f"basic/Image/aligned/{name}_aligned.jpg")
        picture(f"basic/Image/original/{name}.jpg")
    write("basic/Annotation/boundingbox/train_00001_boundingbox.txt", "1.5 2 6 7 \n")
    write(
        "basic/Annotation/manual/train_00001_manu_attri.txt",
        "1\t2\n3\t4\n5\t6\n7\t8\n9\t10\n1\n0\n2\n",
    )
    return root


@pytest.mark.parametrize("below", ["", "basic"])
def test_aligned(tree: Path, below: str) -> None:
    data = read_data_set("rafdb", tree / below)
    assert data.face_crops
    assert [s.emotion for s in data.samples] == ["sadness", "surprise", "neutral"]
    assert [s.split for s in data.samples] == ["train", "train", "test"]
    assert data.samples[0].path.name == "train_00001_aligned.jpg"
    assert data.samples[0].box is None


def test_original(tree: Path) -> None:
    data = read_data_set("rafdb", tree, "original")
    assert not data.face_crops
    first, second, _ = data.samples
    assert first.path.name == "train_00001.jpg"
    assert first.box == (1.5, 2, 6, 7)
    assert first.landmarks is not None
    np.testing.assert_array_equal(first.landmarks, np.arange(1, 11).reshape(5, 2))
    assert second.box is None


def test_something_missing(tree: Path) -> None:
    (tree / "basic/Image/aligned/test_0001_aligned.jpg").unlink()
    with pytest.raises(DataError, match=r"test_0001_aligned\.jpg is missing"):
        read_data_set("rafdb", tree)
    (tree / LIST).unlink()
    with pytest.raises(DataError, match=r"(?s)list_patition_label\.txt is missing.*Expected"):
        read_data_set("rafdb", tree)


@pytest.mark.parametrize("line", ["train_00001.jpg 8", "train_00001.jpg", "other_1.jpg 2"])
def test_a_damaged_line(tree: Path, write, line: str) -> None:
    write(LIST, f"{line}\n")
    with pytest.raises(DataError, match=r"list_patition_label\.txt is damaged"):
        read_data_set("rafdb", tree)


def test_a_damaged_box(tree: Path, write) -> None:
    write("basic/Annotation/boundingbox/train_00001_boundingbox.txt", "1.5 2\n")
    with pytest.raises(DataError, match="4 numbers"):
        read_data_set("rafdb", tree, "original")
