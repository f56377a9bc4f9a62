"""The colour of what each pixel shows: its samples gathered, painted, bumped and lit."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.surface import PARTS
from norface.synthesis.picture.lighting import HAIR, light_point
from norface.synthesis.picture.texels import (
    add_texel,
    gradients,
    height_of,
    interpolate,
    spread_texel,
)
from norface.synthesis.picture.visibility import Number

Array = NDArray[np.float32]

_0, _1, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_SKIN, _LIPS = PARTS.index("skin"), PARTS.index("lips")


@numba.njit(cache=True, error_model="numpy")
def shade(
    position: Array,
    point: Array,
    normal: Array,
    uv: Array,
    occlusion: Array,
    faces: NDArray[np.int32],
    part: NDArray[np.uint8],
    owner: NDArray[np.int32],
    paint: Array,
    lips: Array,
    directions: Array,
    colours: Array,
    sky: Array,
    ground: Array,
    shadow: Array,
    frame: Array,
    bump: Number,
    background: Array,
    supersample: int,
) -> tuple[Array, NDArray[np.uint8]]:
    """Light every pixel; inside one surface the light is computed once a pixel.

    Args:
        position: (V, 3) x and y in samples of the picture, z growing towards the viewer.
        point: as in ``Mesh``.
        normal: as in ``Mesh``.
        uv: as in ``Mesh``.
        occlusion: as in ``Mesh``.
        faces: as in ``Mesh``.
        part: as in ``Mesh``.
        owner: (H s, W s) triangle of each sample, -1 for none.
        paint: (h, w, 6) the paint.
        lips: (h, h) how much of each texel of the skin is lip; (0, 0) for unknown.
        directions: as in ``Lights``.
        colours: as in ``Lights``.
        sky: as in ``Lights``.
        ground: as in ``Lights``.
        shadow: the key light's shadow map, see `shadows.shadow_share`; (0, 0) for none.
        frame: of the shadow map.
        bump: how much the paint's height tilts the surface, 1 as it is.
        background: (H, W, 3) linear RGB.
        supersample: samples along each side of a pixel.

    Returns:
        (H, W, 3) linear RGB and (H, W) part of each pixel.
    """
    height, width = background.shape[0], background.shape[1]
    count = supersample * supersample
    picture = np.empty((height, width, 3), np.float32)
    parts = np.zeros((height, width), np.uint8)
    share = _1 / np.float32(count)
    rgb = np.empty(3, np.float32)
    texel = np.empty(4, np.float32)
    gradient = np.empty(6, np.float32)
    # One row a sample, and the whole pixel's last.
    sample = np.empty((count + 1, 9), np.float32)
    seen = np.empty(count + 1, np.int32)
    edge_u, edge_v = np.float32(paint.shape[1] - 3.01), np.float32(paint.shape[0] - 3.01)
    middle = (supersample // 2) * (supersample + 1)
    centre = _HALF * np.float32(supersample)
    for row in range(height):
        for column in range(width):
            hits, same = 0, True
            s = 0
            for y in range(row * supersample, (row + 1) * supersample):
                for x in range(column * supersample, (column + 1) * supersample):
                    f = owner[y, x]
                    seen[s] = f
                    same = same and f == seen[0]
                    hits += f >= 0
                    s += 1
            for k in range(3):
                rgb[k] = np.float32(count - hits) * share * background[row, column, k]
            if hits > 0:
                left, top = np.float32(column * supersample), np.float32(row * supersample)
                span = _0
                whole: Number = hits == count
                if same:
                    span = interpolate(
                        position, point, normal, uv, occlusion, faces, seen[0], left + centre,
                        top + centre, sample, count, edge_u, edge_v,
                    )  # fmt: skip
                    sample[middle, 3], sample[middle, 4] = sample[count, 3], sample[count, 4]
                else:
                    for t in range(count):
                        if seen[t] >= 0:
                            interpolate(
                                position, point, normal, uv, occlusion, faces, seen[t],
                                left + np.float32(t % supersample) + _HALF,
                                top + np.float32(t // supersample) + _HALF,
                                sample, t, edge_u, edge_v,
                            )  # fmt: skip
                    for t in range(1, count):
                        if not whole:
                            break
                        du = abs(sample[t, 3] - sample[0, 3])
                        dv = abs(sample[t, 4] - sample[0, 4])
                        dz = abs(sample[t, 8] - sample[0, 8])
                        span = max(span, max(du, dv))
                        whole = (
                            part[seen[t]] == part[seen[0]]
                            and span < np.float32(12)
                            and dz < np.float32(0.08)
                        )
                    if whole:
                        for k in range(9):
                            total = _0
                            for t in range(count):
                                total += sample[t, k]
                            sample[count, k] = total * share
                f = seen[middle]
                if f >= 0:
                    shown = part[f]
                    if shown == _SKIN and lips.shape[0] > 0:
                        iu, iv = int(sample[middle, 3]), int(sample[middle, 4])
                        if iu < lips.shape[1] and lips[iv, iu] > _HALF:
                            shown = _LIPS
                    parts[row, column] = shown
                seen[count] = seen[0]
                for t in range(count if whole else 0, count + 1 if whole else count):
                    f = seen[t]
                    if f < 0:
                        continue
                    if span > np.float32(1.05) and whole and not same:
                        for k in range(4):
                            texel[k] = _0
                        for n in range(count):
                            add_texel(paint, sample[n, 3], sample[n, 4], share, texel)
                    else:
                        for k in range(4):
                            texel[k] = _0
                        spread_texel(paint, sample[t, 3], sample[t, 4], span, texel)
                    u, v = sample[t, 3], sample[t, 4]
                    bump_u = bump_v = _0
                    if bump > 0:
                        step = min(max(span, _HALF), _1)
                        bump_u = height_of(paint, u + step, v) - height_of(paint, u - step, v)
                        bump_v = height_of(paint, u, v + step) - height_of(paint, u, v - step)
                        bump_u *= bump * _HALF / step
                        bump_v *= bump * _HALF / step
                    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
                    if part[f] == HAIR or bump_u != _0 or bump_v != _0:
                        gradients(point, uv, a, b, c, gradient)
                    back = sample[t, 2] < 0 and (
                        (position[b, 0] - position[a, 0]) * (position[c, 1] - position[a, 1])
                        - (position[b, 1] - position[a, 1]) * (position[c, 0] - position[a, 0])
                        > 0
                    )
                    light_point(
                        sample, t, gradient, texel, bump_u, bump_v, part[f], back, directions,
                        colours, sky, ground, shadow, frame, rgb, _1 if whole else share,
                    )  # fmt: skip
            for k in range(3):
                picture[row, column, k] = rgb[k]
    return picture, parts
