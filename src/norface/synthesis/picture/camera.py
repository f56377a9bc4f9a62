"""The camera: from points in space to pixels, and from light to sRGB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.results import Pose

Array = NDArray[np.float32]

PIVOT = np.array((0.0, -0.75, -0.85), np.float32)
_FACE_CENTRE = np.array((0.0, -0.33, 0.1), np.float32)


@dataclass(frozen=True)
class Camera:
    """Where the camera stands.

    Attributes:
        distance: to the face, decimetres.
        face_height: share of the picture's height from chin to hairline.
        centre: x and y of the face's centre, shares of the picture's width and height.
        warp: (2, 3) affine map of the pixels, applied last; None for none.
    """

    distance: float = 9.0
    face_height: float = 0.6
    centre: tuple[float, float] = (0.5, 0.5)
    warp: NDArray[np.float64] | None = None


def rotation(pose: Pose) -> Array:
    """(3, 3) rotation of the head: pitch first, then yaw, then roll."""
    pitch, yaw, roll = np.deg2rad((-pose.pitch, pose.yaw, -pose.roll))
    cx, sx, cy, sy, cz, sz = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, np.float32)


def focal_length(camera: Camera, neutral: Array, height: int) -> float:
    """Pixels a decimetre at unit distance, so that chin to hairline spans ``face_height``."""
    chin = neutral[np.abs(neutral[:, 0]) < 0.1, 1]
    span = 0.62 - max(float(chin.min()), -1.25)
    return camera.face_height * height / span * camera.distance


def project(
    points: Array, camera: Camera, scale: float, turn: Array, width: int, height: int
) -> Array:
    middle = (_FACE_CENTRE - PIVOT) @ turn.T + PIVOT
    # The camera looks straight ahead from the height of the face, as photographers do.
    inverse = 1.0 / (camera.distance + middle[2] - points[:, 2])
    x = camera.centre[0] * width + scale * (points[:, 0] - middle[0]) * inverse
    y = camera.centre[1] * height - scale * (points[:, 1] - middle[1]) * inverse
    if camera.warp is not None:
        matrix = camera.warp
        x, y = (matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] for i in (0, 1))
    return np.stack([x, y, inverse * 1000], axis=1).astype(np.float32)


def develop(linear: Array, face: Array, exposure: float) -> NDArray[np.uint8]:
    """Expose for the face as a camera does, and encode as sRGB."""
    height, width = linear.shape[:2]
    x0, y0 = np.clip(np.quantile(face[:, :2], 0.3, axis=0), 0, (width - 2, height - 2)).astype(int)
    x1, y1 = np.clip(
        np.quantile(face[:, :2], 0.7, axis=0), (x0 + 1, y0 + 1), (width, height)
    ).astype(int)
    level = linear[y0:y1, x0:x1].mean() + 1e-4
    # Half way only: dark skin stays darker than light skin.
    gain = (exposure / level) ** 0.55 * exposure**0.45 / 0.35**0.45
    value = np.clip(linear * gain, 0, 1)
    value = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(value * 255), np.uint8)
