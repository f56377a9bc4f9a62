"""The columns of norface, OpenFace and Py-Feat."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from norface.faces.bundle import canonical_face
from norface.facs import ACTION_UNIT_NAMES
from norface.results import FaceAnalysis, Gaze, Pose
from norface.tables.columns import FACE_COLUMNS, face_row
from norface.tables.landmarks68 import LANDMARKS_68
from norface.tables.openface import OPENFACE_COLUMNS, UNMEASURED_COLUMNS
from norface.tables.py_feat import PY_FEAT_COLUMNS, PY_FEAT_EMOTIONS, PY_FEAT_UNITS
from norface.tables.styles import COLUMN_STYLES, FramePlace, style_columns, video_row

Make = Callable[..., FaceAnalysis]
PLACE = FramePlace(name="clip.mp4", frame=7, time=0.28, size=(640, 480))


GAZE = (*(f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"), "gaze_angle_x", "gaze_angle_y")


def centred(face: FaceAnalysis) -> FaceAnalysis:
    """The face with its middle in the middle of `PLACE`, where it is seen as it is in the room."""
    middle = face.landmarks[list(LANDMARKS_68), :2].mean(axis=0)
    moved = face.landmarks + np.array((*(np.array(PLACE.size) / 2 - middle), 0.0), np.float32)
    return replace(face, landmarks=moved)


def floats(row: dict[str, str], *names: str) -> list[float]:
    return [float(row[name]) for name in names]


@pytest.mark.parametrize("style", COLUMN_STYLES)
def test_a_row_has_the_columns_of_its_style(style: str, canonical: Make) -> None:
    for face in (canonical(), None):
        assert tuple(video_row(style, PLACE, face)) == style_columns(style)
    few = FramePlace("clip.mp4", 7, 0.28, (640, 480), units=("AU12", "AU23"))
    assert tuple(video_row(style, few, None)) == style_columns(style, few.units)


def test_there_are_only_these_styles() -> None:
    with pytest.raises(ValueError, match="norface, openface, py-feat"):
        style_columns("fer")


def test_the_style_norface_is_the_table_of_analyze(canonical: Make) -> None:
    face = canonical()
    assert style_columns("norface") == FACE_COLUMNS
    row = video_row("norface", PLACE, face, person=4)
    assert row == {**face_row("clip.mp4", face, frame=7, timestamp=0.28), "face_id": "4"}


def test_openface_has_the_columns_of_its_version_2_2() -> None:
    assert len(OPENFACE_COLUMNS) == len(set(OPENFACE_COLUMNS)) == 714
    assert ",".join(OPENFACE_COLUMNS[:14]) == (
        "frame,face_id,timestamp,confidence,success,gaze_0_x,gaze_0_y,gaze_0_z,gaze_1_x,gaze_1_y,"
        "gaze_1_z,gaze_angle_x,gaze_angle_y,eye_lmk_x_0"
    )
    # Where the groups of a table that OpenFace 2.2.0 wrote begin.
    begin = {
        13: "eye_lmk_x_0", 69: "eye_lmk_y_0", 125: "eye_lmk_X_0", 293: "pose_Tx", 299: "x_0",
        367: "y_0", 435: "X_0", 639: "p_scale", 645: "p_0", 679: "AU01_r", 696: "AU01_c",
        712: "AU28_c", 713: "AU45_c",
    }  # fmt: skip
    assert {i: OPENFACE_COLUMNS[i] for i in begin} == begin


def test_openface_counts_frames_from_1_and_units_as_it_does(canonical: Make) -> None:
    row = video_row("openface", PLACE, canonical(), person=2)
    assert list(row.values())[:5] == ["8", "2", "0.280", "0.90", "1"]
    assert (row["AU12_r"], row["AU12_c"], row["AU04_c"]) == ("0.60", "1.00", "0.00")
    assert row["AU45_r"] == "2.15"  # of AU43
    assert row["AU23_r"] == row["AU23_c"] == ""
    empty = {name for name, value in row.items() if not value}
    assert empty == {*UNMEASURED_COLUMNS, "AU23_r", "AU23_c"}


def test_openface_writes_0_for_a_lost_face_and_nothing_for_what_is_not_measured() -> None:
    row = video_row("openface", PLACE, None)
    assert (row["frame"], row["timestamp"], row["success"]) == ("8", "0.280", "0")
    assert {row[name] for name in ("face_id", "confidence", "x_0", "pose_Rx", "AU12_r", *GAZE)} == {
        "0"
    }
    empty = {name for name, value in row.items() if not value}
    assert empty == {*UNMEASURED_COLUMNS, "AU23_r", "AU23_c"}


@pytest.mark.parametrize(
    ("pose", "column", "angle"),
    [
        (Pose(10.0, 0.0, 0.0), "Rx", -10.0),  # up
        (Pose(0.0, 10.0, 0.0), "Ry", -10.0),  # to the picture's right
        (Pose(0.0, 0.0, 10.0), "Rz", 10.0),  # clockwise
    ],
)
def test_openface_turns_a_head_its_own_way(
    pose: Pose, column: str, angle: float, canonical: Make
) -> None:
    face = canonical(pose)
    middle = face.landmarks[list(LANDMARKS_68), :2].mean(axis=0)
    # In the middle of the picture a head is seen as it stands in the room.
    place = FramePlace("clip.mp4", 0, 0.0, (round(2 * middle[0]), round(2 * middle[1])))
    row = video_row("openface", place, face)
    for axis in ("Rx", "Ry", "Rz"):
        expected = math.radians(angle) if axis == column else 0.0
        assert float(row[f"pose_{axis}"]) == pytest.approx(expected, abs=0.003)
        assert float(row[f"p_{axis.lower()}"]) == pytest.approx(expected, abs=0.003)


def test_openface_corrects_the_pose_for_where_the_head_is_seen(canonical: Make) -> None:
    # Seen frontally on the picture's right, it looks past the camera to the picture's left's side.
    row = video_row("openface", PLACE, canonical(centre=(580.0, 240.0)))
    tx, ty, tz = floats(row, "pose_Tx", "pose_Ty", "pose_Tz")
    assert tz == pytest.approx(500.0, rel=0.01)  # 1 pixel a millimetre, focal length 500
    assert tx == pytest.approx(260.0, abs=5)
    assert float(row["p_ry"]) == pytest.approx(0.0, abs=0.002)
    assert float(row["pose_Ry"]) == pytest.approx(math.atan2(tx, math.hypot(ty, tz)), abs=0.02)


def test_openface_space_projects_onto_the_landmarks(canonical: Make) -> None:
    row = video_row("openface", PLACE, canonical(Pose(12.0, -25.0, 6.0), centre=(200.0, 300.0)))
    x, y, X, Y, Z = (np.array(floats(row, *(f"{a}_{i}" for i in range(68)))) for a in "xyXYZ")
    assert np.allclose(500 * X / Z + 320, x, atol=0.2)
    assert np.allclose(500 * Y / Z + 240, y, atol=0.2)
    assert np.allclose([x.mean(), y.mean()], floats(row, "p_tx", "p_ty"), atol=0.1)


def test_openface_has_the_gaze_of_the_eye_on_the_picture_s_left_first(canonical: Make) -> None:
    left, right = (0.6, 0.0, -0.8), (0.0, 0.28, -0.96)
    face = centred(replace(canonical(), gaze=Gaze(left, right)))
    row = video_row("openface", PLACE, face)
    assert floats(row, *GAZE[:3]) == pytest.approx(right, abs=0.005)
    assert floats(row, *GAZE[3:6]) == pytest.approx(left, abs=0.005)
    assert [len(row[name].partition(".")[2]) for name in GAZE] == [6] * 6 + [3] * 2
    # OpenFace's angles are positive to the picture's right and downwards.
    x, y = 0.6 / (0.8 + 0.96), 0.28 / (0.8 + 0.96)
    assert floats(row, *GAZE[6:]) == pytest.approx([math.atan(x), math.atan(y)], abs=0.005)


def test_openface_leaves_a_shut_eye_empty(canonical: Make) -> None:
    one = video_row("openface", PLACE, replace(canonical(), gaze=Gaze((0.0, 0.0, -1.0), None)))
    assert [name for name in GAZE if not one[name]] == list(GAZE[:3])
    none = video_row("openface", PLACE, replace(canonical(), gaze=None))
    assert not any(none[name] for name in GAZE)
    assert none["success"] == "1"


def test_openface_s_gaze_is_in_the_room(canonical: Make) -> None:
    # Who looks into the camera from the picture's right looks to the left.
    face = replace(canonical(centre=(580.0, 240.0)), gaze=Gaze((0.0, 0.0, -1.0), None))
    row = video_row("openface", PLACE, face)
    place = np.array(floats(row, "pose_Tx", "pose_Ty", "pose_Tz"))
    assert floats(row, *GAZE[3:6]) == pytest.approx(-place / np.linalg.norm(place), abs=0.002)
    assert float(row["gaze_angle_x"]) == pytest.approx(-math.atan2(place[0], place[2]), abs=0.002)


def test_the_68_are_68_and_mirror_each_other() -> None:
    assert len(set(LANDMARKS_68)) == 68
    pairs = [
        *zip(range(17), range(16, -1, -1), strict=True),
        *zip(range(17, 27), range(26, 16, -1), strict=True),
        *((i, i) for i in range(27, 31)),
        *zip(range(31, 36), range(35, 30, -1), strict=True),
        (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46),
        *zip(range(48, 55), range(54, 47, -1), strict=True),
        (55, 59), (56, 58), (57, 57), (60, 64), (61, 63), (62, 62), (65, 67), (66, 66),
    ]  # fmt: skip
    points = canonical_face()[list(LANDMARKS_68)]
    for one, other in pairs:
        assert np.allclose(points[one] * (-1, 1, 1), points[other], atol=0.01)


def test_the_68_run_as_the_scheme_says() -> None:
    x, y = canonical_face()[list(LANDMARKS_68), :2].T
    assert (np.diff(x[8:16]) > 0).all()  # the chin to the picture's right
    assert (np.diff(x[17:27]) > 0).all()  # brows
    assert (np.diff(y[27:31]) > 0).all()  # down the nose
    assert x[36] < x[37] < x[38] < x[39] < x[42] < x[43] < x[44] < x[45]
    assert y[37] < y[41]
    assert y[51] < y[62] <= y[66] < y[57]


def test_py_feat_has_its_columns(canonical: Make) -> None:
    assert ",".join(PY_FEAT_COLUMNS[:6]) == (
        "FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,x_0"
    )
    assert len(PY_FEAT_UNITS) == 20
    assert PY_FEAT_COLUMNS[141:147] == ("Pitch", "Roll", "Yaw", "X", "Y", "Z")
    row = video_row("py-feat", PLACE, canonical(Pose(10.0, 20.0, 5.0)), person=3)
    assert floats(row, "Pitch", "Yaw", "Roll") == pytest.approx(
        [math.radians(10), -math.radians(20), -math.radians(5)], abs=1e-3
    )
    assert (row["AU12"], row["AU23"], row["Identity"]) == ("0.2500", "", "Person_3")
    assert (row["frame"], row["timestamp"], row["approx_time"]) == ("7", "0.280", "00:00")
    assert sum(floats(row, *PY_FEAT_EMOTIONS)) == pytest.approx(21 / 28, abs=1e-3)


def test_py_feat_has_nothing_for_a_lost_face() -> None:
    row = video_row("py-feat", PLACE, None)
    filled = {name for name, value in row.items() if value}
    assert filled == {"input", "frame", "timestamp", "approx_time", "FrameWidth", "FrameHeight"}


def test_units_that_other_weights_read_are_filled(canonical: Make) -> None:
    place = FramePlace("clip.mp4", 7, 0.28, (640, 480), units=(*ACTION_UNIT_NAMES, "AU23"))
    assert video_row("openface", place, None)["AU23_r"] == "0"
