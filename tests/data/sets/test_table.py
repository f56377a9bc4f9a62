from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from norface.data.catalog import read_data_set
from norface.data.sample import DataError
from norface.tables.columns import FACE_COLUMNS
from norface.tables.writers import CsvTable

TABLE = """\
path,subject,split,AU06_c,AU12_r,emotion,valence,x,y,width,height,age,happiness,neutral
a.jpg,p1,train,1,2.5,happiness,0.5,1,2,3,4,30,0.75,0.25
b.jpg,p2,test,,0,,,,,,,40,,
c.jpg,p2,test,,,,,,,,,50,,
"""


@pytest.fixture
def tree(root: Path, write, picture) -> Path:
    write("table.csv", TABLE)
    for name in "abc":
        picture(f"{name}.jpg")
    return root


@pytest.mark.parametrize("name", ["", "table.csv"])
def test_every_column(tree: Path, name: str) -> None:
    data = read_data_set("table", tree / name)
    first, second = data.samples
    assert dict(first.presence) == {"AU06": 1}
    assert dict(first.intensity) == {"AU12": 2.5}
    assert (first.subject, first.split, first.emotion) == ("p1", "train", "happiness")
    assert (first.valence, first.arousal) == (0.5, None)
    assert first.box == (1, 2, 4, 6)
    assert dict(first.emotion_distribution or {}) == {"neutral": 0.25, "happiness": 0.75}
    assert (dict(second.presence), dict(second.intensity)) == ({}, {"AU12": 0})
    assert data.skipped == {"no label": 1}


def test_frames_of_a_video(root: Path, write, video) -> None:
    video("clip.avi", 3)
    write("table.csv", "input,frame,AU01_c\nclip.avi,0,0\nclip.avi,2,1\n")
    assert [s.frame for s in read_data_set("table", root).samples] == [0, 2]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.jpg,2,,", "AU06"),
        ("a.jpg,,7,", "AU12"),
        ("a.jpg,,,joy", "joy"),
        ("a.jpg,half,,", "half"),
        (",1,,", "no path"),
        ("a.jpg,1", "cells in row 2"),
    ],
)
def test_a_damaged_row(tree: Path, write, row: str, said: str) -> None:
    write("table.csv", f"path,AU06_c,AU12_r,emotion\n{row}\n")
    with pytest.raises(DataError, match=said) as e:
        read_data_set("table", tree)
    assert "row 2" in str(e.value)


def test_a_table_of_norface_itself(root: Path, write, picture) -> None:
    picture("a.jpg")
    row = dict.fromkeys(FACE_COLUMNS, "")
    row |= {"input": "a.jpg", "frame": "0", "success": "1", "AU12_r": "2.125", "AU12_c": "1"}
    row |= {"emotion": "fear", "fear": "0.7333", "neutral": "0.2666", "x": "1.0"}
    nobody = dict.fromkeys(FACE_COLUMNS, "") | {"input": "a.jpg", "frame": "0", "success": "0"}
    with CsvTable(root / "faces.csv", FACE_COLUMNS) as table:
        table.write(row)
        table.write(nobody)
    data = read_data_set("table", root / "faces.csv")
    (sample,) = data.samples
    assert sample.frame is None
    assert sample.emotion == "fear"
    assert sum((sample.emotion_distribution or {}).values()) == pytest.approx(1)
    assert data.skipped == {"no label": 1}


def test_a_table_without_paths(tree: Path, write) -> None:
    write("table.csv", "file,AU06_c\na.jpg,1\n")
    with pytest.raises(DataError, match="no column path"):
        read_data_set("table", tree)


def test_a_missing_picture(tree: Path) -> None:
    (tree / "b.jpg").unlink()
    with pytest.raises(DataError, match=r"b\.jpg is missing"):
        read_data_set("table", tree)


def test_parquet_gives_what_csv_gives(tree: Path) -> None:
    csv = pytest.importorskip("pyarrow.csv")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(csv.read_csv(tree / "table.csv"), tree / "other.parquet")
    expected = read_data_set("table", tree)
    assert read_data_set("table", tree / "other.parquet").samples == expected.samples


def test_parquet_without_pyarrow(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(importlib, "import_module", absent)
    (tree / "other.parquet").touch()
    with pytest.raises(DataError, match="pip install pyarrow"):
        read_data_set("table", tree / "other.parquet")
