"""The columns of OpenFace 2.2's ``FeatureExtraction``, all 714, in its names, order and units.

Names and order were read from a table that OpenFace 2.2.0 wrote; docs/columns.md says what each
holds, and which stay empty because norface does not measure them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.faces.pose import fit_head
from norface.results import FaceAnalysis, Gaze
from norface.tables.columns import number
from norface.tables.landmarks68 import landmarks_68

INTENSITIES: Final = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17",
    "AU20", "AU23", "AU25", "AU26", "AU45",
)  # fmt: skip
PRESENCES: Final = (*INTENSITIES[:-1], "AU28", "AU45")
"""The action units that have a column ``_r``, and those that have a column ``_c``."""

_SAME_UNIT: Final = {"AU45": "AU43"}
"""A blink is a short closing of the eyes: in one frame they are the same."""

_GAZE: Final = (
    "gaze_0_x", "gaze_0_y", "gaze_0_z", "gaze_1_x", "gaze_1_y", "gaze_1_z", "gaze_angle_x",
    "gaze_angle_y",
)  # fmt: skip
_EYES: Final = tuple(f"eye_lmk_{axis}_{i}" for axis in "xyXYZ" for i in range(56))
_POSE: Final = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")
_POINTS: Final = tuple(f"{axis}_{i}" for axis in "xy" for i in range(68))
_SPACE: Final = tuple(f"{axis}_{i}" for axis in "XYZ" for i in range(68))
_RIGID: Final = ("p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty")
_SHAPE: Final = tuple(f"p_{i}" for i in range(34))

OPENFACE_COLUMNS: Final = (
    "frame", "face_id", "timestamp", "confidence", "success", *_GAZE, *_EYES, *_POSE, *_POINTS,
    *_SPACE, *_RIGID, *_SHAPE,
    *(f"{unit}_r" for unit in INTENSITIES), *(f"{unit}_c" for unit in PRESENCES),
)  # fmt: skip
UNMEASURED_COLUMNS: Final = frozenset((*_EYES, *_SHAPE))
"""Always empty; a unit that the weights do not read (AU23 of the default) is as well."""

_LOST: Final = dict.fromkeys(set(OPENFACE_COLUMNS) - UNMEASURED_COLUMNS, "0")


def openface_row(
    frame: int,
    time: float | None,
    face: FaceAnalysis | None,
    *,
    person: int | None,
    size: tuple[int, int],
    units: frozenset[str],
) -> dict[str, str]:
    """One row, by column.

    Args:
        frame: number from 0; OpenFace counts from 1, and so does the row.
        time: seconds; None for a picture.
        face: None for a frame without one; OpenFace writes 0 into all that it would measure.
        person: the face's person; None for the face's own number.
        size: width and height of the picture, from which OpenFace guesses the focal length.
        units: the action units that the weights read.
    """
    row = dict.fromkeys(OPENFACE_COLUMNS, "")
    if face is None:
        row.update(_LOST)
        for column in row:
            if column.startswith("AU") and _own(column[:4]) not in units:
                row[column] = ""
    row.update(frame=str(frame + 1), timestamp=number(time, 3))
    if face is None:
        return row
    row["face_id"] = str(face.face_id if person is None else person)
    row["confidence"] = number(face.confidence, 2)
    row["success"] = "1"
    _fill_geometry(row, face, size)
    for unit in INTENSITIES:
        if (read := face.action_units.get(_own(unit))) is not None:
            row[f"{unit}_r"] = number(read.intensity, 2)
    for unit in PRESENCES:
        if (read := face.action_units.get(_own(unit))) is not None:
            row[f"{unit}_c"] = number(read.present, 2)
    return row


def _own(unit: str) -> str:
    return _SAME_UNIT.get(unit, unit)


def _fill_geometry(row: dict[str, str], face: FaceAnalysis, size: tuple[int, int]) -> None:
    """Landmarks, and the head in millimetres before a camera of OpenFace's default focal length."""
    width, height = size
    focal = (500 * width / 640 + 500 * height / 480) / 2
    middle = np.array((width / 2, height / 2))
    points = landmarks_68(face.landmarks).astype(np.float64)
    fit = fit_head(face.landmarks)
    scale = fit.scale / 10  # pixels a millimetre; the canonical face is in centimetres
    centre = points.mean(axis=0)
    depth = focal / scale
    place = np.array((*(centre[:2] - middle) * depth / focal, depth))
    away = depth + (points[:, 2] - centre[2]) / scale
    space = np.column_stack(((points[:, :2] - middle) * (away / focal)[:, None], away))
    seen = _angles(fit.rotation)
    # Landmarks show a head as seen along the line to it; OpenFace's pose is that in the room.
    line = _turn(
        np.arctan2(place[1], np.hypot(place[0], depth)),
        -np.arctan2(place[0], np.hypot(place[1], depth)),
    )
    room = _angles(line.T @ fit.rotation)
    _fill_gaze(row, face.gaze, line.T)
    for names, values, digits in (
        (_POSE[:3], place, 1),
        (_POSE[3:], room, 3),
        (_POINTS, points[:, :2].T.ravel(), 1),
        (_SPACE, space.T.ravel(), 1),
        (_RIGID, (scale, *seen, *centre[:2]), 3),
    ):
        row.update(
            (name, number(float(value), digits)) for name, value in zip(names, values, strict=True)
        )


def _fill_gaze(row: dict[str, str], gaze: Gaze | None, to_room: NDArray[np.float64]) -> None:
    """Directions in the room, and the angles of their mean; an eye that is shut stays empty."""
    if gaze is None:
        return
    # OpenFace's eye 0 is the one on the picture's left: the person's right.
    for names, eye in ((_GAZE[:3], gaze.right), (_GAZE[3:6], gaze.left)):
        if eye is not None:
            row.update(
                (name, number(float(part), 6))
                for name, part in zip(names, to_room @ eye, strict=True)
            )
    x, y, z = to_room @ gaze.direction
    row["gaze_angle_x"] = number(float(np.arctan2(x, -z)), 3)
    row["gaze_angle_y"] = number(float(np.arctan2(y, -z)), 3)


def _angles(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Radians around x, y and z of a (3, 3) rotation Rx Ry Rz in picture axes, as OpenFace's."""
    return (
        float(np.arctan2(-rotation[1, 2], rotation[2, 2])),
        float(np.arcsin(np.clip(rotation[0, 2], -1.0, 1.0))),
        float(np.arctan2(-rotation[0, 1], rotation[0, 0])),
    )


def _turn(x: float, y: float) -> NDArray[np.float64]:
    """The (3, 3) rotation Rx Ry."""
    cx, sx, cy, sy = np.cos(x), np.sin(x), np.cos(y), np.sin(y)
    around_x = np.array(((1, 0, 0), (0, cx, -sx), (0, sx, cx)))
    around_y = np.array(((cy, 0, sy), (0, 1, 0), (-sy, 0, cy)))
    return np.asarray(around_x @ around_y, np.float64)
