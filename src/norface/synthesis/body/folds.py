"""The zones of the face where skin folds, and the lines along which it does, on the mean head."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.steps import smooth_step

Field = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]

GROOVE, RISE, DIMPLED, FLESHY = range(4)


@dataclass(frozen=True)
class Family:
    """A family of parallel lines in a zone. Lengths are in decimetres.

    Attributes:
        first, last: range across the lines within which they lie.
        start, end: range along the lines that they span.
        counts: fewest and most lines that a person has.
        width, depth: of one line at weight 1.
        kind: 0 grooves, 1 soft rises, 2 dimpled skin, 3 a groove beside fuller flesh.
        shared: whether the lines run over both halves of the face.
        lines_of: the family whose lines these are, if not its own.
    """

    first: float
    last: float
    start: float
    end: float
    counts: tuple[int, int]
    width: float
    depth: float
    kind: int = GROOVE
    shared: bool = False
    lines_of: str = ""


@dataclass(frozen=True)
class Zone:
    """Part of the skin that one set of actions folds.

    Attributes:
        family: name of its lines.
        side: ``"Left"``, ``"Right"`` or empty for both.
    """

    family: str
    side: str


_FOREHEAD = Family(0.30, 0.72, -0.52, 0.52, (2, 5), 0.020, 0.013, shared=True)
FAMILIES: Final = {
    "inner forehead": _FOREHEAD,
    "outer forehead": Family(
        0.30, 0.72, -0.52, 0.52, (2, 5), 0.020, 0.013, shared=True, lines_of="inner forehead"
    ),
    "glabella": Family(-0.012, 0.045, 0.06, 0.33, (1, 2), 0.014, 0.014),
    "crow's feet": Family(-0.09, 0.11, 0.03, 0.20, (2, 5), 0.009, 0.009),
    "under the eye": Family(-0.03, 0.06, 0.14, 0.52, (1, 3), 0.013, 0.009),
    "cheek": Family(0.10, 0.16, 0.17, 0.56, (1, 1), 0.05, 0.022, RISE),
    "nasolabial": Family(-0.008, 0.012, 0.0, 0.60, (1, 1), 0.026, 0.016, FLESHY),
    "smile": Family(-0.006, 0.010, 0.0, 0.48, (1, 1), 0.022, 0.014, FLESHY),
    "nose bridge": Family(-0.16, 0.05, -0.02, 0.13, (2, 4), 0.012, 0.010, shared=True),
    "chin": Family(0, 0, 0, 0, (0, 0), 0, 0, DIMPLED),
    "chin crease": Family(-0.015, 0.015, -0.05, 0.20, (1, 1), 0.022, 0.013, shared=True),
    "dimple": Family(-0.02, 0.035, 0.0, 0.15, (1, 2), 0.014, 0.012),
    "marionette": Family(-0.012, 0.012, 0.0, 0.21, (1, 1), 0.018, 0.011, FLESHY),
    "stretch": Family(0.0, 0.12, 0.0, 0.26, (1, 3), 0.014, 0.008),
    "lip": Family(0.0, 0.22, 0.0, 0.14, (4, 8), 0.007, 0.006),
    "lid crease": Family(-0.012, 0.012, 0.02, 0.42, (1, 1), 0.011, 0.010, shared=True),
}

ZONES: Final = (
    Zone("inner forehead", ""),
    *(Zone(name, side) for name in list(FAMILIES)[1:] for side in ("Left", "Right")),
)
"""Every zone; a left and a right one of each family but the inner forehead, which is one."""

# Guide lines on the left half of the mean head, (x, y).
_UNDER_EYE: Points = ((0.15, -0.06), (0.22, -0.11), (0.31, -0.13), (0.42, -0.11), (0.51, -0.05))
_NASOLABIAL: Points = (
    (0.14, -0.36), (0.17, -0.45), (0.22, -0.57), (0.28, -0.68), (0.315, -0.78), (0.32, -0.92),
)  # fmt: skip
# A smile pulls the skin out under its fold: this line becomes an arc round the lifted corner.
_SMILE: Points = (
    (0.159, -0.353), (0.232, -0.446), (0.282, -0.566), (0.306, -0.681), (0.33, -0.761),
    (0.364, -0.809),
)  # fmt: skip
_DIMPLE: Points = ((0.31, -0.65), (0.325, -0.72), (0.31, -0.80))
_MARIONETTE: Points = ((0.265, -0.76), (0.29, -0.84), (0.30, -0.97))
_STRETCH: Points = ((0.36, -0.60), (0.385, -0.73), (0.36, -0.86))
_CHIN_CREASE: Points = ((-0.05, -0.875), (0.05, -0.875), (0.13, -0.89), (0.20, -0.93))
_LID: Points = ((0.165, 0.01), (0.21, 0.065), (0.30, 0.10), (0.39, 0.085), (0.48, 0.02))


def local_coordinates(family: str, x: Field, y: Field, side: str) -> tuple[Field, Field, Field]:
    """Coordinates across and along a family's lines, and the share of a place in a zone.

    Args:
        family: name of the family.
        x: places on the mean head, decimetres, towards the person's left.
        y: places, upwards.
        side: ``"Left"``, ``"Right"`` or empty.
    """
    half = np.abs(x)
    across, along, near = _COORDINATES[family](half if family not in _WHOLE else x, y)
    mine = 1.0 if not side else smooth_step(-0.04, 0.04, x if side == "Left" else -x)
    return across, along, near * mine


_WHOLE = ("inner forehead", "outer forehead")


def _forehead(x: Field, y: Field, inner: bool) -> tuple[Field, Field, Field]:
    half = np.abs(x)
    # The lines dip in the middle and fall off at the temples.
    across = y - 0.06 * np.exp(-(((half - 0.24) / 0.15) ** 2)) + 0.25 * np.maximum(half - 0.3, 0)
    middle = np.exp(-((half / 0.27) ** 4))
    near = smooth_step(0.24, 0.30, y) * smooth_step(0.80, 0.72, y)
    return across, x, near * (middle if inner else (1 - middle) * smooth_step(0.64, 0.5, half))


def _path(points: Points, radius: float) -> Callable[[Field, Field], tuple[Field, Field, Field]]:
    """Coordinates about a guide line: across positive on its outer or lower side."""

    def coordinates(x: Field, y: Field) -> tuple[Field, Field, Field]:
        best = np.full_like(x, 9.0)
        across, along = np.full_like(x, 9.0), np.zeros_like(x)
        passed = 0.0
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            dx, dy = x1 - x0, y1 - y0
            length = float(np.sqrt(dx * dx + dy * dy))
            t = np.clip(((x - x0) * dx + (y - y0) * dy) / length**2, 0, 1)
            gx, gy = x - x0 - t * dx, y - y0 - t * dy
            gap = np.sqrt(gx * gx + gy * gy)
            closer = gap < best
            best = np.where(closer, gap, best)
            across = np.where(closer, gap * np.where(gy * dx - gx * dy < 0, 1, -1), across)
            along = np.where(closer, passed + t * length, along)
            passed += length
        return across, along, (best < radius).astype(np.float64)

    return coordinates


def _outer(points: Points, radius: float) -> Callable[[Field, Field], tuple[Field, Field, Field]]:
    """As ``_path`` for a line that runs down: its outer side is positive."""
    path = _path(points, radius)

    def coordinates(x: Field, y: Field) -> tuple[Field, Field, Field]:
        across, along, near = path(x, y)
        return -across, along, near

    return coordinates


def _glabella(x: Field, y: Field) -> tuple[Field, Field, Field]:
    across = x - 0.045 - 0.12 * np.maximum(y - 0.15, 0)
    return across, y, ((x < 0.16) & (y > 0.0) & (y < 0.40)).astype(np.float64)


def _crows_feet(x: Field, y: Field) -> tuple[Field, Field, Field]:
    dx, dy = x - 0.455, y - 0.0
    radius = np.sqrt(dx * dx + dy * dy)
    angle = np.arctan2(dy, np.maximum(dx, 1e-6))
    return 0.12 * angle, radius, ((dx > 0.02) & (radius < 0.24)).astype(np.float64)


def _cheek(x: Field, y: Field) -> tuple[Field, Field, Field]:
    across, _, _ = _path(_UNDER_EYE, 0.3)(x, y)
    return across, x, smooth_step(-0.09, -0.15, y) * (y > -0.42) * (x > 0.1)


def _nose_bridge(x: Field, y: Field) -> tuple[Field, Field, Field]:
    return y + 0.5 * x, x, ((x < 0.16) & (y > -0.30) & (y < 0.10)).astype(np.float64)


def _chin(x: Field, y: Field) -> tuple[Field, Field, Field]:
    near = np.exp(-((x / 0.17) ** 2) - ((y + 0.98) / 0.09) ** 2)
    return x, y, np.where(near > 0.03, near, 0.0)


def _lip(x: Field, y: Field) -> tuple[Field, Field, Field]:
    upper = (y > -0.69) & (y < -0.50)
    lower = (y < -0.80) & (y > -0.92)
    along = np.where(upper, y + 0.66, -0.81 - y)
    return x, along, ((upper | lower) & (x < 0.28)).astype(np.float64)


_COORDINATES: Final[dict[str, Callable[[Field, Field], tuple[Field, Field, Field]]]] = {
    "inner forehead": lambda x, y: _forehead(x, y, True),
    "outer forehead": lambda x, y: _forehead(x, y, False),
    "glabella": _glabella,
    "crow's feet": _crows_feet,
    "under the eye": _path(_UNDER_EYE, 0.14),
    "cheek": _cheek,
    "nasolabial": _outer(_NASOLABIAL, 0.16),
    "smile": _outer(_SMILE, 0.14),
    "nose bridge": _nose_bridge,
    "chin": _chin,
    "chin crease": _path(_CHIN_CREASE, 0.10),
    "dimple": _outer(_DIMPLE, 0.09),
    "marionette": _outer(_MARIONETTE, 0.12),
    "stretch": _outer(_STRETCH, 0.18),
    "lip": _lip,
    "lid crease": _path(_LID, 0.06),
}
