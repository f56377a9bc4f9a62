"""The columns of ``faces.csv``: their names, their order, and a face's values in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from norface.facs import ACTION_UNIT_NAMES, EMOTIONS, action_unit
from norface.results import FaceAnalysis

PLACE_COLUMNS: Final = (
    "input", "frame", "timestamp", "face_id", "success", "confidence",
    "x", "y", "width", "height", "pitch", "yaw", "roll",
)  # fmt: skip
GAZE_COLUMNS: Final = ("gaze_pitch", "gaze_yaw")


def face_columns(units: Sequence[str] = ACTION_UNIT_NAMES) -> tuple[str, ...]:
    """Every column, in order, for weights that read these units; docs/columns.md says more."""
    of_units = [
        f"{unit.name}_{suffix}"
        for unit in map(action_unit, units)
        for suffix in (("r", "p", "c", "left_r", "right_r") if unit.has_sides else ("r", "p", "c"))
    ]
    return (*PLACE_COLUMNS, *of_units, *GAZE_COLUMNS, "emotion", *EMOTIONS)


FACE_COLUMNS: Final = face_columns()
"""The columns of the weights that come with norface."""

ERROR_COLUMNS: Final = ("input", "reason")

# More digits than a score means, few enough to read.
_PIXELS = 1
_DEGREES = 2
_INTENSITY = 3
_PROBABILITY = 4


def face_row(
    name: str,
    face: FaceAnalysis | None,
    *,
    frame: int = 0,
    timestamp: float | None = None,
    person: int | None = None,
    columns: Sequence[str] = FACE_COLUMNS,
) -> dict[str, str]:
    """One row of ``faces.csv``, by column. What is not known is the empty string, never 0.

    Args:
        name: the picture, as the user named it.
        face: None for a picture in which no face was found.
        frame: number of the frame in a clip; 0 for a picture.
        timestamp: seconds from the start of a clip; None for a picture.
        person: whose face it is in a clip, in place of the face's number in its frame.
        columns: those of the table.
    """
    row = dict.fromkeys(columns, "")
    row["input"] = name
    row["frame"] = str(frame)
    row["timestamp"] = number(timestamp, 3)
    row["success"] = str(int(face is not None))
    if face is None:
        return row
    row["face_id"] = str(face.face_id if person is None else person)
    row["confidence"] = number(face.confidence, _PROBABILITY)
    for side in ("x", "y", "width", "height"):
        row[side] = number(getattr(face.box, side), _PIXELS)
    for angle in ("pitch", "yaw", "roll"):
        row[angle] = number(getattr(face.pose, angle), _DEGREES)
    for unit_name, unit in face.action_units.items():
        row[f"{unit_name}_r"] = number(unit.intensity, _INTENSITY)
        row[f"{unit_name}_p"] = number(unit.probability, _PROBABILITY)
        row[f"{unit_name}_c"] = str(int(unit.present))
        if unit.left is not None:
            row[f"{unit_name}_left_r"] = number(unit.left, _INTENSITY)
        if unit.right is not None:
            row[f"{unit_name}_right_r"] = number(unit.right, _INTENSITY)
    if face.gaze is not None:
        row["gaze_pitch"] = number(face.gaze.pitch, _DEGREES)
        row["gaze_yaw"] = number(face.gaze.yaw, _DEGREES)
    row["emotion"] = face.emotion or ""
    for emotion, probability in face.emotions.items():
        row[emotion] = number(probability, _PROBABILITY)
    return row


def number(value: float | None, digits: int) -> str:
    """A cell with so many digits after the point; empty for None and NaN."""
    if value is None or value != value:
        return ""
    # Adding 0.0 turns -0.0, which rounding makes of small negative values, into 0.0.
    return f"{round(value, digits) + 0.0:.{digits}f}"
