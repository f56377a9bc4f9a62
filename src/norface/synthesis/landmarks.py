"""Points of the head that every sample's truth locates: named ones, and MediaPipe's 478."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.results import Pose
from norface.synthesis.body.head import head_model
from norface.synthesis.picture.camera import rotation

Array = NDArray[np.float32]

_LEFT: Final = {
    "eye_inner": (0.155, -0.02),
    "eye_outer": (0.475, 0.0),
    "eye_upper": (0.31, 0.03),
    "eye_lower": (0.31, -0.057),
    "brow_inner": (0.10, 0.18),
    "brow_middle": (0.33, 0.24),
    "brow_outer": (0.51, 0.19),
    "nose_wing": (0.17, -0.47),
    "cheek": (0.45, -0.35),
    "mouth_corner": (0.245, -0.735),
    "lip_upper_side": (0.10, -0.645),
    "lip_lower_side": (0.10, -0.84),
    "jaw": (0.55, -0.80),
}
_MIDDLE: Final = {
    "glabella": (0.0, 0.18),
    "nose_bridge": (0.0, -0.04),
    "nose_tip": (0.0, -0.42),
    "nose_base": (0.0, -0.53),
    "lip_upper": (0.0, -0.642),
    "lip_upper_inner": (0.0, -0.712),
    "lip_lower_inner": (0.0, -0.749),
    "lip_lower": (0.0, -0.846),
    "chin": (0.0, -1.02),
    "chin_bottom": (0.0, -1.14),
}

LANDMARK_NAMES: Final = (
    *(f"{name}_{side}" for name in _LEFT for side in ("left", "right")),
    *_MIDDLE,
)


@cache
def landmark_vertices() -> NDArray[np.int64]:
    """(36,) vertex of each name in ``LANDMARK_NAMES``: the nearest on the mean head's front."""
    head = head_model()
    skin = head.vertices_of("skin")
    front = skin[head.mean[skin, 2] > -0.45]
    places = [(s * x, y) for x, y in _LEFT.values() for s in (1, -1)]
    places += list(_MIDDLE.values())
    distance = np.linalg.norm(head.mean[front, None, :2] - np.array(places)[None], axis=-1)
    return np.asarray(front[distance.argmin(axis=0)], np.int64)


@cache
def landmark_places() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where MediaPipe's landmarks lie: (478, 3) vertices and (478, 3) weights that sum to 1.

    ``tools/fit_landmarks.py`` found them under the landmarks of many rendered people.
    """
    file = resources.files("norface.synthesis") / "assets/landmarks_478.npz"
    with file.open("rb") as stream, np.load(stream) as places:
        return places["vertices"].astype(np.int64), places["weights"].astype(np.float64)


def landmarks_478(vertices: Array, points: Array, pose: Pose) -> Array:
    """MediaPipe's 478 landmarks, seen or hidden, from the truth of a picture.

    Args:
        vertices: (V, 2) x, y in pixels of every vertex of the head.
        points: (V, 3) the head with its expression, before it is turned, decimetres.
        pose: how the head is turned.

    Returns:
        (478, 3) x and y in pixels; z in the same scale, smaller nearer, 0 the mean of all.
    """
    corner, weight = landmark_places()
    turned = (points @ rotation(pose).T).astype(np.float64)
    flat = vertices.astype(np.float64)
    spread = turned[:, :2].std(axis=0).sum()
    pixels_a_decimetre = flat.std(axis=0).sum() / spread
    x_y = (flat[corner] * weight[..., None]).sum(axis=1)
    z = -(turned[corner, 2] * weight).sum(axis=1) * pixels_a_decimetre
    return np.column_stack([x_y, z - z.mean()]).astype(np.float32)
