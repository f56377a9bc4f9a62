"""Pieces that worn things are made of: tubes, strips and patches of one colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.surface import Surface, grid_faces

Array = NDArray[np.float32]


def tube(
    path: NDArray[Any],
    radius: NDArray[Any] | float,
    *,
    sides: int = 6,
    flat: float = 1.0,
    across: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> tuple[Array, NDArray[np.int32]]:
    """Points (N x (sides + 1), 3) and triangles of a tube.

    Args:
        path: (N, 3) its middle line, decimetres.
        radius: of it, or (N,) at each point.
        sides: how many sides it has.
        flat: its extent along ``across`` as a share of the radius.
        across: a direction that the path never runs along.
    """
    along = np.gradient(path, axis=0)
    first = np.cross(np.array(across), along)
    first /= np.linalg.norm(first, axis=1, keepdims=True) + 1e-9
    second = np.cross(along, first)
    second /= np.linalg.norm(second, axis=1, keepdims=True) + 1e-9
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.cos(angle)[:, None] * first[:, None] + flat * np.sin(angle)[:, None] * second[:, None]
    points = path[:, None] + np.broadcast_to(radius, len(path))[:, None, None] * ring
    return points.reshape(-1, 3).astype(np.float32), grid_faces(len(path), sides + 1)


def one_colour(canvas: Canvas, tile: str, count: int) -> Array:
    """(count, 2) the middle texel of a tile, for pieces of one colour."""
    rows, columns = canvas.tile(tile)
    middle = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
    return np.tile(np.array(middle, np.float32), (count, 1))


def spread(canvas: Canvas, tile: str, across: NDArray[Any], along: NDArray[Any]) -> Array:
    """(N, 2) texels of a tile at places 0 to 1 in it; arrays are broadcast and flattened."""
    rows, columns = canvas.tile(tile)
    u = columns.start + 1 + across * (columns.stop - columns.start - 3)
    v = rows.start + 1 + along * (rows.stop - rows.start - 3)
    return np.stack(np.broadcast_arrays(u, v), axis=-1).reshape(-1, 2).astype(np.float32)


def join(
    canvas: Canvas, pieces: list[tuple[Array, NDArray[np.int32]]], tile: str, part: str
) -> Surface:
    """Several pieces of one colour as one surface."""
    faces, first = [], 0
    for points, triangles in pieces:
        faces.append(triangles + np.int32(first))
        first += len(points)
    whole = np.concatenate([points for points, _ in pieces])
    return Surface(whole, np.concatenate(faces), one_colour(canvas, tile, first), part)
