"""A person's head as a map of points around it, for everything that lies on or over the skin.

The map has a row for each angle from the crown and a column for each angle around the head, as seen
from a centre inside the mean head. Ears are left out: the map goes straight under them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.head import HeadModel, head_model

Array = NDArray[np.float32]

CENTRE: Final = (0.0, 0.15, -0.75)
STEP: Final = 4
"""Degrees between rows and between columns of the map."""

_ROWS, _COLUMNS = 42, 90


@cache
def _recipe() -> tuple[NDArray[np.int32], Array]:
    """(rows, columns, 6) head vertices and their weights for each point of the map."""
    head = head_model()
    kept = [head.region_names.index(n) for n in ("skin", "eye_left", "eye_right")]
    faces = np.ascontiguousarray(head.faces[np.isin(head.region, kept)])
    face, weight = _cast(head.mean.astype(np.float64), faces, np.array(CENTRE))
    index = np.where(face[..., None] >= 0, faces[face], 0).astype(np.int32)
    missed = np.argwhere(face < 0)
    skin = head.vertices_of("skin")
    outward = head.mean[skin] - np.array(CENTRE, np.float32)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    for row, column in missed:
        index[row, column] = skin[np.argmax(outward @ _direction(row, column))]
        weight[row, column] = (1, 0, 0)
    points = np.einsum("rck,rckd->rcd", weight, head.mean[index])
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    ear = (x > 0.70) & (y < 0.22) & (y > -0.62) & (z < -0.58) & (z > -1.32)
    index, weight = np.repeat(index, 2, axis=2), np.repeat(weight, 2, axis=2) * 0.5
    source_index, source_weight = index.copy(), weight.copy()
    for row in range(_ROWS):
        for column in np.flatnonzero(ear[row]):
            before = after = int(column)
            while ear[row, before]:
                before -= 1
            while ear[row, after % _COLUMNS]:
                after += 1
            share = (column - before) / (after - before)
            for side, other, part in ((0, before, 1 - share), (1, after % _COLUMNS, share)):
                index[row, column, side::2] = source_index[row, other, side::2]
                weight[row, column, side::2] = 2 * part * source_weight[row, other, side::2]
    return index, weight.astype(np.float32)


def _direction(row: int, column: int) -> NDArray[np.float64]:
    down, around = np.radians(row * STEP), np.radians(column * STEP - 180)
    return np.array([np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)])


@numba.njit(cache=True, error_model="numpy")
def _cast(
    points: NDArray[np.float64], faces: NDArray[np.int32], centre: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The farthest triangle hit by each ray from the centre, -1 for none, and where in it."""
    hit = np.full((_ROWS, _COLUMNS), -1, np.int32)
    weight = np.zeros((_ROWS, _COLUMNS, 3))
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            down = np.radians(row * STEP + 1e-3)
            around = np.radians(column * STEP - 180 + 1e-3)
            dx = np.sin(down) * np.sin(around)
            dy = np.cos(down)
            dz = np.sin(down) * np.cos(around)
            best = 0.0
            for f in range(faces.shape[0]):
                ax, ay, az = points[faces[f, 0]]
                ux, uy, uz = points[faces[f, 1]] - points[faces[f, 0]]
                vx, vy, vz = points[faces[f, 2]] - points[faces[f, 0]]
                px, py, pz = dy * vz - dz * vy, dz * vx - dx * vz, dx * vy - dy * vx
                det = ux * px + uy * py + uz * pz
                if abs(det) < 1e-12:
                    continue
                tx, ty, tz = centre[0] - ax, centre[1] - ay, centre[2] - az
                b = (tx * px + ty * py + tz * pz) / det
                qx, qy, qz = ty * uz - tz * uy, tz * ux - tx * uz, tx * uy - ty * ux
                c = (dx * qx + dy * qy + dz * qz) / det
                if b < 0 or c < 0 or b + c > 1:
                    continue
                away = (vx * qx + vy * qy + vz * qz) / det
                if away > best:
                    best = away
                    hit[row, column] = f
                    weight[row, column, 0] = 1 - b - c
                    weight[row, column, 1] = b
                    weight[row, column, 2] = c
    return hit, weight


def head_map(head: HeadModel, points: Array) -> Array:
    """(42, 90, 3) points of a person's skin around the head.

    Args:
        head: the head model.
        points: (V, 3) the person's head.
    """
    if len(points) != len(head.mean):
        raise ValueError(f"expected {len(head.mean)} points, got {len(points)}")
    return _gather(points, *_recipe())


@numba.njit(cache=True)
def _gather(points: Array, index: NDArray[np.int32], weight: Array) -> Array:
    rows, columns, count = index.shape
    out = np.zeros((rows, columns, 3), np.float32)
    for r in range(rows):
        for c in range(columns):
            for k in range(count):
                for d in range(3):
                    out[r, c, d] += weight[r, c, k] * points[index[r, c, k], d]
    return out


def over_head(around: NDArray[Any], down: NDArray[Any], lift: NDArray[Any], mapped: Array) -> Array:
    """Points over the skin.

    Args:
        around: (C,) or (R, C) angles around the head, radians: 0 before, pi/2 the person's left.
        down: (R, C) angles from the crown, degrees.
        lift: (R, C) decimetres away from the skin.
        mapped: the head's map.

    Returns:
        (R, C, 3) points.
    """
    shape = down.shape
    angles = np.ascontiguousarray(np.broadcast_to(around, shape), np.float32)
    lifts = np.ascontiguousarray(np.broadcast_to(lift, shape), np.float32)
    return _over(angles, np.ascontiguousarray(down, np.float32), lifts, mapped)


@numba.njit(cache=True, error_model="numpy")
def _over(around: Array, down: Array, lift: Array, mapped: Array) -> Array:
    rows, columns = down.shape
    out = np.empty((rows, columns, 3), np.float32)
    at = np.empty(3, np.float32)
    for r in range(rows):
        for c in range(columns):
            v = min(max(down[r, c] / STEP, 0.0), mapped.shape[0] - 1.001)
            u = (around[r, c] / np.pi * 180 + 180) / STEP % mapped.shape[1]
            iv, iu = int(v), int(u)
            fv, fu = v - iv, u - iu
            iu %= mapped.shape[1]
            ju = (iu + 1) % mapped.shape[1]
            length = 0.0
            for d in range(3):
                upper = mapped[iv, iu, d] * (1 - fu) + mapped[iv, ju, d] * fu
                lower = mapped[iv + 1, iu, d] * (1 - fu) + mapped[iv + 1, ju, d] * fu
                at[d] = upper * (1 - fv) + lower * fv
                length += (at[d] - CENTRE[d]) ** 2
            scale = 1 + lift[r, c] / np.sqrt(length)
            for d in range(3):
                out[r, c, d] = CENTRE[d] + (at[d] - CENTRE[d]) * scale
    return out
