"""Which triangle each sample of the picture shows: a z-buffer with cut-outs."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Number = Any
"""A number inside compiled code, of a type that only the compiler follows."""

HALF = np.float32(0.5)
ONE = np.float32(1.0)

# Thresholds of neighbouring samples differ, so that half-covered strands look soft.
_ORDER = np.array((1, 5, 7, 3, 13, 9, 11, 15, 4, 0, 2, 6, 8, 12, 14, 10), np.float32) / 16 + 1 / 32
_THRESHOLD = np.array((0.125, 0.625, 0.875, 0.375), np.float32)
_NUDGE = ((_ORDER - 0.5) * 0.2).astype(np.float32)


@numba.njit(cache=True, error_model="numpy")
def visible(
    position: Array,
    uv: Array,
    faces: NDArray[np.int32],
    two_sided: NDArray[np.bool_],
    cutout: NDArray[np.bool_],
    alpha: Array,
    height: int,
    width: int,
) -> tuple[NDArray[np.int32], Array]:
    """Find the nearest triangle of each sample.

    Args:
        position: (V, 3) x and y in samples, z growing towards the viewer.
        uv: (V, 2) place in the paint, in texels.
        faces: (F, 3) triangles; front faces turn clockwise on the picture, whose y points down.
        two_sided: (F,) whether back faces are seen.
        cutout: (F,) whether ``alpha`` cuts holes; partial alpha covers part of the samples.
        alpha: (h, w) the paint's alpha.
        height: samples down.
        width: samples across.

    Returns:
        (height, width) triangle of each sample, -1 for none; and its depth.
    """
    depth = np.full((height, width), np.float32(-1e9), np.float32)
    owner = np.full((height, width), np.int32(-1), np.int32)
    last_row, last_column = alpha.shape[0] - 1, alpha.shape[1] - 1
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        xa, ya = position[a, 0], position[a, 1]
        xb, yb = position[b, 0], position[b, 1]
        xc, yc = position[c, 0], position[c, 1]
        area = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
        if area == 0 or (area > 0 and not two_sided[f]):
            continue
        left = max(int(np.ceil(min(xa, xb, xc) - HALF)), 0)
        right = min(int(np.floor(max(xa, xb, xc) - HALF)), width - 1)
        top = max(int(np.ceil(min(ya, yb, yc) - HALF)), 0)
        bottom = min(int(np.floor(max(ya, yb, yc) - HALF)), height - 1)
        if left > right or top > bottom:
            continue
        inverse = ONE / area
        za, zb, zc = position[a, 2], position[b, 2], position[c, 2]
        cut = cutout[f]
        for y in range(top, bottom + 1):
            py = np.float32(y) + HALF
            for x in range(left, right + 1):
                px = np.float32(x) + HALF
                wa = ((xb - px) * (yc - py) - (yb - py) * (xc - px)) * inverse
                wb = ((xc - px) * (ya - py) - (yc - py) * (xa - px)) * inverse
                wc = ONE - wa - wb
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                z = wa * za + wb * zb + wc * zc
                if z <= depth[y, x]:
                    continue
                if cut:
                    u = wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]
                    v = wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]
                    iu = min(max(int(u), 0), last_column - 1)
                    iv = min(max(int(v), 0), last_row - 1)
                    fu = min(max(u - np.float32(iu), np.float32(0)), ONE)
                    fv = min(max(v - np.float32(iv), np.float32(0)), ONE)
                    cover = (alpha[iv, iu] * (ONE - fu) + alpha[iv, iu + 1] * fu) * (ONE - fv) + (
                        alpha[iv + 1, iu] * (ONE - fu) + alpha[iv + 1, iu + 1] * fu
                    ) * fv
                    shift = ((y >> 1) & 3) * 4 + ((x >> 1) & 3)
                    turn = (2 * (y & 1) + (x & 1) + shift) & 3
                    if cover <= _THRESHOLD[turn] + _NUDGE[shift]:
                        continue
                depth[y, x] = z
                owner[y, x] = f
    return owner, depth


def visible_vertices(
    position: Array,
    faces: NDArray[np.int32],
    two_sided: NDArray[np.bool_],
    height: int,
    width: int,
    *,
    slack: float = 1.0,
) -> NDArray[np.bool_]:
    """Which vertices are seen: inside the picture, and nothing solid in front.

    Args:
        position: (V, 3) x and y in pixels, z growing towards the viewer.
        faces: (F, 3) triangles; leave out those that are cut out of their paint.
        two_sided: (F,) whether back faces hide what is behind.
        height: of the picture, pixels.
        width: of the picture, pixels.
        slack: depth by which a vertex may lie behind the surface, in units of z.

    Returns:
        (V,) booleans.
    """
    uv = np.zeros((len(position), 2), np.float32)
    solid = np.zeros(len(faces), np.bool_)
    _, depth = visible(
        position, uv, faces, two_sided, solid, np.ones((2, 2), np.float32), height, width
    )
    column, row = np.floor(position[:, 0]).astype(int), np.floor(position[:, 1]).astype(int)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    nearest = depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.asarray(inside & (position[:, 2] >= nearest - slack))
