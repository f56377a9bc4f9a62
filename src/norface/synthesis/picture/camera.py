"""The camera: from points in space to pixels, and from light to sRGB."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

from norface.results import Pose
from norface.synthesis.picture.sensor import CLEAN, Sensor, add_noise, store, through_lens
from norface.synthesis.picture.visibility import Number

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
    cx, sx, cy, sy, cz, sz = (f(a) for a in (pitch, yaw, roll) for f in (math.cos, math.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    # Written out, as the order of a library's sums differs between machines.
    turn = sum(about_z[:, i, None] * sum(about_y[i, j] * about_x[j] for j in range(3))
               for i in range(3))  # fmt: skip
    return np.asarray(turn, np.float32)


def focal_length(camera: Camera, neutral: Array, height: int) -> float:
    """Pixels a decimetre at unit distance, so that chin to hairline spans ``face_height``."""
    chin = neutral[np.abs(neutral[:, 0]) < 0.1, 1]
    span = 0.62 - max(float(chin.min()), -1.25)
    return camera.face_height * height / span * camera.distance


def turned(points: Array, turn: Array, pivot: Array = PIVOT) -> Array:
    """(V, 3) points turned about the pivot."""
    return _turned(np.ascontiguousarray(points, np.float32), turn, pivot)


@numba.njit(cache=True, error_model="numpy")
def _turned(points: Array, turn: Array, pivot: Array) -> Array:
    out = np.empty_like(points)
    for v in range(points.shape[0]):
        for k in range(3):
            value = pivot[k]
            for j in range(3):
                value += turn[k, j] * (points[v, j] - pivot[j])
            out[v, k] = value
    return out


def project(
    points: Array, camera: Camera, scale: float, turn: Array, width: int, height: int
) -> Array:
    """(V, 3) x and y in pixels and nearness of turned points; larger is nearer."""
    middle = turned(_FACE_CENTRE[None], turn)[0]
    # The camera looks straight ahead from the height of the face, as photographers do.
    inverse = 1.0 / (camera.distance + middle[2] - points[:, 2])
    x = camera.centre[0] * width + scale * (points[:, 0] - middle[0]) * inverse
    y = camera.centre[1] * height - scale * (points[:, 1] - middle[1]) * inverse
    if camera.warp is not None:
        matrix = camera.warp
        x, y = (matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] for i in (0, 1))
    return np.stack([x, y, inverse * 1000], axis=1).astype(np.float32)


def develop(
    linear: Array, face: Array, exposure: float, sensor: Sensor = CLEAN
) -> NDArray[np.uint8]:
    """Expose for the face as a camera does, and encode as sRGB.

    Args:
        linear: (H, W, 3) linear RGB.
        face: (V, 2 or more) x and y of the face's vertices, to meter on.
        exposure: brightness of the face wanted, linear.
        sensor: the flaws of lens, sensor and file.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    height, width = linear.shape[:2]
    x0, y0 = np.clip(np.quantile(face[:, :2], 0.3, axis=0), 0, (width - 2, height - 2)).astype(int)
    x1, y1 = np.clip(
        np.quantile(face[:, :2], 0.7, axis=0), (x0 + 1, y0 + 1), (width, height)
    ).astype(int)
    level = float(linear[y0:y1, x0:x1].mean(dtype=np.float64)) + 1e-4
    # Half way only: dark skin stays darker than light skin.
    gain = (exposure / level) ** 0.55 * exposure**0.45 / 0.35**0.45
    exposed = add_noise(through_lens(linear, sensor) * np.float32(gain), sensor)
    return store(_encode(exposed, np.float32(sensor.contrast), _srgb()), sensor)


@cache
def _srgb() -> NDArray[np.uint8]:
    """(4097,) sRGB of linear values from 0 to 1, by their square root for steps as fine as eyes."""
    value = (np.arange(4097) / 4096) ** 2
    curve = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.floor(curve * 255 + 0.5).astype(np.uint8)


@numba.njit(cache=True, error_model="numpy")
def _encode(linear: Array, contrast: Number, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = linear.shape[:2]
    out = np.empty((height, width, 3), np.uint8)
    one, knee = np.float32(1), np.float32(0.6)
    room = one - knee
    for y in range(height):
        for x in range(width):
            for k in range(3):
                value = max(linear[y, x, k], np.float32(0))
                if value > knee:
                    # Highlights roll off instead of clipping to bare colours.
                    over = (value - knee) / room
                    value = knee + room * over / (one + over)
                root = np.sqrt(value)
                root += contrast * root * (one - root) * (root - np.float32(0.5))
                root = min(max(root, np.float32(0)), one)
                out[y, x, k] = table[int(root * np.float32(4096) + np.float32(0.5))]
    return out
