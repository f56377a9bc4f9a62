"""Where the landmarks of a sample lie in its aligned crop.

Shards keep landmarks without position, size and rotation; the crop's framing is fixed, so with the
head's angles they can be put back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from norface.faces.align import FRAME_CENTRE, FRAME_SIDE
from norface.faces.bundle import canonical_face

_OUTER_EYE_CORNERS = (33, 263)


def crop_points(geometry: ArrayLike, yaw: ArrayLike, pitch: ArrayLike) -> NDArray[np.float32]:
    """Landmarks in their crops.

    Args:
        geometry: (N, 478, 3), see `norface.faces.align.geometry`.
        yaw: (N,) in degrees.
        pitch: (N,) in degrees; the roll is taken out by the crop.

    Returns:
        (N, 478, 2), x and y as shares of the crop, (0, 0) its upper left corner.
    """
    right, left = (canonical_face()[index] for index in _OUTER_EYE_CORNERS)
    own = np.asarray(geometry, np.float64) * np.linalg.norm(left - right) + (right + left) / 2
    offset = own - np.array(FRAME_CENTRE)
    y, p = np.radians(np.asarray(yaw, np.float64)), np.radians(np.asarray(pitch, np.float64))
    cy, sy, cp, sp = np.cos(y), np.sin(y), np.cos(p), np.sin(p)
    # The two upper rows of `rotation_from_pose` without roll.
    across = np.stack([cy, sy * sp, -sy * cp], axis=-1)
    down = np.stack([np.zeros_like(cp), cp, sp], axis=-1)
    turned = np.einsum("nij,nkj->nki", np.stack([across, down], axis=1), offset)
    return np.asarray(turned / FRAME_SIDE + 0.5, np.float32)
