"""What lies under a sample of the picture: its place on a triangle, and the paint there."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.picture.visibility import Number

Array = NDArray[np.float32]

_0, _1, _HALF = np.float32(0), np.float32(1), np.float32(0.5)


@numba.njit(cache=True, error_model="numpy", inline="always")
def height_of(paint: Array, u: Number, v: Number) -> Number:
    """The paint's height, linear between texels."""
    iu, iv = int(u), int(v)
    fu, fv = u - np.float32(iu), v - np.float32(iv)
    return (paint[iv, iu, 4] * (_1 - fu) + paint[iv, iu + 1, 4] * fu) * (_1 - fv) + (
        paint[iv + 1, iu, 4] * (_1 - fu) + paint[iv + 1, iu + 1, 4] * fu
    ) * fv


@numba.njit(cache=True, error_model="numpy", inline="always")
def add_texel(paint: Array, u: Number, v: Number, weight: Number, texel: Array) -> None:
    """Add weighted colour and gloss, linear between texels."""
    iu, iv = int(u), int(v)
    fu, fv = u - np.float32(iu), v - np.float32(iv)
    w00, w01 = (_1 - fu) * (_1 - fv) * weight, fu * (_1 - fv) * weight
    w10, w11 = (_1 - fu) * fv * weight, fu * fv * weight
    for k in range(4):
        texel[k] += (
            w00 * paint[iv, iu, k]
            + w01 * paint[iv, iu + 1, k]
            + w10 * paint[iv + 1, iu, k]
            + w11 * paint[iv + 1, iu + 1, k]
        )


@numba.njit(cache=True, error_model="numpy", inline="always")
def spread_texel(paint: Array, u: Number, v: Number, span: Number, texel: Array) -> None:
    """The paint around a place, over the ``span`` texels that half a pixel covers."""
    if span <= np.float32(1.05):
        add_texel(paint, u, v, _1, texel)
        return
    reach = min(span, np.float32(6)) * _HALF
    quarter = np.float32(0.25)
    right, bottom = np.float32(paint.shape[1] - 2.01), np.float32(paint.shape[0] - 2.01)
    u0, u1 = max(u - reach, _0), min(u + reach, right)
    v0, v1 = max(v - reach, _0), min(v + reach, bottom)
    add_texel(paint, u0, v0, quarter, texel)
    add_texel(paint, u1, v0, quarter, texel)
    add_texel(paint, u0, v1, quarter, texel)
    add_texel(paint, u1, v1, quarter, texel)


@numba.njit(cache=True, error_model="numpy", inline="always")
def interpolate(
    position: Array,
    point: Array,
    normal: Array,
    uv: Array,
    occlusion: Array,
    faces: NDArray[np.int32],
    f: int,
    px: Number,
    py: Number,
    out: Array,
    into: int,
    edge_u: Number,
    edge_v: Number,
) -> Number:
    """Fill a row of ``out`` with normal, uv, occlusion and point; texels that a sample spans."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    xa, ya = position[a, 0], position[a, 1]
    xb, yb = position[b, 0], position[b, 1]
    xc, yc = position[c, 0], position[c, 1]
    inverse = _1 / ((xb - xa) * (yc - ya) - (yb - ya) * (xc - xa))
    wa = ((xb - px) * (yc - py) - (yb - py) * (xc - px)) * inverse
    wb = ((xc - px) * (ya - py) - (yc - py) * (xa - px)) * inverse
    wc = _1 - wa - wb
    for k in range(3):
        out[into, k] = wa * normal[a, k] + wb * normal[b, k] + wc * normal[c, k]
        out[into, 6 + k] = wa * point[a, k] + wb * point[b, k] + wc * point[c, k]
    u = wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]
    v = wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]
    out[into, 3] = min(max(u, _1), edge_u)
    out[into, 4] = min(max(v, _1), edge_v)
    out[into, 5] = wa * occlusion[a] + wb * occlusion[b] + wc * occlusion[c]
    ax, ay = (yb - yc) * inverse, (xc - xb) * inverse
    bx, by = (yc - ya) * inverse, (xa - xc) * inverse
    ua, ub = uv[a, 0] - uv[c, 0], uv[b, 0] - uv[c, 0]
    va, vb = uv[a, 1] - uv[c, 1], uv[b, 1] - uv[c, 1]
    across = max(abs(ax * ua + bx * ub), abs(ax * va + bx * vb))
    down = max(abs(ay * ua + by * ub), abs(ay * va + by * vb))
    return max(across, down)


@numba.njit(cache=True, error_model="numpy", inline="always")
def gradients(point: Array, uv: Array, a: int, b: int, c: int, out: Array) -> None:
    """How u and v grow along the triangle, per decimetre: (6,), mirrored paint included."""
    e1x, e1y, e1z = (
        point[b, 0] - point[a, 0],
        point[b, 1] - point[a, 1],
        point[b, 2] - point[a, 2],
    )
    e2x, e2y, e2z = (
        point[c, 0] - point[a, 0],
        point[c, 1] - point[a, 1],
        point[c, 2] - point[a, 2],
    )
    nx, ny, nz = e1y * e2z - e1z * e2y, e1z * e2x - e1x * e2z, e1x * e2y - e1y * e2x
    scale = _1 / (nx * nx + ny * ny + nz * nz + np.float32(1e-14))
    px, py, pz = e2y * nz - e2z * ny, e2z * nx - e2x * nz, e2x * ny - e2y * nx
    qx, qy, qz = ny * e1z - nz * e1y, nz * e1x - nx * e1z, nx * e1y - ny * e1x
    for k in range(2):
        d1 = (uv[b, k] - uv[a, k]) * scale
        d2 = (uv[c, k] - uv[a, k]) * scale
        out[3 * k] = d1 * px + d2 * qx
        out[3 * k + 1] = d1 * py + d2 * qy
        out[3 * k + 2] = d1 * pz + d2 * qz
