"""Where the eyes look, measured from the rotation of the eyeballs on the mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.head import HeadModel

Array = NDArray[np.float32]


def gaze_angles(head: HeadModel, neutral: Array, points: Array) -> NDArray[np.float64]:
    """(2, 2) yaw and pitch in degrees of the left and the right eye, against the head.

    Yaw is positive to the person's left, pitch upwards; the neutral eye looks straight ahead.

    Args:
        head: the head model.
        neutral: (V, 3) the person without any expression.
        points: (V, 3) the person with it.
    """
    result = np.empty((2, 2))
    for i, name in enumerate(("eye_left", "eye_right")):
        ball = head.vertices_of(name)
        before, after = (
            np.asarray(p[ball] - p[ball].mean(axis=0), float) for p in (neutral, points)
        )
        # The best rotation from one to the other (Kabsch); a ball has no mirror image to exclude.
        u, _, v = np.linalg.svd(before.T @ after)
        ahead = np.array((0.0, 0.0, 1.0)) @ u @ np.diag((1, 1, np.linalg.det(u @ v))) @ v
        result[i] = np.arctan2(ahead[0], ahead[2]), np.arcsin(np.clip(ahead[1], -1, 1))
    return np.rad2deg(result)
