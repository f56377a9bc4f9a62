"""A small software renderer: triangles to shaded pixels, compiled by numba.

Two passes: a z-buffer that remembers the nearest triangle of each pixel, then one shading of each
visible pixel. Edges are smoothed by rendering larger and averaging (``supersample``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Lights:
    """Light on the scene, in linear units where 1 is white paper under the key light.

    Attributes:
        directions: (L, 3) unit vectors towards each light.
        colours: (L, 3) RGB of each light.
        sky, ground: (3,) RGB of the light from above and from below.
    """

    directions: Array
    colours: Array
    sky: Array
    ground: Array


@dataclass(frozen=True)
class Mesh:
    """A painted surface in camera space.

    Attributes:
        position: (V, 3) x and y in pixels of the picture, z growing towards the camera.
        normal: (V, 3) unit normals in the head's axes.
        uv: (V, 2) place in the paint, in texels.
        occlusion: (V,) share of the surrounding light that reaches the vertex.
        faces: (F, 3) triangles; back faces are skipped unless ``two_sided``.
        two_sided: (F,) whether each triangle is seen from behind too.
        cutout: (F,) whether the paint's alpha cuts holes into the triangle.
        part: (F,) index into ``PARTS``.
    """

    position: Array
    normal: Array
    uv: Array
    occlusion: Array
    faces: NDArray[np.int32]
    two_sided: NDArray[np.bool_]
    cutout: NDArray[np.bool_]
    part: NDArray[np.uint8]


def render(
    mesh: Mesh,
    paint: Array,
    lights: Lights,
    background: Array,
    *,
    supersample: int = 2,
) -> tuple[Array, NDArray[np.uint8]]:
    """Draw a mesh over a background.

    Args:
        mesh: the surface; positions in pixels of the background.
        paint: (h, w, 6) albedo RGB, gloss, height and alpha.
        lights: the light.
        background: (H, W, 3) RGB, 0 to 1, linear.
        supersample: side of the block of samples in each pixel.

    Returns:
        (H, W, 3) linear RGB, and (H, W) the part that each pixel shows.
    """
    height, width = background.shape[:2]
    position = mesh.position.copy()
    position[:, :2] *= supersample
    owner = _visible(
        position, mesh.faces, mesh.two_sided, height * supersample, width * supersample
    )
    linear = _shade(
        position,
        mesh.normal,
        mesh.uv,
        mesh.occlusion,
        mesh.faces,
        owner,
        paint,
        lights.directions,
        lights.colours,
        lights.sky,
        lights.ground,
        background,
        supersample,
    )
    middle = owner[supersample // 2 :: supersample, supersample // 2 :: supersample]
    return linear, np.where(middle < 0, 0, mesh.part[middle]).astype(np.uint8)


@numba.njit(cache=True, fastmath=True)
def _visible(
    position: Array,
    faces: NDArray[np.int32],
    two_sided: NDArray[np.bool_],
    height: int,
    width: int,
) -> NDArray[np.int32]:
    depth = np.full((height, width), np.float32(-1e9), np.float32)
    owner = np.full((height, width), np.int32(-1), np.int32)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        xa, ya = position[a, 0], position[a, 1]
        xb, yb = position[b, 0], position[b, 1]
        xc, yc = position[c, 0], position[c, 1]
        area = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
        # The picture's y axis points down, so front faces have a negative area.
        if area == 0 or (area > 0 and not two_sided[f]):
            continue
        left = max(int(np.ceil(min(xa, xb, xc) - 0.5)), 0)
        right = min(int(np.floor(max(xa, xb, xc) - 0.5)), width - 1)
        top = max(int(np.ceil(min(ya, yb, yc) - 0.5)), 0)
        bottom = min(int(np.floor(max(ya, yb, yc) - 0.5)), height - 1)
        inverse = np.float32(1.0) / area
        za, zb, zc = position[a, 2], position[b, 2], position[c, 2]
        for y in range(top, bottom + 1):
            py = y + np.float32(0.5)
            for x in range(left, right + 1):
                px = x + np.float32(0.5)
                wa = ((xb - px) * (yc - py) - (yb - py) * (xc - px)) * inverse
                wb = ((xc - px) * (ya - py) - (yc - py) * (xa - px)) * inverse
                wc = np.float32(1.0) - wa - wb
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                z = wa * za + wb * zb + wc * zc
                if z > depth[y, x]:
                    depth[y, x] = z
                    owner[y, x] = f
    return owner


@numba.njit(cache=True, fastmath=True)
def _shade(
    position: Array,
    normal: Array,
    uv: Array,
    occlusion: Array,
    faces: NDArray[np.int32],
    owner: NDArray[np.int32],
    paint: Array,
    directions: Array,
    colours: Array,
    sky: Array,
    ground: Array,
    background: Array,
    supersample: int,
) -> Array:
    height, width = background.shape[0], background.shape[1]
    rows, columns = paint.shape[0], paint.shape[1]
    picture = np.empty((height, width, 3), np.float32)
    share = np.float32(1.0 / (supersample * supersample))
    rgb = np.empty(3, np.float32)
    texel = np.empty(4, np.float32)
    for row in range(height):
        for column in range(width):
            rgb[:] = 0
            hits = 0
            for sy in range(supersample):
                for sx in range(supersample):
                    y, x = row * supersample + sy, column * supersample + sx
                    f = owner[y, x]
                    if f < 0:
                        continue
                    hits += 1
                    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
                    xa, ya = position[a, 0], position[a, 1]
                    xb, yb = position[b, 0], position[b, 1]
                    xc, yc = position[c, 0], position[c, 1]
                    inverse = np.float32(1.0) / ((xb - xa) * (yc - ya) - (yb - ya) * (xc - xa))
                    px, py = x + np.float32(0.5), y + np.float32(0.5)
                    wa = ((xb - px) * (yc - py) - (yb - py) * (xc - px)) * inverse
                    wb = ((xc - px) * (ya - py) - (yc - py) * (xa - px)) * inverse
                    wc = np.float32(1.0) - wa - wb
                    nx = wa * normal[a, 0] + wb * normal[b, 0] + wc * normal[c, 0]
                    ny = wa * normal[a, 1] + wb * normal[b, 1] + wc * normal[c, 1]
                    nz = wa * normal[a, 2] + wb * normal[b, 2] + wc * normal[c, 2]
                    length = np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-6)
                    nx, ny, nz = nx / length, ny / length, nz / length
                    if nz < 0 and (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa) > 0:
                        nx, ny, nz = -nx, -ny, -nz
                    u = wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]
                    v = wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]
                    u = min(max(u, np.float32(0)), np.float32(columns - 1.001))
                    v = min(max(v, np.float32(0)), np.float32(rows - 1.001))
                    iu, iv = int(u), int(v)
                    fu, fv = u - iu, v - iv
                    for k in range(4):
                        texel[k] = (paint[iv, iu, k] * (1 - fu) + paint[iv, iu + 1, k] * fu) * (
                            1 - fv
                        ) + (paint[iv + 1, iu, k] * (1 - fu) + paint[iv + 1, iu + 1, k] * fu) * fv
                    shadow = wa * occlusion[a] + wb * occlusion[b] + wc * occlusion[c]
                    up = np.float32(0.5) + np.float32(0.5) * ny
                    gloss = texel[3]
                    sharpness = np.float32(12.0) + np.float32(90.0) * gloss
                    for k in range(3):
                        light = (sky[k] * up + ground[k] * (1 - up)) * shadow
                        shine = np.float32(0.0)
                        for i in range(directions.shape[0]):
                            facing = (
                                nx * directions[i, 0]
                                + ny * directions[i, 1]
                                + nz * directions[i, 2]
                            )
                            # Light scatters in skin, red the farthest: wrap it round the edge.
                            wrap = np.float32(0.25) if k == 0 else np.float32(0.12)
                            lit = max((facing + wrap) / (1 + wrap), np.float32(0.0))
                            light += colours[i, k] * lit * (0.15 + 0.85 * shadow)
                            if facing > 0:
                                hx, hy = directions[i, 0], directions[i, 1]
                                hz = directions[i, 2] + np.float32(1.0)
                                norm = np.sqrt(hx * hx + hy * hy + hz * hz) + np.float32(1e-6)
                                dot = max((nx * hx + ny * hy + nz * hz) / norm, np.float32(0.0))
                                shine += colours[i, k] * dot**sharpness
                        rgb[k] += texel[k] * light + gloss * shine * shadow
            rest = supersample * supersample - hits
            for k in range(3):
                picture[row, column, k] = (rgb[k] + rest * background[row, column, k]) * share
    return picture
