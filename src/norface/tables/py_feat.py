"""The columns of Py-Feat's ``Detectorv1`` (its version 2.1), without its identity embeddings."""

from __future__ import annotations

import math
from typing import Final

from norface.results import FaceAnalysis
from norface.tables.columns import number
from norface.tables.landmarks68 import landmarks_68

PY_FEAT_UNITS: Final = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU11", "AU12", "AU14", "AU15",
    "AU17", "AU20", "AU23", "AU24", "AU25", "AU26", "AU28", "AU43",
)  # fmt: skip
PY_FEAT_EMOTIONS: Final = (
    "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral",
)  # fmt: skip
_POINTS: Final = tuple(f"{axis}_{i}" for axis in "xy" for i in range(68))

PY_FEAT_COLUMNS: Final = (
    "FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore", *_POINTS,
    "Pitch", "Roll", "Yaw", "X", "Y", "Z", *PY_FEAT_UNITS, *PY_FEAT_EMOTIONS,
    "gaze_pitch", "gaze_yaw", "gaze_angle", "FrameHeight", "FrameWidth",
    "input", "frame", "approx_time", "Identity", "timestamp",
)  # fmt: skip
"""``timestamp`` is ours: Py-Feat's ``approx_time`` has whole seconds only."""


def py_feat_row(
    frame: int,
    time: float | None,
    face: FaceAnalysis | None,
    *,
    name: str,
    person: int | None,
    size: tuple[int, int],
) -> dict[str, str]:
    """One row, by column; what is not known is empty, as it is NaN for Py-Feat.

    Args:
        frame: number from 0.
        time: seconds; None for a picture.
        face: None for a frame without one.
        name: the video or picture, as the user named it.
        person: the face's person; None for the face's own number.
        size: width and height of the picture.
    """
    row = dict.fromkeys(PY_FEAT_COLUMNS, "")
    row.update(input=name, frame=str(frame), timestamp=number(time, 3))
    row.update(FrameWidth=str(size[0]), FrameHeight=str(size[1]))
    if time is not None:
        row["approx_time"] = f"{int(time) // 60:02d}:{int(time) % 60:02d}"
    if face is None:
        return row
    for column, side in (("X", "x"), ("Y", "y"), ("Width", "width"), ("Height", "height")):
        row[f"FaceRect{column}"] = number(getattr(face.box, side), 1)
    row["FaceScore"] = number(face.confidence, 4)
    points = landmarks_68(face.landmarks)[:, :2].T.ravel()
    row.update((column, number(float(p), 1)) for column, p in zip(_POINTS, points, strict=True))
    # Py-Feat turns and tilts to the person's right; norface to the left.
    row["Pitch"] = number(math.radians(face.pose.pitch), 4)
    row["Roll"] = number(-math.radians(face.pose.roll), 4)
    row["Yaw"] = number(-math.radians(face.pose.yaw), 4)
    for unit in PY_FEAT_UNITS:
        if (read := face.action_units.get(unit)) is not None:
            row[unit] = number(read.probability, 4)
    for emotion in PY_FEAT_EMOTIONS:
        row[emotion] = number(face.emotions.get(emotion), 4)
    row["Identity"] = f"Person_{face.face_id if person is None else person}"
    return row
