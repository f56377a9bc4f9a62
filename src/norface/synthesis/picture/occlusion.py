"""Light from around that hollows keep out."""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.head import HeadModel, head_model
from norface.synthesis.body.surface import vertex_normals
from norface.synthesis.picture.shadows import shadow_map, sky_share

Array = NDArray[np.float32]

_DIRECTIONS = 48


def ambient_occlusion(head: HeadModel, points: Array, normal: Array) -> Array:
    """Light from around that reaches each vertex: less in hollows, and inside the mouth.

    Args:
        head: the head model.
        points: (V, 3) vertices of the expression.
        normal: (V, 3) their unit normals.

    Returns:
        (V,) 0 to 1.
    """
    shade = _hollows(points, normal, head.faces, _standing_light())
    # Little light enters between lips that hardly part.
    opening = float(np.clip(head.lip_gap(points) / 0.1, 0.12, 1))
    lips_front = 0.22
    for name in ("mouth", "tongue", "teeth"):
        inside = head.vertices_of(name)
        inward = np.clip((lips_front - points[inside, 2]) / 0.35, 0, 1)
        shade[inside] = (0.95 - 0.8 * inward) * opening
    seam = _lip_seam()
    shade[seam] = np.minimum(shade[seam], 0.55)
    for side in ("left", "right"):
        # The shade of the lids is painted.
        shade[head.vertices_of(f"eye_{side}")] = 0.85
    return shade


@cache
def _lip_seam() -> NDArray[np.int32]:
    """Vertices where the lips turn into the mouth."""
    head = head_model()
    return np.intersect1d(head.vertices_of("skin"), head.vertices_of("mouth"))


@cache
def _standing_light() -> Array:
    """(V,) light from all around that reaches each vertex of the mean head without expression."""
    head = head_model()
    normal = vertex_normals(head.mean, head.faces)
    uv = np.zeros((len(head.mean), 2), np.float32)
    flags = np.zeros(len(head.faces), np.bool_)
    alpha = np.ones((2, 2), np.float32)
    light = np.zeros(len(head.mean))
    total = np.zeros(len(head.mean))
    for i in range(_DIRECTIONS):
        # A spiral of even steps over the sphere, more of it above than below.
        y = 1 - (i + 0.5) * 2 / _DIRECTIONS
        angle = i * 2.399963
        across = np.sqrt(1 - y * y)
        direction = np.array((across * np.cos(angle), y, across * np.sin(angle)), np.float32)
        facing = np.maximum((normal * direction).sum(axis=1), 0) * (0.75 + 0.25 * y)
        seen = shadow_map(
            head.mean, uv, head.faces, flags, flags, alpha, direction, size=128, softness=0.04
        )
        light += facing * sky_share(head.mean, normal, seen)
        total += facing
    share = light / np.maximum(total, 1e-6)
    return np.clip(0.12 + 0.93 * share, 0.15, 1).astype(np.float32)


@numba.njit(cache=True, error_model="numpy")
def _hollows(points: Array, normal: Array, faces: NDArray[np.int32], standing: Array) -> Array:
    """The standing light, less in the hollows of this face and expression."""
    neighbours = np.zeros((points.shape[0], 4), np.float32)
    for f in range(faces.shape[0]):
        for corner in range(3):
            v, w, u = faces[f, corner], faces[f, (corner + 1) % 3], faces[f, (corner + 2) % 3]
            for k in range(3):
                neighbours[v, k] += points[w, k] + points[u, k]
            neighbours[v, 3] += 2
    shade = np.empty(points.shape[0], np.float32)
    for v in range(points.shape[0]):
        count = max(neighbours[v, 3], np.float32(1))
        depth = np.float32(0)
        for k in range(3):
            depth += (neighbours[v, k] / count - points[v, k]) * normal[v, k]
        dark = np.float32(1) - np.float32(16) * max(depth, np.float32(0))
        shade[v] = standing[v] * min(max(dark, np.float32(0.4)), np.float32(1))
    return shade
