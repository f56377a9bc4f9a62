"""The colour of what each pixel shows: paint, bumps, light, shine and shadow."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

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
_SMALL = np.float32(1e-6)
SKIN, EYES, LIPS, HAIR = 1, 2, 3, 5
"""Indices into ``PARTS`` that are shaded in their own way."""
_MAX_SLOPE = np.float32(1.2)


@numba.njit(cache=True, error_model="numpy")
def _lobe(cosine: Number, sharpness: Number) -> Number:
    """About ``cosine ** sharpness``, rational so that every machine computes the same."""
    ratio = cosine / (_HALF * sharpness * (_1 - cosine) + cosine + _SMALL)
    return ratio * ratio


@numba.njit(cache=True, error_model="numpy")
def shadow_share(shadow: Array, frame: Array, x: Number, y: Number, z: Number) -> Number:
    """Share of the key light that reaches a point, 0 to 1: a blurred look into the shadow map.

    Args:
        shadow: (S, S) depth towards the light of the nearest surface.
        frame: (4, 3) axes right, up and towards the light in texels; last row offset x, y and
            the blur's step in texels.
        x: of the point, in the axes of the frame.
        y: of the point.
        z: of the point.
    """
    size = shadow.shape[0]
    u = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z + frame[3, 0]
    v = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z + frame[3, 1]
    depth = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z
    step = frame[3, 2]
    lit = _0
    for i in range(-2, 3):
        for j in range(-2, 3):
            if i * i + j * j > 5:
                continue
            iu = int(u + np.float32(j) * step)
            iv = int(v + np.float32(i) * step)
            if iu < 0 or iv < 0 or iu >= size or iv >= size:
                lit += _1
            else:
                # A ramp, not a step: texels are coarse.
                gap = (depth + _1 - shadow[iv, iu]) * _HALF + _HALF
                lit += min(max(gap, _0), _1)
    return lit / np.float32(21)


@numba.njit(cache=True, error_model="numpy")
def _light_point(
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
        shadow: the key light's shadow map, see `shadow_share`; (0, 0) for none.
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
                    if shown == SKIN and lips.shape[0] > 0:
                        iu, iv = int(sample[middle, 3]), int(sample[middle, 4])
                        if iu < lips.shape[1] and lips[iv, iu] > _HALF:
                            shown = LIPS
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
                    _light_point(
                        sample, t, gradient, texel, bump_u, bump_v, part[f], back, directions,
                        colours, sky, ground, shadow, frame, rgb, _1 if whole else share,
                    )  # fmt: skip
            for k in range(3):
                picture[row, column, k] = rgb[k]
    return picture, parts
