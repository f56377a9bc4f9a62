"""Pieces that worn things are made of: tubes, strips and patches of one colour."""

from __future__ import annotations

import math
from typing import Any

import numba
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
    middle = np.ascontiguousarray(path, np.float64)
    around = np.full(len(path), radius) if isinstance(radius, float) else radius
    points = _sweep(middle, np.ascontiguousarray(around, np.float64), sides, flat, across)
    return points, grid_faces(len(path), sides + 1)


@numba.njit(cache=True, error_model="numpy")
def _sweep(
    path: NDArray[np.float64],
    radius: NDArray[np.float64],
    sides: int,
    flat: float,
    across: tuple[float, float, float],
) -> Array:
    count = path.shape[0]
    points = np.empty((count * (sides + 1), 3), np.float32)
    ax, ay, az = across
    for i in range(count):
        before, after = max(i - 1, 0), min(i + 1, count - 1)
        x, y, z = path[after] - path[before]
        ux, uy, uz = ay * z - az * y, az * x - ax * z, ax * y - ay * x
        length = math.sqrt(ux * ux + uy * uy + uz * uz) + 1e-9
        ux, uy, uz = ux / length, uy / length, uz / length
        vx, vy, vz = y * uz - z * uy, z * ux - x * uz, x * uy - y * ux
        length = math.sqrt(vx * vx + vy * vy + vz * vz) + 1e-9
        vx, vy, vz = vx / length, vy / length, vz / length
        for k in range(sides + 1):
            angle = 2 * math.pi * k / sides
            a, b = radius[i] * math.cos(angle), radius[i] * flat * math.sin(angle)
            points[i * (sides + 1) + k, 0] = path[i, 0] + a * ux + b * vx
            points[i * (sides + 1) + k, 1] = path[i, 1] + a * uy + b * vy
            points[i * (sides + 1) + k, 2] = path[i, 2] + a * uz + b * vz
    return points


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
