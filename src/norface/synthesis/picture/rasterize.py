"""A small software renderer: triangles to shaded pixels, compiled by numba.

Two passes: a z-buffer that remembers the nearest triangle of each sample, then the light of each
visible pixel. Edges are smoothed by several samples a pixel (``supersample``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.picture.shading import shade
from norface.synthesis.picture.shadows import NO_SHADOW, shadow_map, sky_map, sky_share
from norface.synthesis.picture.visibility import visible

Array = NDArray[np.float32]

_NOTHING = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Lights:
    """Light on the scene, in linear units where 1 is white paper under the key light.

    Attributes:
        directions: (L, 3) unit vectors towards each light; the first is the key light.
        colours: (L, 3) RGB of each light.
        sky, ground: (3,) RGB of the light from above and from below.
        name: the kind of light, one of ``lights.KINDS`` when drawn by chance.
        softness: blur of the key light's shadow, decimetres; negative for no cast shadows.
    """

    directions: Array
    colours: Array
    sky: Array
    ground: Array
    name: str = "even"
    softness: float = 0.05


@dataclass(frozen=True)
class Mesh:
    """A painted surface in camera space.

    Attributes:
        position: (V, 3) x and y in pixels of the picture, z growing towards the camera.
        point: (V, 3) place after the head's turn, decimetres.
        normal: (V, 3) unit normals, in the axes of ``point``.
        uv: (V, 2) place in the paint, in texels.
        occlusion: (V,) share of the surrounding light that reaches the vertex.
        faces: (F, 3) triangles; back faces are skipped unless ``two_sided``.
        two_sided: (F,) whether each triangle is seen from behind too.
        cutout: (F,) whether the paint's alpha cuts holes into the triangle.
        part: (F,) index into ``PARTS``.
    """

    position: Array
    point: Array
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
    lips: Array = _NOTHING,
    bump: float = 1.0,
    shadows: bool = True,
) -> tuple[Array, NDArray[np.uint8]]:
    """Draw a mesh over a background.

    Args:
        mesh: the surface; positions in pixels of the background.
        paint: (h, w, 6) albedo RGB, gloss, height and alpha.
        lights: the light.
        background: (H, W, 3) RGB, 0 to 1, linear.
        supersample: side of the block of samples in each pixel.
        lips: (h, h) share of lip of each texel of the skin, for the segmentation.
        bump: how strongly the paint's height tilts the surface; 0 for a smooth one.
        shadows: whether the key light and the sky cast shadows.

    Returns:
        (H, W, 3) linear RGB, and (H, W) the part that each pixel shows.
    """
    height, width = background.shape[:2]
    position = mesh.position.copy()
    position[:, :2] *= supersample
    owner, _ = visible(
        position, mesh.uv, mesh.faces, mesh.two_sided, mesh.cutout, paint[..., 5],
        height * supersample, width * supersample,
    )  # fmt: skip
    cast, occlusion = NO_SHADOW, mesh.occlusion
    if shadows and lights.softness >= 0:
        triangles = mesh.uv, mesh.faces, mesh.two_sided, mesh.cutout, paint[..., 5]
        cast = shadow_map(
            mesh.point, *triangles, lights.directions[0], size=112 if height <= 200 else 160,
            softness=lights.softness,
        )  # fmt: skip
        share = sky_share(mesh.point, mesh.normal, sky_map(mesh.point, *triangles))
        occlusion = occlusion * (np.float32(0.55) + np.float32(0.45) * share)
    return shade(
        position, mesh.point, mesh.normal, mesh.uv, occlusion, mesh.faces, mesh.part, owner,
        paint, lips, lights.directions, lights.colours, lights.sky, lights.ground, cast.depth,
        cast.frame, np.float32(bump), background, supersample,
    )  # fmt: skip
