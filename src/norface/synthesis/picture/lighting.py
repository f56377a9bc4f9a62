"""The light that leaves a point of a surface towards the viewer."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.surface import PARTS
from norface.synthesis.picture.shadows import shadow_share
from norface.synthesis.picture.visibility import Number

Array = NDArray[np.float32]

HAIR = PARTS.index("hair")
"""Index into ``PARTS`` of what shines in strands."""

_0, _1, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_SMALL = np.float32(1e-6)
_MAX_SLOPE = np.float32(1.2)


@numba.njit(cache=True, error_model="numpy", inline="always")
def _lobe(cosine: Number, sharpness: Number) -> Number:
    """About ``cosine ** sharpness``, rational so that every machine computes the same."""
    ratio = cosine / (_HALF * sharpness * (_1 - cosine) + cosine + _SMALL)
    return ratio * ratio


@numba.njit(cache=True, error_model="numpy", inline="always")
def light_point(
    sample: Array,
    at: int,
    gradient: Array,
    texel: Array,
    bump_u: Number,
    bump_v: Number,
    part: int,
    back: bool,
    directions: Array,
    colours: Array,
    sky: Array,
    ground: Array,
    shadow: Array,
    frame: Array,
    rgb: Array,
    weight: Number,
) -> None:
    """Add the light that leaves one row of ``sample`` towards the viewer to ``rgb``."""
    nx, ny, nz = sample[at, 0], sample[at, 1], sample[at, 2]
    length = _1 / (np.sqrt(nx * nx + ny * ny + nz * nz) + _SMALL)
    nx, ny, nz = nx * length, ny * length, nz * length
    if back:
        nx, ny, nz = -nx, -ny, -nz
    gx, gy, gz = nx, ny, nz
    if bump_u != _0 or bump_v != _0:
        tx = bump_u * gradient[0] + bump_v * gradient[3]
        ty = bump_u * gradient[1] + bump_v * gradient[4]
        tz = bump_u * gradient[2] + bump_v * gradient[5]
        steep = np.sqrt(tx * tx + ty * ty + tz * tz)
        ease = _1 / (_1 + max(steep - _HALF, _0) / _MAX_SLOPE)
        nx, ny, nz = nx - tx * ease, ny - ty * ease, nz - tz * ease
        length = _1 / (np.sqrt(nx * nx + ny * ny + nz * nz) + _SMALL)
        nx, ny, nz = nx * length, ny * length, nz * length
    near = sample[at, 5]
    up = _HALF + _HALF * ny
    gloss = texel[3]
    sharp = np.float32(14) + np.float32(90) * gloss
    wet = gloss * gloss * gloss * gloss
    tight = np.float32(40) + np.float32(160) * gloss + np.float32(1200) * wet
    edge = _1 - max(nz, _0)
    fresnel = edge * edge * edge * edge * edge
    strand = part == HAIR
    wrap_red = np.float32(0.25) if part != HAIR else np.float32(0.4)
    wrap_rest = np.float32(0.12) if part != HAIR else np.float32(0.4)
    mirror = gloss * near * (np.float32(0.04) + np.float32(0.35) * fresnel)
    red = (sky[0] * up + ground[0] * (_1 - up)) * (texel[0] * near + mirror)
    green = (sky[1] * up + ground[1] * (_1 - up)) * (texel[1] * near + mirror)
    blue = (sky[2] * up + ground[2] * (_1 - up)) * (texel[2] * near + mirror)
    for i in range(directions.shape[0]):
        lx, ly, lz = directions[i, 0], directions[i, 1], directions[i, 2]
        facing = nx * lx + ny * ly + nz * lz
        if facing < -wrap_red:
            continue
        reach = np.float32(0.15) + np.float32(0.85) * near
        if i == 0 and shadow.shape[0] > 0:
            turned = gx * lx + gy * ly + gz * lz
            # Where the surface turns away from the light, the wrap already darkens it.
            hard = min(max((turned + np.float32(0.1)) * np.float32(4), _0), _1)
            if hard > 0:
                off = np.float32(0.035)
                lit = shadow_share(
                    shadow,
                    frame,
                    sample[at, 6] + off * gx,
                    sample[at, 7] + off * gy,
                    sample[at, 8] + off * gz,
                )
                reach *= _1 - hard + hard * lit
        lit_red = max((facing + wrap_red) / (_1 + wrap_red), _0) * reach
        lit_rest = max((facing + wrap_rest) / (_1 + wrap_rest), _0) * reach
        shine = _0
        if facing > 0 and gloss > 0:
            hx, hy, hz = lx, ly, lz + _1
            norm = _1 / (np.sqrt(hx * hx + hy * hy + hz * hz) + _SMALL)
            if strand:
                # Strands run along the paint's rows of texels downwards.
                tx, ty, tz = gradient[3], gradient[4], gradient[5]
                lean = tx * nx + ty * ny + tz * nz
                tx, ty, tz = tx - lean * nx, ty - lean * ny, tz - lean * nz
                along = (tx * hx + ty * hy + tz * hz) * norm
                along *= along / (tx * tx + ty * ty + tz * tz + _SMALL)
                dot = np.sqrt(max(_1 - along, _0))
                shine = gloss * _HALF * _lobe(dot, np.float32(30)) * min(facing + facing, _1)
            else:
                dot = max((nx * hx + ny * hy + nz * hz) * norm, _0)
                away = _1 - (lx * hx + ly * hy + lz * hz) * norm
                bend = away * away * away * away * away
                shine = gloss * (
                    np.float32(0.6) * _lobe(dot, sharp)
                    + (np.float32(0.5) + np.float32(4) * wet) * _lobe(dot, tight)
                )
                shine *= _1 + np.float32(8) * bend
            shine *= reach * near
        red += colours[i, 0] * (texel[0] * lit_red + shine)
        green += colours[i, 1] * (texel[1] * lit_rest + shine)
        blue += colours[i, 2] * (texel[2] * lit_rest + shine)
    rgb[0] += red * weight
    rgb[1] += green * weight
    rgb[2] += blue * weight
