"""The styles of columns that a table can have: norface's own, OpenFace's, Py-Feat's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from norface.facs import ACTION_UNIT_NAMES
from norface.results import FaceAnalysis
from norface.tables.columns import face_columns, face_row
from norface.tables.openface import OPENFACE_COLUMNS, openface_row
from norface.tables.py_feat import PY_FEAT_COLUMNS, py_feat_row


@dataclass(frozen=True, slots=True)
class FramePlace:
    """What a row says of its frame, whether there is a face or not.

    Attributes:
        name: the video or picture, as the user named it.
        frame: number in the video, from 0.
        time: seconds from the start of the video; None for a picture.
        size: width and height in pixels, upright.
        units: the action units that the weights read.
    """

    name: str
    frame: int
    time: float | None
    size: tuple[int, int]
    units: tuple[str, ...] = ACTION_UNIT_NAMES


@dataclass(frozen=True, slots=True)
class ColumnStyle:
    """Names and order of a table's columns, and a face's row of them."""

    columns: Callable[[Sequence[str]], tuple[str, ...]]
    row: Callable[[FramePlace, FaceAnalysis | None, int | None], dict[str, str]]


def _norface(place: FramePlace, face: FaceAnalysis | None, person: int | None) -> dict[str, str]:
    return face_row(
        place.name,
        face,
        frame=place.frame,
        timestamp=place.time,
        person=person,
        columns=face_columns(place.units),
    )


def _openface(place: FramePlace, face: FaceAnalysis | None, person: int | None) -> dict[str, str]:
    return openface_row(
        place.frame,
        place.time,
        face,
        person=person,
        size=place.size,
        units=frozenset(place.units),
    )


def _py_feat(place: FramePlace, face: FaceAnalysis | None, person: int | None) -> dict[str, str]:
    return py_feat_row(
        place.frame, place.time, face, name=place.name, person=person, size=place.size
    )


COLUMN_STYLES: Final[dict[str, ColumnStyle]] = {
    "norface": ColumnStyle(columns=face_columns, row=_norface),
    "openface": ColumnStyle(columns=lambda units: OPENFACE_COLUMNS, row=_openface),
    "py-feat": ColumnStyle(columns=lambda units: PY_FEAT_COLUMNS, row=_py_feat),
}


def style_columns(style: str, units: Sequence[str] = ACTION_UNIT_NAMES) -> tuple[str, ...]:
    """The columns of a table of this style, for weights that read these units.

    Raises:
        ValueError: there is no such style.
    """
    return _style(style).columns(units)


def video_row(
    style: str,
    place: FramePlace,
    face: FaceAnalysis | None,
    *,
    person: int | None = None,
) -> dict[str, str]:
    """The row of a face in a frame, or of a frame without a face (None).

    Args:
        style: one of `COLUMN_STYLES`.
        place: the frame.
        face: what was read from it.
        person: number of the person over the whole video; None for the face's number in the frame.

    Raises:
        ValueError: there is no such style.
    """
    return _style(style).row(place, face, person)


def _style(name: str) -> ColumnStyle:
    if name not in COLUMN_STYLES:
        raise ValueError(f"{name!r} is no style of columns: choose {', '.join(COLUMN_STYLES)}")
    return COLUMN_STYLES[name]
