"""Triangles that carry paint, each belonging to one part of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.head import HeadModel

Array = NDArray[np.float32]

PARTS: Final = (
    "background", "skin", "eyes", "lips", "mouth", "hair", "cloth", "glasses", "covering",
    "mask", "hand",
)  # fmt: skip
"""Classes of the segmentation; the index is the value in the picture."""


@dataclass(frozen=True)
class Surface:
    """Triangles around the head.

    Attributes:
        points: (V, 3) in the head's axes, before the head is turned.
        faces: (F, 3) triangles, counter-clockwise seen from outside.
        uv: (V, 2) place in the paint, in texels.
        part: name in ``PARTS``, or (F,) indices into it.
        moves: whether it turns with the head.
        two_sided: whether it is seen from behind too.
        cutout: whether the paint's alpha cuts holes into it (hair, lashes).
    """

    points: Array
    faces: NDArray[np.int32]
    uv: Array
    part: str | NDArray[np.uint8]
    moves: bool = True
    two_sided: bool = True
    cutout: bool = False

    @property
    def part_indices(self) -> NDArray[np.uint8]:
        """The part of each triangle, or one for all."""
        if isinstance(self.part, str):
            return np.array(PARTS.index(self.part), np.uint8)
        return self.part


def head_surface(head: HeadModel, uv: Array, points: Array) -> Surface:
    """The head itself: skin, eyes, and the inside of the mouth."""
    names = {"skin": "skin", "socket": "skin", "eye_left": "eyes", "eye_right": "eyes"}
    of_region = np.array([PARTS.index(names.get(n, "mouth")) for n in head.region_names], np.uint8)
    return Surface(points, head.faces, uv, of_region[head.region], two_sided=False)


def grid_faces(rows: int, columns: int) -> NDArray[np.int32]:
    """Triangles of a rows x columns grid of points, row by row."""
    cell = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b, c, d = cell[:-1, :-1], cell[:-1, 1:], cell[1:, 1:], cell[1:, :-1]
    return np.concatenate(
        [np.stack([a, d, c], -1).reshape(-1, 3), np.stack([a, c, b], -1).reshape(-1, 3)]
    )


def vertex_normals(points: Array, faces: NDArray[np.int32]) -> Array:
    """(V, 3) unit normals, the area-weighted mean of each vertex's triangles."""
    return _vertex_normals(points, faces)


@numba.njit(cache=True, error_model="numpy")
def _vertex_normals(points: Array, faces: NDArray[np.int32]) -> Array:
    normal = np.zeros_like(points)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        px, py, pz = points[a, 0], points[a, 1], points[a, 2]
        ux, uy, uz = points[b, 0] - px, points[b, 1] - py, points[b, 2] - pz
        vx, vy, vz = points[c, 0] - px, points[c, 1] - py, points[c, 2] - pz
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in range(3):
            v = faces[f, corner]
            normal[v, 0] += nx
            normal[v, 1] += ny
            normal[v, 2] += nz
    for v in range(points.shape[0]):
        nx, ny, nz = normal[v, 0], normal[v, 1], normal[v, 2]
        length = np.sqrt(nx * nx + ny * ny + nz * nz)
        if length > 0:
            normal[v, 0], normal[v, 1], normal[v, 2] = nx / length, ny / length, nz / length
    return normal
