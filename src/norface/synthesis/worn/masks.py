"""Masks over nose and mouth."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.head import HeadModel
from norface.synthesis.body.scalp import over_head
from norface.synthesis.body.surface import Surface, grid_faces
from norface.synthesis.worn.pieces import one_colour, spread, tube

Array = NDArray[np.float32]

_ROWS, _COLUMNS = 19, 21


def mask_surfaces(
    head: HeadModel, canvas: Canvas, points: Array, mapped: Array, seed: int
) -> list[Surface]:
    """A mask stretched over nose, mouth and chin, and its loops around the ears.

    Args:
        head: the head model.
        canvas: where paint goes.
        points: (V, 3) the person's head with its expression.
        mapped: its map.
        seed: of its size.
    """
    random = np.random.default_rng([seed, 6])
    skin = points[head.vertices_of("skin")]
    middle = skin[(np.abs(skin[:, 0]) < 0.06) & (skin[:, 2] > -0.2)]
    chin = float(middle[:, 1].min())
    bend = np.linspace(-1, 1, _COLUMNS)[None]
    share = np.linspace(0, 1, _ROWS)[:, None]
    wide = float(random.uniform(0.56, 0.62))
    upper = float(random.uniform(-0.20, -0.12)) - 0.26 * np.abs(bend) ** 1.3
    lower = chin - 0.03 + 0.42 * np.abs(bend) ** 1.6
    x = wide * (bend + 0 * share)
    y = upper + share * (lower - upper)
    z = envelope(skin[skin[:, 2] > -0.9], x.astype(np.float32), y.astype(np.float32), 2.6)
    z = z + 0.025 + 0.02 * np.sin(np.pi * share)
    grid = np.stack([x, y, z], axis=-1)
    uv = spread(canvas, "mask", 0.5 + 0.5 * bend, share)
    cloth = Surface(grid.reshape(-1, 3).astype(np.float32), grid_faces(_ROWS, _COLUMNS), uv, "mask")
    return [cloth, *_loops(canvas, mapped, grid)]


def _loops(canvas: Canvas, mapped: Array, grid: NDArray[np.float64]) -> list[Surface]:
    surfaces = []
    for column, side in ((0, -1.0), (_COLUMNS - 1, 1.0)):
        for row, ear in ((1, 82.0), (_ROWS - 3, 112.0)):
            corner = grid[row, column]
            start = np.degrees(np.arccos((corner[1] - 0.15) / np.linalg.norm(corner - _CENTRE)))
            from_ = np.arctan2(side * corner[0], corner[2] + 0.75)
            t = np.linspace(0, 1, 8)
            around = (side * (from_ + t * (1.72 - from_))).astype(np.float32)[None]
            down = (start + t * (ear - start)).astype(np.float32)[None]
            lift = (0.035 + 0.10 * t**3).astype(np.float32)[None]
            path = over_head(around, down, lift, mapped)[0].astype(np.float64)
            path[0] = corner
            loop, faces = tube(path, 0.012, sides=4, across=(0.0, 1.0, 0.0))
            surfaces.append(Surface(loop, faces, one_colour(canvas, "mask", len(loop)), "mask"))
    return surfaces


_CENTRE = np.array((0.0, 0.15, -0.75))


@numba.njit(cache=True, error_model="numpy")
def envelope(points: Array, x: Array, y: Array, bend: float) -> NDArray[np.float64]:
    """(R, C) how far forward something lies over points that bends no more than a parabola.

    Args:
        points: (N, 3) of the skin.
        x: (R, C) where, across.
        y: (R, C) where, up.
        bend: of the parabola, per decimetre.
    """
    out = np.empty(x.shape)
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            best = -9.0
            for i in range(points.shape[0]):
                away = (points[i, 0] - x[row, column]) ** 2 + (points[i, 1] - y[row, column]) ** 2
                best = max(best, points[i, 2] - bend * away)
            out[row, column] = best
    return out
