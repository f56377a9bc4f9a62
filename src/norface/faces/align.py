"""From a picture and 478 landmarks to an aligned crop, and to landmarks free of the head's pose.

Positions in a picture are continuous: (0, 0) is the outer corner of the first pixel, whose centre
lies at (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from norface.faces.bundle import canonical_face
from norface.faces.pose import HeadFit, fit_head

FRAME_CENTRE: Final = (0.0, 2.5, -3.0)
"""The canonical point at the crop's centre: between the eyes and the mouth, in mid-depth of the
visible face, so that a turned head stays in the middle."""

FRAME_SIDE: Final = 18.2
"""The crop's side in canonical units: from mid-forehead to below the chin of an open mouth."""

_OUTER_EYE_CORNERS: Final = (33, 263)


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """An aligned face.

    Attributes:
        image: (size, size, 3) uint8 RGB.
        matrix: (2, 3) float64, from positions in the picture to positions in the crop.
    """

    image: NDArray[np.uint8]
    matrix: NDArray[np.float64]


def align(image: NDArray[np.uint8], points: ArrayLike, size: int = 256) -> Aligned:
    """Cut out a face upright, centred and always in the same scale.

    Only a turn in the picture's plane, a scale and a shift are applied (a similarity); they come
    from a least-squares fit of a rigid head to landmarks that expressions do not move, so the
    frame stands still while the face moves in it.

    Args:
        image: (H, W, 3) uint8.
        points: (478, 3) landmarks in pixels of ``image``.
        size: side of the crop in pixels; the framing is the same for every size.
    """
    matrix = framing(fit_head(points), size)
    return Aligned(warp(image, matrix, size), matrix)


def geometry(points: ArrayLike) -> NDArray[np.float32]:
    """Landmarks with the head's position, size and rotation taken out.

    Args:
        points: (478, 3) landmarks in pixels, z in the scale of x.

    Returns:
        (478, 3) float32 in the head's own axes (x to the person's left, y down, z backwards), in
        units of the canonical distance between the outer eye corners; the origin is the middle of
        these corners on the canonical face.
    """
    canonical = canonical_face()
    right, left = (canonical[index] for index in _OUTER_EYE_CORNERS)
    own = fit_head(points).to_canonical(points)
    return np.asarray((own - (right + left) / 2) / np.linalg.norm(left - right), np.float32)


def framing(head: HeadFit, size: int) -> NDArray[np.float64]:
    """(2, 3) similarity from positions in the picture to positions in a crop of this size."""
    zoom = size / (FRAME_SIDE * head.scale)
    roll = np.radians(head.pose.roll)
    cosine, sine = zoom * np.cos(roll), zoom * np.sin(roll)
    x, y, _ = head.to_picture(FRAME_CENTRE)
    return np.array(
        [
            [cosine, sine, size / 2 - cosine * x - sine * y],
            [-sine, cosine, size / 2 + sine * x - cosine * y],
        ]
    )


def warp(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Resample ``image`` (H, W, 3) under a (2, 3) similarity into (size, size, 3).

    Outside the picture its border pixels are repeated. When shrinking, the region is first
    averaged over whole blocks, so that fine detail does not turn into noise.
    """
    height, width = image.shape[:2]
    inverse = np.linalg.inv(np.vstack([matrix, (0.0, 0.0, 1.0)]))[:2]
    corners = np.array([(0, 0, 1), (size, 0, 1), (0, size, 1), (size, size, 1)]) @ inverse.T
    step = max(1, int(np.hypot(*inverse[:, 0])))
    margin = 2 * step
    low = np.floor(corners.min(axis=0)).astype(int) - margin
    high = np.ceil(corners.max(axis=0)).astype(int) + margin
    x0, y0 = np.clip(low, 0, (width - 1, height - 1))
    x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (width, height))
    region = image[y0:y1, x0:x1]
    # From region pixels back to positions in the picture.
    origin, pixel = np.array([x0, y0], np.float64), np.ones(2)
    if step > 1:
        columns, rows = max(1, (x1 - x0) // step), max(1, (y1 - y0) // step)
        pixel = np.array([(x1 - x0) / columns, (y1 - y0) / rows])
        shrunk = cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA)
        region = np.asarray(shrunk, np.uint8)
    # OpenCV puts (0, 0) on the centre of the first pixel, norface on its corner.
    linear = matrix[:, :2] * pixel
    shift = matrix[:, :2] @ (origin + pixel / 2) + matrix[:, 2] - 0.5
    crop = cv2.warpAffine(
        np.ascontiguousarray(region),
        np.column_stack([linear, shift]),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop, np.uint8)
