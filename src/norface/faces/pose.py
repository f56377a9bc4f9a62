"""Head position, size and rotation from 478 landmarks, and the pose angles.

Axes are those of the picture throughout: x to the right, y down, z away from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from norface.faces.bundle import LANDMARK_COUNT, canonical_face
from norface.results import Pose

RIGID_WEIGHTS: Final = {
    # Eye corners.
    33: 2.0, 133: 2.0, 362: 2.0, 263: 2.0,
    # Ridge of the nose from between the eyes down, and its sides.
    168: 1.0, 6: 1.0, 197: 1.0, 195: 1.0, 122: 1.0, 351: 1.0, 193: 1.0, 417: 1.0, 188: 1.0,
    412: 1.0,
    # Base of the nose: gives the vertical scale, but a sneer moves it a little.
    2: 1.0,
    # Temples and the sides of the face before the ears: the depth that makes the yaw certain.
    127: 1.0, 356: 1.0, 234: 1.0, 454: 1.0, 162: 1.0, 389: 1.0, 21: 1.0, 251: 1.0, 54: 1.0,
    284: 1.0,
}  # fmt: skip
"""Landmarks that expressions hardly move, with their weight in the fit.

No mouth, brows, cheeks, chin or nostrils: these are what norface measures. No hairline: it
differs too much between people.
"""


_LEAST_SCALE: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class HeadFit:
    """Where the canonical head lies: ``landmark = scale * rotation @ canonical + translation``.

    Attributes:
        rotation: (3, 3) float64, a proper rotation.
        scale: pixels per canonical unit (about one centimetre), positive.
        translation: (3,) float64, in pixels.
    """

    rotation: NDArray[np.float64]
    scale: float
    translation: NDArray[np.float64]

    def to_picture(self, canonical: ArrayLike) -> NDArray[np.float64]:
        """Canonical positions (..., 3) as they lie in the picture."""
        turned = np.asarray(canonical, np.float64) @ self.rotation.T
        return np.asarray(self.scale * turned + self.translation, np.float64)

    def to_canonical(self, points: ArrayLike) -> NDArray[np.float64]:
        """Picture positions (..., 3) in the head's own axes."""
        offset = np.asarray(points, np.float64) - self.translation
        return np.asarray(offset @ self.rotation / self.scale, np.float64)

    @property
    def pose(self) -> Pose:
        """The rotation as angles."""
        return pose_from_rotation(self.rotation)


def fit_head(points: ArrayLike) -> HeadFit:
    """Least-squares similarity in 3-D from the canonical face to the rigid landmarks.

    Args:
        points: (478, 3) landmarks in pixels, z in the scale of x.

    Raises:
        ValueError: when ``points`` has another shape, is not finite, or is a single spot.
    """
    landmarks = np.asarray(points, np.float64)
    if landmarks.shape != (LANDMARK_COUNT, 3):
        raise ValueError(f"expected landmarks of shape (478, 3), got {landmarks.shape}")
    indices, weights, centre, centred = _rigid_template()
    seen = landmarks[indices]
    if not np.isfinite(seen).all():
        raise ValueError("landmarks are not finite")
    middle = weights @ seen
    # Kabsch and Umeyama: the rotation is the polar factor of the weighted cross-covariance.
    covariance = (seen - middle).T @ (centred * weights[:, None])
    left, singular, right = np.linalg.svd(covariance)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * signs) @ right
    scale = float(singular @ signs / (weights @ (centred**2).sum(axis=1)))
    if scale < _LEAST_SCALE:
        raise ValueError("landmarks do not form a face")
    return HeadFit(rotation, scale, middle - scale * rotation @ centre)


def pose_from_rotation(rotation: ArrayLike) -> Pose:
    """Angles in degrees of a (3, 3) rotation; the inverse of `rotation_from_pose`."""
    matrix = np.asarray(rotation, np.float64)
    # matrix = Rz(roll) Ry(-yaw) Rx(-pitch), the plain axis rotations in picture axes.
    yaw = np.arcsin(np.clip(matrix[2, 0], -1.0, 1.0))
    pitch = -np.arctan2(matrix[2, 1], matrix[2, 2])
    roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    pitch, yaw, roll = (float(angle) for angle in np.degrees([pitch, yaw, roll]))
    return Pose(pitch=pitch, yaw=yaw, roll=roll)


def rotation_from_pose(pose: Pose) -> NDArray[np.float64]:
    """The (3, 3) rotation that first pitches, then yaws, then rolls in the picture's plane."""
    pitch, yaw, roll = np.radians([pose.pitch, pose.yaw, pose.roll])
    cp, sp, cy, sy, cr, sr = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    up = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    turn = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(tilt @ turn @ up, np.float64)


@lru_cache(maxsize=1)
def _rigid_template() -> tuple[
    NDArray[np.intp], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]:
    indices = np.array(list(RIGID_WEIGHTS), np.intp)
    weights = np.array(list(RIGID_WEIGHTS.values()))
    weights /= weights.sum()
    rigid = canonical_face()[indices]
    centre = weights @ rigid
    return indices, weights, centre, rigid - centre
