"""Pictures for slides: the photo with its faces boxed, and a card for each face beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from norface.facs import MAXIMUM_INTENSITY, action_unit
from norface.pictures.drawing import color_of, font
from norface.results import FaceAnalysis, UInt8Image

WIDTH: Final = 1920
HEIGHT: Final = 1080
"""A slide; a picture of many faces grows downwards."""

_MARGIN: Final = 48
_GAP: Final = 28
_PADDING: Final = 24
_FACES_ON_A_SLIDE: Final = 6
_COLUMNS: Final = 3
_CARD_HEIGHT: Final = 330
_MOST_BARS: Final = 12
_WIDE: Final = 2.2
"""A photo wider than this, in heights, stands above its cards."""
_LARGEST_MAGNIFICATION: Final = 4.0

_PAPER: Final = "#ffffff"
_CARD: Final = "#f6f7f9"
_INK: Final = "#1f2937"
_QUIET: Final = "#6b7280"
_TRACK: Final = "#e3e6ea"
_ABSENT: Final = "#aeb4bd"


@dataclass(frozen=True, slots=True)
class _Area:
    """A rectangle of the slide, in pixels."""

    x: int
    y: int
    width: int
    height: int


def annotate(image: UInt8Image, faces: Sequence[FaceAnalysis]) -> UInt8Image:
    """Draw one picture that shows a photo and what was read from its faces.

    Args:
        image: (H, W, 3) uint8 RGB.
        faces: as found in it; none gives a picture that says so.

    Returns:
        (1080 or more, 1920, 3) uint8 RGB.
    """
    photo_area, card_areas, height = _layout(image, len(faces))
    canvas = Image.new("RGB", (WIDTH, height), _PAPER)
    _draw_photo(canvas, photo_area, image, faces)
    for face, area in zip(faces, card_areas, strict=False):
        _draw_card(canvas, area, face)
    if not faces:
        area = card_areas[0]
        middle = (area.x + area.width // 2, area.y + area.height // 2)
        ImageDraw.Draw(canvas).text(middle, "No face found", _QUIET, font(36), anchor="mm")
    return np.asarray(canvas)


def _layout(image: UInt8Image, faces: int) -> tuple[_Area, list[_Area], int]:
    """Where the photo and each card go, and how high the slide is."""
    cards = max(faces, 1)
    inner = WIDTH - 2 * _MARGIN
    if image.shape[1] <= _WIDE * image.shape[0] and cards <= _FACES_ON_A_SLIDE:
        columns = 1 if cards <= _COLUMNS else 2
        widest = inner - _GAP - (740 if columns == 1 else 960)
        width, height = _fit(image, widest, HEIGHT - 2 * _MARGIN)
        rest = min(inner - _GAP - width, 1000 * columns)
        left = (WIDTH - width - _GAP - rest) // 2
        photo = _Area(left, (HEIGHT - height) // 2, width, height)
        region = _Area(left + width + _GAP, _MARGIN, rest, HEIGHT - 2 * _MARGIN)
        return photo, _grid(region, cards, columns), HEIGHT
    width, height = _fit(image, inner, 620 if cards <= _COLUMNS else 840)
    photo = _Area((WIDTH - width) // 2, _MARGIN, width, height)
    columns = min(_COLUMNS, cards)
    rows = -(-cards // columns)
    top = photo.y + height + _GAP
    free = HEIGHT - _MARGIN - top
    wanted = max(rows * _CARD_HEIGHT + (rows - 1) * _GAP, min(free, 420) if rows == 1 else 0)
    used = inner if columns > 1 else min(inner, 1100)
    total = max(HEIGHT, top + wanted + _MARGIN)
    drop = (total - top - wanted - _MARGIN) // 2
    region = _Area((WIDTH - used) // 2, top + drop, used, wanted)
    photo = _Area(photo.x, photo.y + drop, width, height)
    return photo, _grid(region, cards, columns), total


def _fit(image: UInt8Image, width: int, height: int) -> tuple[int, int]:
    """The size of the image inside a rectangle, without stretching it."""
    rows, columns = image.shape[:2]
    scale = min(width / columns, height / rows, _LARGEST_MAGNIFICATION)
    return max(1, round(columns * scale)), max(1, round(rows * scale))


def _grid(region: _Area, cards: int, columns: int) -> list[_Area]:
    rows = -(-cards // columns)
    width = (region.width - (columns - 1) * _GAP) // columns
    height = (region.height - (rows - 1) * _GAP) // rows
    return [
        _Area(
            region.x + (i % columns) * (width + _GAP),
            region.y + (i // columns) * (height + _GAP),
            width,
            height,
        )
        for i in range(cards)
    ]


def _draw_photo(
    canvas: Image.Image, area: _Area, image: UInt8Image, faces: Sequence[FaceAnalysis]
) -> None:
    photo = Image.fromarray(np.ascontiguousarray(image))
    canvas.paste(
        photo.resize((area.width, area.height), Image.Resampling.LANCZOS), (area.x, area.y)
    )
    draw = ImageDraw.Draw(canvas)
    scale = area.width / image.shape[1]
    # Largest first, so that no box hides a smaller one's number.
    for face in faces:
        color = color_of(face.face_id)
        left = area.x + face.box.x * scale
        top = area.y + face.box.y * scale
        right = left + face.box.width * scale
        bottom = top + face.box.height * scale
        left, right = max(left, area.x), min(right, area.x + area.width - 1)
        top, bottom = max(top, area.y), min(bottom, area.y + area.height - 1)
        if right <= left or bottom <= top:
            continue
        line = 4 if right - left > 120 else 3 if right - left > 50 else 2
        draw.rectangle((left, top, right, bottom), outline=color, width=line)
        size = int(np.clip((right - left) * 0.22, 14, 30))
        chip = _chip_size(face, size)
        chip_top = top - chip[1] if top - chip[1] >= area.y else top
        _draw_chip(canvas, round(left), round(chip_top), face, size)


def _draw_card(canvas: Image.Image, area: _Area, face: FaceAnalysis) -> None:
    _rounded(canvas, area, 18, _CARD)
    x, y = area.x + _PADDING, area.y + _PADDING
    inner_width = area.width - 2 * _PADDING
    bottom = area.y + area.height - _PADDING
    size = 28 if area.height >= 420 else 24
    chip_width, chip_height = _draw_chip(canvas, x, y, face, size)
    draw = ImageDraw.Draw(canvas)
    middle = y + chip_height // 2
    if face.emotion is not None:
        words = f"{face.emotion} {face.emotions[face.emotion]:.0%}"
        draw.text((x + chip_width + 14, middle), words, _INK, font(size), anchor="lm")
    y += chip_height + 18

    if area.height >= 700:
        side = min((inner_width - _GAP) // 2, 380)
        pair = x + (inner_width - 2 * side - _GAP) // 2
        for left, picture, words in (
            (pair, face.aligned, "aligned"),
            (pair + side + _GAP, face.normalized, "normalized"),
        ):
            _paste(canvas, left, y, side, picture)
            draw.text((left + side // 2, y + side + 8), words, _QUIET, font(20), anchor="ma")
        y += side + 52
        _draw_bars(canvas, _Area(x, y, inner_width, bottom - y), face)
        return
    side = min(bottom - y, int(inner_width * 0.45))
    _paste(canvas, x, y, side, face.normalized)
    left = x + side + _PADDING
    _draw_bars(canvas, _Area(left, y, x + inner_width - left, bottom - y), face)


def _draw_bars(canvas: Image.Image, area: _Area, face: FaceAnalysis) -> None:
    """The strongest units, as many as there is room for."""
    if not face.action_units:
        return
    draw = ImageDraw.Draw(canvas)
    step = int(np.clip(area.height / 8, 32, 46))
    count = min(max(1, area.height // step), _MOST_BARS, len(face.action_units))
    strongest = sorted(face.action_units.items(), key=lambda item: -item[1].intensity)[:count]
    letters = font(int(step * 0.58))
    named = area.width >= 420
    labels = [
        f"{name}  {action_unit(name).description}" if named else name for name, _ in strongest
    ]
    label_width = int(max(draw.textlength(label, letters) for label in labels)) + 16
    value_width = int(draw.textlength("5.0", letters)) + 14
    track = area.width - label_width - value_width
    for i, ((_, unit), label) in enumerate(zip(strongest, labels, strict=True)):
        middle = area.y + i * step + step // 2
        thick = max(8, int(step * 0.42))
        color = color_of(face.face_id) if unit.present else _ABSENT
        ink = _INK if unit.present else _QUIET
        draw.text((area.x, middle), label, ink, letters, anchor="lm")
        bar = _Area(area.x + label_width, middle - thick // 2, track, thick)
        _rounded(canvas, bar, thick // 2, _TRACK)
        filled = round(track * unit.intensity / MAXIMUM_INTENSITY)
        if filled >= 2:
            _rounded(canvas, _Area(bar.x, bar.y, filled, thick), thick // 2, color)
        value = f"{unit.intensity:.1f}"
        draw.text((area.x + area.width, middle), value, ink, letters, anchor="rm")


def _paste(canvas: Image.Image, x: int, y: int, side: int, picture: UInt8Image) -> None:
    face = Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
    canvas.paste(face, (x, y), _corners(side, side, 12))


def _chip_size(face: FaceAnalysis, size: int) -> tuple[int, int]:
    return max(int(font(size).getlength(str(face.face_id)) + size * 0.8), int(size * 1.35)), int(
        size * 1.35
    )


def _draw_chip(
    canvas: Image.Image, x: int, y: int, face: FaceAnalysis, size: int
) -> tuple[int, int]:
    """The face's number on its color; returns the chip's width and height."""
    width, height = _chip_size(face, size)
    _rounded(canvas, _Area(x, y, width, height), height // 4, color_of(face.face_id))
    ImageDraw.Draw(canvas).text(
        (x + width / 2, y + height / 2), str(face.face_id), _PAPER, font(size), anchor="mm"
    )
    return width, height


def _rounded(canvas: Image.Image, area: _Area, radius: int, fill: str) -> None:
    canvas.paste(
        fill,
        (area.x, area.y, area.x + area.width, area.y + area.height),
        _corners(area.width, area.height, radius),
    )


@lru_cache(maxsize=256)
def _corners(width: int, height: int, radius: int) -> Image.Image:
    """A mask with smooth round corners, which Pillow's own shapes do not have."""
    fine = 4
    mask = Image.new("L", (width * fine, height * fine), 0)
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, width * fine - 1, height * fine - 1), radius * fine, 255
    )
    return mask.resize((width, height), Image.Resampling.BOX)
