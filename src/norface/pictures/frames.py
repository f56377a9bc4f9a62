"""Frames of a video with what was read from them: boxes, and a card for each person beside."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from norface.facs import MAXIMUM_INTENSITY
from norface.pictures.drawing import Color, color_of, rgb, write_text
from norface.results import FaceAnalysis, UInt8Image

_PANEL: Final = 340
_CARD: Final = 224
_GAP: Final = 10
_FACE: Final = 144
_LEAST_HEIGHT: Final = 480
_LARGEST: Final = (1920, 1080)
"""Width and height of the picture beside the panel, at most."""

_UNITS: Final = (
    "AU01", "AU02", "AU04", "AU06", "AU09", "AU10", "AU12", "AU15", "AU20", "AU25", "AU26",
)  # fmt: skip
"""The bars. In a video each has one place, for bars that change places cannot be followed."""

_GROUND: Final = rgb("#111827")
_CARD_GROUND: Final = rgb("#1f2937")
_INK: Final = rgb("#f3f4f6")
_QUIET: Final = rgb("#9ca3af")
_TRACK: Final = rgb("#374151")
_ABSENT: Final = rgb("#6b7280")
_WHITE: Final = rgb("#ffffff")


def annotated_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the annotated frames of a video of this size; both are even."""
    wide, high = _picture_size(width, height)
    return wide + wide % 2 + _PANEL, max(high + high % 2, _CARD + 2 * _GAP)


def annotate_frame(image: UInt8Image, faces: Sequence[FaceAnalysis]) -> UInt8Image:
    """Draw a frame with its faces boxed, and a card for each person at its right.

    A card shows the person's number, the emotion, the normalized face and how strong eleven action
    units are. As many fit as the frame is high (three beside 720 pixels), the lowest numbers first;
    how many more there are is said.

    Args:
        image: (H, W, 3) uint8 RGB.
        faces: found in it; their ``face_id`` is the person's number and chooses the colour.

    Returns:
        uint8 RGB, of `annotated_size`.
    """
    width, height = annotated_size(image.shape[1], image.shape[0])
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:, width - _PANEL :] = _ground(height, _PANEL, _GROUND)
    size = _picture_size(image.shape[1], image.shape[0])
    top = (height - size[1]) // 2
    picture = canvas[top : top + size[1], : size[0]]
    if picture.shape != canvas[:, : width - _PANEL].shape:
        canvas[:, : width - _PANEL] = _ground(height, width - _PANEL, _GROUND)
    if size == (image.shape[1], image.shape[0]):
        picture[:] = image
    else:
        smaller = size[0] < image.shape[1]
        way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        picture[:] = cv2.resize(image, size, interpolation=way)
    scale = size[0] / image.shape[1]
    for face in faces:
        _draw_box(picture, face, scale)
    _draw_panel(canvas[:, width - _PANEL :], sorted(faces, key=lambda face: face.face_id))
    return canvas


def _picture_size(width: int, height: int) -> tuple[int, int]:
    """Of the picture in an annotated frame: neither too low for a card nor too large to play."""
    scale = max(1.0, _LEAST_HEIGHT / height)
    scale = min(scale, _LARGEST[0] / width, _LARGEST[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


@lru_cache(maxsize=8)
def _ground(height: int, width: int, color: Color) -> UInt8Image:
    """A plain area; copying it is ten times as fast as filling one."""
    area = np.empty((height, width, 3), np.uint8)
    area[:] = color
    area.flags.writeable = False
    return area


def _draw_box(picture: UInt8Image, face: FaceAnalysis, scale: float) -> None:
    color = rgb(color_of(face.face_id))
    box = face.box
    left, top = round(box.x * scale), round(box.y * scale)
    right, bottom = round((box.x + box.width) * scale), round((box.y + box.height) * scale)
    cv2.rectangle(picture, (left, top), (right, bottom), color, 2)
    size = int(np.clip((right - left) * 0.16, 12, 22))
    chip = round(1.35 * size)
    _draw_chip(picture, left - 1, top - chip if top >= chip else top, face.face_id, size)


def _draw_chip(canvas: UInt8Image, x: int, y: int, number: int, size: int) -> int:
    """The person's number on its colour; returns how wide it is."""
    width, height = round(0.62 * size * len(str(number)) + 0.8 * size), round(1.35 * size)
    canvas[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = rgb(color_of(number))
    left = x + (width - round(0.6 * size * len(str(number)))) // 2
    write_text(canvas, str(number), left, y + height // 2, size, _WHITE)
    return width


def _draw_panel(panel: UInt8Image, faces: Sequence[FaceAnalysis]) -> None:
    room = (panel.shape[0] - _GAP) // (_CARD + _GAP)
    for place, face in enumerate(faces[:room]):
        top = _GAP + place * (_CARD + _GAP)
        _draw_card(panel[top : top + _CARD, _GAP : _PANEL - _GAP], face)
    if not faces:
        write_text(panel, "no face found", 2 * _GAP, 3 * _GAP, 18, _QUIET)
    if len(faces) > room:
        words = f"and {len(faces) - room} more"
        write_text(panel, words, _PANEL - 2 * _GAP, panel.shape[0] - _GAP, 14, _INK, end=1)


def _draw_card(card: UInt8Image, face: FaceAnalysis) -> None:
    card[:] = _ground(_CARD, card.shape[1], _CARD_GROUND)
    width = _draw_chip(card, 10, 10, face.face_id, 18)
    if face.emotion is not None:
        words = f"{face.emotion} {face.emotions[face.emotion]:.0%}"
        write_text(card, words, 20 + width, 22, 18, _INK)
    top = 44
    card[top : top + _FACE, 10 : 10 + _FACE] = cv2.resize(
        face.normalized, (_FACE, _FACE), interpolation=cv2.INTER_AREA
    )
    _draw_bars(card[top:, 20 + _FACE :], face)


def _draw_bars(area: UInt8Image, face: FaceAnalysis) -> None:
    if not face.action_units:
        write_text(area, "no action units read", 0, 12, 13, _QUIET)
        return
    shown = [name for name in _UNITS if name in face.action_units]
    shown += [name for name in face.action_units if name not in shown]
    step = (area.shape[0] - 6) // len(_UNITS)
    left, right = 42, area.shape[1] - 38
    color = rgb(color_of(face.face_id))
    for row, name in enumerate(sorted(shown[: len(_UNITS)])):
        unit = face.action_units[name]
        middle = row * step + step // 2
        ink = _INK if unit.present else _QUIET
        write_text(area, name, 0, middle, 13, ink)
        area[middle - 4 : middle + 4, left:right] = _TRACK
        filled = round((right - left) * unit.intensity / MAXIMUM_INTENSITY)
        area[middle - 4 : middle + 4, left : left + filled] = color if unit.present else _ABSENT
        write_text(area, f"{unit.intensity:.1f}", area.shape[1] - 8, middle, 13, ink, end=1)
