"""Where the eyes look, from the landmarks of irises, lids and corners, by a model of the eyeball.

An eyeball turns about a centre that stands still in the head. Where the iris is seen against that
centre says which way the ball is turned. Only x and y of the landmarks count: the landmark
network's depth says little about an iris. The head's rotation says where the centre is seen, and
its scale how large the ball is.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from norface.faces.pose import HeadFit, fit_head
from norface.results import Direction, Gaze

BALL_RADIUS: Final = 12.0
IRIS_RADIUS: Final = 5.85
"""In millimetres; an iris is 11.7 across in nearly all people, which is MediaPipe Iris's measure of
distances as well."""

IRIS_DISTANCE: Final = math.sqrt(BALL_RADIUS**2 - IRIS_RADIUS**2)
"""In millimetres, from the centre of the ball to that of the iris."""

MILLIMETRES: Final = 9.0
"""In a unit of `fit_head`: over portraits, the landmarks' irises are 1.30 units across."""

BALL_CENTRE: Final = (1.6, -1.8, 6.4)
"""In millimetres from the middle between the corners of the eye: outwards, down, backwards.

Measured on portraits whose people nearly all look into the camera, so that the iris is seen
before the centre however the head is turned (``benchmarks/gaze.py portraits``).
"""

SHUT: Final = 0.13
"""Opening between the lids, in distances between the corners, under which an eye counts as shut."""

# Of the person's left eye and of the right one: the iris's centre, the inner and the outer corner,
# and three places along the upper lid and below them along the lower one.
_IRIS: Final = np.array((473, 468))
_INNER: Final = np.array((362, 133))
_OUTER: Final = np.array((263, 33))
_UPPER: Final = np.array(((385, 386, 387), (158, 159, 160)))
_LOWER: Final = np.array(((380, 374, 373), (153, 145, 144)))

_CENTRES: Final = np.array(BALL_CENTRE) / MILLIMETRES * ((1, 1, 1), (-1, 1, 1))
_DISTANCE: Final = IRIS_DISTANCE / MILLIMETRES


def estimate_gaze(points: ArrayLike, head: HeadFit | None = None) -> Gaze | None:
    """Where the eyes look.

    Args:
        points: (478, 3) landmarks in pixels, z in the scale of x.
        head: what `fit_head` makes of them, if it is known already.

    Returns:
        The direction of each eye that is open; None when neither is, or when no iris lies where an
        eyeball can show it.

    Raises:
        ValueError: the points are no landmarks of a face.
    """
    marks = np.asarray(points, np.float64)
    head = fit_head(marks) if head is None else head
    middle = (marks[_INNER, :2] + marks[_OUTER, :2]) / 2
    seen = (marks[_IRIS, :2] - middle) / head.scale - _CENTRES @ head.rotation[:2].T
    left, right = seen / _DISTANCE
    open_left, open_right = eye_openings(marks) >= SHUT
    gaze = Gaze(
        left=_direction(left) if open_left else None,
        right=_direction(right) if open_right else None,
    )
    return None if gaze.left is None and gaze.right is None else gaze


def eye_openings(points: ArrayLike) -> NDArray[np.float64]:
    """(2,) how far the person's left and right eye is open, 0 or more.

    The mean distance between the lids, in distances between the corners: about 0.3 of an eye at
    rest.

    Args:
        points: (478, 3) landmarks.
    """
    marks = np.asarray(points, np.float64)
    lids = np.linalg.norm(marks[_UPPER] - marks[_LOWER], axis=-1).mean(axis=-1)
    width = np.linalg.norm(marks[_INNER] - marks[_OUTER], axis=-1)
    return np.asarray(lids / np.maximum(width, 1e-9), np.float64)


def _direction(seen: NDArray[np.float64]) -> Direction | None:
    """The unit vector whose x and y (2,) are seen; None when they lie outside of the ball."""
    x, y = (float(part) for part in seen)
    toward = 1.0 - x * x - y * y
    return (x, y, -math.sqrt(toward)) if toward > 0 else None
