"""Light from around that hollows keep out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.head import HeadModel
from norface.synthesis.body.surface import vertex_normals

Array = NDArray[np.float32]


def ambient_occlusion(head: HeadModel, points: Array) -> Array:
    """(V,) light from around that reaches each vertex: less in hollows, and inside the mouth."""
    neighbour_sum = np.zeros_like(points)
    count = np.zeros(len(points), np.float32)
    a, b, c = head.faces.T
    for one, two in ((a, b), (b, c), (c, a), (b, a), (c, b), (a, c)):
        for k in range(3):
            neighbour_sum[:, k] += np.bincount(one, points[two, k], len(points))
        count += np.bincount(one, minlength=len(points))
    hollow = neighbour_sum / np.maximum(count, 1)[:, None] - points
    normal = vertex_normals(points, head.faces)
    depth = np.einsum("vc,vc->v", hollow, normal)
    shade: Array = np.clip(1 - 22 * np.maximum(depth, 0), 0.35, 1).astype(np.float32)
    lips_front = 0.22
    # Little light enters between lips that hardly part.
    opening = np.clip(head.lip_gap(points) / 0.08, 0.1, 1)
    for name in ("mouth", "tongue", "teeth"):
        inside = head.vertices_of(name)
        inward = np.clip((lips_front - points[inside, 2]) / 0.35, 0, 1)
        shade[inside] = np.minimum(shade[inside], 0.95 - 0.75 * inward) * opening
    for name in ("eye_left", "eye_right"):
        ball = head.vertices_of(name)
        shade[ball] = np.clip(0.95 - 3.2 * (points[ball, 1] - points[ball, 1].mean()), 0.35, 0.95)
    return shade
