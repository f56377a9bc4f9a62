"""Copies, tiles and crops of a picture, as the face finder looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_COARSEST: Final = 96
"""Longest side of the smallest copy that is searched: a face may fill the whole picture."""

_LEVEL_STEP: Final = 3.0
TILE: Final = 512
"""Larger tiles need more memory and are slower, as they do not fit the processor's cache."""

TILE_OVERLAP: Final = 80
"""Pixels; a face up to this size lies whole in some tile, and larger ones are found at the next
coarser level."""


def levels(image: NDArray[np.uint8], finest: float) -> Iterator[NDArray[np.uint8]]:
    """Smaller copies of a picture, from the scale ``finest`` down to one of `_COARSEST` pixels."""
    height, width = image.shape[:2]
    last = _COARSEST / max(height, width)
    scale = min(finest, 1.0)
    level = image
    # Two levels that are nearly the same size would find the same.
    while scale > 1.2 * last:
        level = resized(level, round(width * scale), round(height * scale))
        yield level
        scale /= _LEVEL_STEP
    yield resized(level, round(width * last), round(height * last))


def resized(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) in another size, at least one pixel each way."""
    size = max(1, width), max(1, height)
    # Without averaging, stripes and other fine patterns turn into what looks like faces.
    how = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def tile_starts(length: int) -> list[int]:
    """Where tiles begin so that they cover a length and overlap enough."""
    if length <= TILE * 1.3:
        return [0]
    count = int(np.ceil((length - TILE) / (TILE - TILE_OVERLAP))) + 1
    return [round(start) for start in np.linspace(0, length - TILE, count)]


def square_crop(
    image: NDArray[np.uint8], box: NDArray[np.float64], margin: float, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int_], float]:
    """A square around a box, black outside the picture.

    Args:
        image: (H, W, 3) uint8.
        box: left, top, width, height, ...
        margin: side of the square in sides of the box.
        size: side of the result in pixels.

    Returns:
        (size, size, 3) uint8, the square's left and top in the picture, and the picture's pixels
        for one pixel of the result.
    """
    middle = box[:2] + box[2:4] / 2
    side = max(8, int(np.ceil(margin * box[2:4].max())))
    low = np.round(middle - side / 2).astype(int)
    high = low + side
    height, width = image.shape[:2]
    x0, y0 = np.clip(low, 0, (width, height))
    x1, y1 = np.clip(high, 0, (width, height))
    square = np.zeros((side, side, 3), np.uint8)
    square[y0 - low[1] : y1 - low[1], x0 - low[0] : x1 - low[0]] = image[y0:y1, x0:x1]
    return resized(square, size, size), low, side / size
