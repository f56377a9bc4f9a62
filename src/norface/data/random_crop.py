"""Random crops, the whole augmentation of masked autoencoders."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.data.face_pictures import Framed

_RATIO = 4 / 3
"""The most that a crop is wider than high, or higher than wide."""


def random_resized_crop(
    face: Framed, rng: np.random.Generator, *, size: int, scale: tuple[float, float] = (0.2, 1.0)
) -> NDArray[np.uint8]:
    """A random rectangle of a face as a square, mirrored every second time.

    As in MAE's recipe (share of the area from 20% to all, sides up to 4 : 3), but the share is of
    the frame, while the rectangle may lie in the margin around it too: so whole faces stay
    frequent wherever the margin allows.

    Args:
        face: the picture.
        rng: source of chance; equal generators give equal crops.
        size: side of the result.
        scale: least and largest share of the frame's area.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    side = face.image.shape[0]
    frame = side - 2 * face.room
    share = rng.uniform(*scale)
    ratio = math.exp(rng.uniform(-math.log(_RATIO), math.log(_RATIO)))
    width, height = (
        max(1, min(side, round(frame * math.sqrt(share * r)))) for r in (ratio, 1 / ratio)
    )
    x, y = (int(rng.integers(0, side - length + 1)) for length in (width, height))
    mirrored = bool(rng.random() < 0.5)
    part = face.image[y : y + height, x : x + width]
    if mirrored:
        part = part[:, ::-1]
    how = cv2.INTER_AREA if size <= min(width, height) else cv2.INTER_CUBIC
    part = np.ascontiguousarray(part)
    return np.asarray(cv2.resize(part, (size, size), interpolation=how), np.uint8)
