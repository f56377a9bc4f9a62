from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from norface.facs import ACTION_UNITS
from norface.results import ActionUnit, Box, FaceAnalysis, Gaze, Pose
from norface.tables.columns import FACE_COLUMNS, face_row
from norface.tables.writers import CsvTable

PICTURE = np.zeros((256, 256, 3), np.uint8)


def face(*, emotions: dict[str, float] | None = None) -> FaceAnalysis:
    units = {
        unit.name: ActionUnit(
            intensity=1.23456,
            probability=0.25,
            present=unit.name == "AU12",
            left=0.0 if unit.has_sides else None,
            right=5.0 if unit.has_sides else None,
        )
        for unit in ACTION_UNITS
    }
    return FaceAnalysis(
        face_id=3,
        confidence=0.9,
        box=Box(x=-1.0, y=2.0, width=30.0, height=40.0),
        pose=Pose(pitch=-0.001, yaw=-12.345, roll=0.0),
        landmarks=np.zeros((478, 3), np.float32),
        action_units=units,
        emotion=max(emotions, key=emotions.__getitem__) if emotions else None,
        emotions=emotions or {},
        normalized=PICTURE,
        aligned=PICTURE,
    )


def test_a_face_fills_its_row() -> None:
    row = face_row("a.jpg", face(emotions={"happiness": 0.75, "neutral": 0.25}))
    assert tuple(row) == FACE_COLUMNS
    assert (row["face_id"], row["success"], row["x"], row["yaw"]) == ("3", "1", "-1.0", "-12.35")
    assert row["pitch"] == "0.00"
    assert (row["AU12_r"], row["AU12_p"], row["AU12_c"]) == ("1.235", "0.2500", "1")
    assert (row["AU12_left_r"], row["AU12_right_r"], row["AU04_c"]) == ("0.000", "5.000", "0")
    assert (row["emotion"], row["happiness"], row["fear"]) == ("happiness", "0.7500", "")
    assert (row["frame"], row["timestamp"]) == ("0", "")


def test_a_gaze_fills_its_columns_and_a_shut_eye_leaves_them_empty() -> None:
    assert FACE_COLUMNS[-11:-8] == ("gaze_pitch", "gaze_yaw", "emotion")
    looking = replace(face(), gaze=Gaze((0.6, 0.0, -0.8), None))
    row = face_row("a.jpg", looking)
    assert (row["gaze_pitch"], row["gaze_yaw"]) == ("0.00", "36.87")
    row = face_row("a.jpg", face())
    assert (row["gaze_pitch"], row["gaze_yaw"], row["yaw"]) == ("", "", "-12.35")


def test_without_emotions_their_columns_are_empty() -> None:
    row = face_row("a.jpg", face(), frame=7, timestamp=0.28)
    assert list(row.values())[-9:] == [""] * 9
    assert (row["frame"], row["timestamp"]) == ("7", "0.280")


def test_units_without_sides_have_no_columns_for_them() -> None:
    assert "AU26_left_r" not in FACE_COLUMNS
    assert "AU12_left_r" in FACE_COLUMNS
    assert len(set(FACE_COLUMNS)) == len(FACE_COLUMNS)


def test_rows_are_on_disk_before_the_table_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with CsvTable(path, ("a", "b")) as table:
        table.write({"b": 'x,"y"\n', "a": "1"})
        assert not path.exists()
        assert table.part.read_bytes() == b'a,b\r\n1,"x,""y""\n"\r\n'
    assert not table.part.exists()
    with path.open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"a": "1", "b": 'x,"y"\n'}]


def test_a_table_without_rows_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old")
    with CsvTable(path, ("a",)):
        pass
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_are_kept_when_the_work_fails(tmp_path: Path) -> None:
    def work() -> None:
        with CsvTable(tmp_path / "t.csv", ("a",)) as table:
            table.write({"a": "1"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert (tmp_path / "t.csv").read_text().split() == ["a", "1"]


@pytest.mark.parametrize("row", [{}, {"a": "1", "c": "2"}])
def test_a_row_with_other_columns_is_refused(tmp_path: Path, row: dict[str, str]) -> None:
    with CsvTable(tmp_path / "t.csv", ("a",)) as table, pytest.raises(ValueError, match="columns"):
        table.write(row)
