"""The same photo with another expression, roughly: lids, brows and mouth moved by a smooth warp.

Ours. If the target of a reconstruction is the very face itself, then a network that changes nothing
is right. With the target's expression disturbed, it has to read the original's to be right.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_GRID = 32
_LIDS, _LID_PARTNERS = (159, 386), (145, 374)
_CORNERS, _UPPER_LIPS, _LOWER_LIPS, _CHIN = (61, 291), (0, 13), (14, 17), 152
_BROWS = ((105, 107), (334, 336))


def disturb_expression(
    image: NDArray[np.uint8],
    points: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    strength: float = 1.0,
) -> NDArray[np.uint8]:
    """Move what expressions move, each by a random amount.

    Args:
        image: (S, S, 3) uint8, an aligned crop.
        points: (478, 2), its landmarks as shares of it.
        rng: source of chance.
        strength: of the movements; 0 leaves the picture as it is.

    Returns:
        (S, S, 3) uint8; what stands farther than the parts from the landmarks stays.
    """
    moved: list[tuple[int, float, float, float]] = []
    corner_lift, corner_width = rng.normal(0, 0.03), rng.normal(0, 0.02)
    lower, upper = rng.normal(0, 0.03), rng.normal(0, 0.012)
    brow = rng.normal(0, 0.02)
    # Both eyes mostly do the same.
    lid = rng.normal(0, 0.014)
    for side, corner in zip((-1.0, 1.0), _CORNERS, strict=True):
        moved.append((corner, side * corner_width, corner_lift + rng.normal(0, 0.01), 0.07))
    moved += [(index, 0.0, upper / 2, 0.05) for index in _UPPER_LIPS]
    moved += [(index, 0.0, lower / 2, 0.06) for index in _LOWER_LIPS]
    moved.append((_CHIN, 0.0, 0.8 * lower, 0.12))
    for pair in _BROWS:
        lift = brow + rng.normal(0, 0.008)
        moved += [(index, 0.0, lift / 1.5, 0.06) for index in pair]
    for upper_lid, lower_lid in zip(_LIDS, _LID_PARTNERS, strict=True):
        lift = lid + rng.normal(0, 0.005)
        moved += [(upper_lid, 0.0, lift, 0.035), (lower_lid, 0.0, -0.25 * lift, 0.035)]
    centres = points[[index for index, *_ in moved]].astype(np.float32)
    shift = strength * np.array([[dx, dy] for _, dx, dy, _ in moved], np.float32)
    radius = np.array([r for *_, r in moved], np.float32)
    axis = (np.arange(_GRID, dtype=np.float32) + 0.5) / _GRID
    squared = (axis[None, :, None] - centres[:, 0]) ** 2 + (
        axis[:, None, None] - centres[:, 1]
    ) ** 2
    field = np.exp(-squared / (2 * radius**2)) @ shift
    size = image.shape[0]
    field = cv2.resize(field * size, (size, size), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    out = cv2.remap(
        image, x - field[..., 0], y - field[..., 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(out, np.uint8)
