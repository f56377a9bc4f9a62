"""Maps of an aligned crop by its landmarks: where expressions show, and where no face is."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.data.crop_points import crop_points
from norface.faces.align import geometry
from norface.faces.bundle import canonical_face

_GRID = 32
# Eyes, brows, mouth and the folds beside it, with the radius that they reach.
_EXPRESSIVE: Final = {
    33: 0.05, 133: 0.05, 159: 0.05, 145: 0.05, 263: 0.05, 362: 0.05, 386: 0.05, 374: 0.05,
    105: 0.06, 107: 0.06, 334: 0.06, 336: 0.06, 61: 0.08, 291: 0.08, 13: 0.08, 14: 0.08,
    0: 0.08, 17: 0.08, 50: 0.07, 280: 0.07,
}  # fmt: skip
_FLOOR = 0.3
_JAW_DROP = 0.12
"""How far below the chin, as a share of the crop, an open mouth may bring it."""


@lru_cache(maxsize=1)
def frontal_points() -> NDArray[np.float32]:
    """(478, 2), landmarks of the canonical face from the front, as shares of the crop."""
    own = geometry(canonical_face())
    points: NDArray[np.float32] = crop_points(own[None], np.zeros(1), np.zeros(1))[0]
    return points


def expressive_map(points: NDArray[np.floating], size: int) -> NDArray[np.float32]:
    """How much each pixel tells of the expression, (size, size), mean 1, from points (478, 2)."""
    axis = (np.arange(_GRID, dtype=np.float32) + 0.5) / _GRID
    centres = points[list(_EXPRESSIVE)].astype(np.float32)
    radius = np.array(list(_EXPRESSIVE.values()), np.float32)
    squared = (axis[None, :, None] - centres[:, 0]) ** 2 + (
        axis[:, None, None] - centres[:, 1]
    ) ** 2
    found = _FLOOR + np.exp(-squared / (2 * radius**2)).max(axis=2)
    wide = cv2.resize(found, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide / wide.mean(), np.float32)


def background_map(points: NDArray[np.floating], size: int) -> NDArray[np.float32]:
    """1 where no face is, 0 on the face and below its chin, from points (478, 2) of the crop."""
    middle = points.mean(axis=0)
    # The landmarks end at the middle of the forehead's height and before the ears.
    spread = middle + (points - middle) * 1.12
    dropped = spread + np.array([0.0, _JAW_DROP])
    hull = cv2.convexHull((np.concatenate([spread, dropped]) * _GRID * 4).round().astype(np.int32))
    found = np.ones((_GRID * 4, _GRID * 4), np.float32)
    cv2.fillConvexPoly(found, hull, 0.0)
    return np.asarray(cv2.resize(found, (size, size), interpolation=cv2.INTER_AREA), np.float32)
