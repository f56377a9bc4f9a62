"""Cast shadows: the scene as a light sees it, in a small map of depths."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.picture.visibility import Number, visible

Array = NDArray[np.float32]

_0, _1, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_CENTRE = np.array((0.0, -0.2, -0.5))
_REACH = 1.9
_SKY = (0.0, 0.93, 0.37)


@dataclass(frozen=True)
class ShadowMap:
    """What a far light sees.

    Attributes:
        depth: (S, S) depth towards the light of the nearest surface, in texels; (0, 0) for none.
        frame: (4, 3) axes right, down and towards the light in texels; the last row holds the
            offset in x and y and the blur's step, in texels.
    """

    depth: Array
    frame: Array


NO_SHADOW = ShadowMap(np.zeros((0, 0), np.float32), np.zeros((4, 3), np.float32))


def shadow_map(
    point: Array,
    uv: Array,
    faces: NDArray[np.int32],
    two_sided: NDArray[np.bool_],
    cutout: NDArray[np.bool_],
    alpha: Array,
    direction: Array,
    *,
    size: int,
    softness: float,
) -> ShadowMap:
    """Look at the scene from a light.

    Args:
        point: (V, 3) decimetres in camera space.
        uv: (V, 2) place in the paint, in texels.
        faces: (F, 3) triangles.
        two_sided: (F,) as in ``Mesh``.
        cutout: (F,) as in ``Mesh``.
        alpha: (h, w) the paint's alpha.
        direction: (3,) unit vector towards the light.
        size: side of the map in texels.
        softness: radius of the blur, decimetres.
    """
    towards = direction.astype(np.float64)
    aside = np.array((0.0, 0.0, 1.0)) if abs(towards[1]) > 0.9 else np.array((0.0, 1.0, 0.0))
    right = np.cross(aside, towards)
    right /= np.sqrt((right * right).sum())
    down = -np.cross(towards, right)
    scale = size / (2 * _REACH)
    axes = np.zeros((4, 3))
    axes[:3] = np.stack([right, down, towards]) * scale
    axes[3, :2] = size / 2 - (axes[:2] * _CENTRE).sum(axis=1)
    axes[3, 2] = softness * scale / 2
    frame = axes.astype(np.float32)
    _, depth = visible(_seen_from(point, frame), uv, faces, two_sided, cutout, alpha, size, size)
    return ShadowMap(depth, frame)


def sky_map(
    point: Array,
    uv: Array,
    faces: NDArray[np.int32],
    two_sided: NDArray[np.bool_],
    cutout: NDArray[np.bool_],
    alpha: Array,
) -> ShadowMap:
    """What the sky overhead sees, blurred wide: the shade under hair, brow, nose and brims."""
    return shadow_map(
        point, uv, faces, two_sided, cutout, alpha, np.array(_SKY, np.float32), size=64,
        softness=0.22,
    )  # fmt: skip


def sky_share(point: Array, normal: Array, seen: ShadowMap) -> Array:
    """(V,) share of a light's rays that reach each vertex, whichever way it faces."""
    return _share_of_vertices(point, normal, seen.depth, seen.frame)


@numba.njit(cache=True, error_model="numpy", inline="always")
def shadow_share(shadow: Array, frame: Array, x: Number, y: Number, z: Number) -> Number:
    """Share of the key light that reaches a point, 0 to 1: a blurred look into the shadow map.

    Args:
        shadow: (S, S) depth towards the light of the nearest surface.
        frame: (4, 3) axes right, down and towards the light in texels; last row offset x, y and
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
def _seen_from(point: Array, frame: Array) -> Array:
    out = np.empty_like(point)
    for v in range(point.shape[0]):
        for k in range(3):
            value = frame[3, k] if k < 2 else np.float32(0)
            for j in range(3):
                value += frame[k, j] * point[v, j]
            out[v, k] = value
    return out


@numba.njit(cache=True, error_model="numpy")
def _share_of_vertices(point: Array, normal: Array, depth: Array, frame: Array) -> Array:
    share = np.empty(point.shape[0], np.float32)
    off = np.float32(0.08)
    for v in range(point.shape[0]):
        share[v] = shadow_share(
            depth,
            frame,
            point[v, 0] + off * normal[v, 0],
            point[v, 1] + off * normal[v, 1],
            point[v, 2] + off * normal[v, 2],
        )
    return share
