"""Colours, and type that is drawn once and then copied: a video has many frames."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from norface.results import UInt8Image

Font: TypeAlias = "ImageFont.FreeTypeFont | ImageFont.ImageFont"
Color: TypeAlias = tuple[int, int, int]

COLORS: Final = (
    "#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#0891b2", "#65a30d", "#dc2626",
)  # fmt: skip
"""Of the people, again from the first after the last."""


def color_of(face_id: int) -> str:
    """The colour of a face's box, number and bars, ``#rrggbb``."""
    return COLORS[face_id % len(COLORS)]


def rgb(color: str) -> Color:
    """``#rrggbb`` as three numbers, 0 to 255."""
    red, green, blue = ImageColor.getrgb(color)[:3]
    return red, green, blue


@lru_cache(maxsize=32)
def font(size: int) -> Font:
    """The one typeface, with figures and letters of this height in pixels."""
    return ImageFont.load_default(size)


@lru_cache(maxsize=2048)
def _lettering(text: str, size: int) -> NDArray[np.uint16]:
    """How much of each pixel the text covers, (H, W, 1) in 0 to 255; as high for every text."""
    width = max(1, round(font(size).getlength(text)) + 2)
    mask = Image.new("L", (width, round(1.4 * size)), 0)
    ImageDraw.Draw(mask).text((1, mask.height // 2), text, 255, font(size), anchor="lm")
    return np.asarray(mask)[:, :, None].astype(np.uint16)


def write_text(
    canvas: UInt8Image, text: str, x: int, middle: int, size: int, color: Color, *, end: int = 0
) -> int:
    """Write a line into a picture; what would lie outside is left out.

    Args:
        canvas: (H, W, 3) uint8 RGB, changed.
        text: the line.
        x: where it begins; where it ends, when ``end`` is 1.
        middle: height of its middle.
        size: of the letters, in pixels.
        color: of the letters.
        end: 0, or 1 to set it flush right.

    Returns:
        How wide it is.
    """
    letters = _lettering(text, size)
    height, width = int(letters.shape[0]), int(letters.shape[1])
    left, top = x - end * width, middle - height // 2
    shown = canvas[max(0, top) : top + height, max(0, left) : left + width]
    if left + width > 0 and top + height > 0 and shown.size:
        from_top, from_left = max(0, -top), max(0, -left)
        cover = letters[from_top : from_top + shown.shape[0], from_left:][:, : shown.shape[1]]
        ink = np.array(color, np.uint16)
        shown[:] = (shown * (255 - cover) + ink * cover + 127) // 255
    return width
