"""Pictures inside a page, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from PIL import Image

from norface.evaluation.predictions import Predictions
from norface.media.images import ImageError, read_image
from norface.results import UInt8Image

SIDE: Final = 168
"""Pixels of the longer side."""

PictureOf: TypeAlias = Callable[[int], UInt8Image | None]
"""From the number of a row to its picture (H, W, 3) uint8 RGB, or None where there is none."""


def pictures_below(predictions: Predictions, root: Path | None = None) -> PictureOf:
    """Read pictures, and frames of videos, from their paths.

    Args:
        predictions: the table.
        root: folder that relative paths start from; None for the present one.
    """

    def picture_of(row: int) -> UInt8Image | None:
        path = (root or Path()) / str(predictions.path[row])
        frame = int(predictions.frame[row])
        try:
            return read_image(path) if frame < 0 else _read_frame(path, frame)
        except (OSError, ImageError):
            return None

    return picture_of


def data_uri(picture: UInt8Image) -> str:
    """A picture (H, W, 3) uint8 RGB, made small, as JPEG in text."""
    small = Image.fromarray(picture)
    small.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _read_frame(path: Path, frame: int) -> UInt8Image | None:
    if not path.is_file():
        return None
    video = cv2.VideoCapture(str(path))
    try:
        video.set(cv2.CAP_PROP_POS_FRAMES, frame)
        read, picture = video.read()
    finally:
        video.release()
    return np.ascontiguousarray(picture[..., ::-1], np.uint8) if read else None
