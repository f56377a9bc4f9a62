"""Lashes: strips of strands on the rims of the lids, which move with the lids."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas, canvas
from norface.synthesis.body.eyes import Eyes
from norface.synthesis.body.head import head_model
from norface.synthesis.body.rims import BALL_RADIUS, lid_rims, rim_texels
from norface.synthesis.body.surface import Surface, grid_faces

Array = NDArray[np.float32]

_UPPER_ROWS = 0.625
"""Share of the lashes' tile, from its top, that holds the upper lashes, tips first."""


def lash_surfaces(sheet: Canvas, points: Array, eyes: Eyes) -> list[Surface]:
    """The lashes of both eyes, or nothing where there are none.

    Args:
        sheet: where paint goes.
        points: (V, 3) the person's head with the expression.
        eyes: the eyes.
    """
    if eyes.lashes == 0:
        return []
    head, strips = head_model(), []
    length = eyes.lash_length * (1 + 0.3 * eyes.mascara)
    for side, name in ((1, "eye_left"), (-1, "eye_right")):
        ball = points[head.vertices_of(name)]
        low, high = ball.min(axis=0), ball.max(axis=0)
        middle = 0.5 * (low + high).astype(np.float64)
        middle[2] = high[2] - BALL_RADIUS
        for upper, rim in enumerate(_lash_rims(side)[::-1]):
            root = points[rim].astype(np.float64)
            strips.append(_strip(root, middle, length, side, upper=bool(upper)))
    faces, uv = _strip_layout(sheet.size)
    return [Surface(np.concatenate(strips).astype(np.float32), faces, uv, "skin", cutout=True)]


def _lash_rims(side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Vertices that the upper and the lower lashes grow from: none at the corner of the nose."""
    rims = lid_rims(side, 3)
    return rims.upper[3:], rims.lower[5:]


@cache
def _strip_layout(size: int) -> tuple[NDArray[np.int32], Array]:
    """Triangles and places in the paint of the lower and upper strip of the left and right eye."""
    rows, columns = canvas(size).tile("lash")
    split = rows.start + int(_UPPER_ROWS * (rows.stop - rows.start))
    faces, places, first = [], [], 0
    for side in (1, -1):
        for upper, rim in enumerate(_lash_rims(side)[::-1]):
            root, tip = (split - 1, rows.start) if upper else (split, rows.stop - 1)
            u = np.linspace(columns.start, columns.stop - 1, len(rim))
            v = np.linspace(root, tip, 3)
            places.append(np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2))
            faces.append(grid_faces(3, len(rim)) + np.int32(first))
            first += 3 * len(rim)
    return np.concatenate(faces), np.concatenate(places).astype(np.float32)


def _strip(
    root: NDArray[np.float64],
    middle: NDArray[np.float64],
    length: float,
    side: int,
    *,
    upper: bool,
) -> NDArray[np.float64]:
    """(3 N, 3) roots, middles and tips of a row of lashes along the N roots."""
    t = np.linspace(0, 1, len(root))[:, None]
    outward = root - middle
    outward /= np.sqrt((outward**2).sum(1))[:, None]
    outer = np.array((side, 0.0, 0.0))
    up = np.array((0.0, 1.0, 0.0))
    fan = (1.1 * t - 0.35) * outer
    long = length * (0.55 + 0.45 * np.sin(math.pi * np.clip(0.15 + 0.75 * t, 0, 1)))
    if upper:
        # As the lid comes down over the ball its lashes turn downwards with it.
        raised = np.clip((outward[:, 1:2] + 0.3) / 0.4, 0, 1)
        middles = root + long * (0.5 * outward + 0.2 * fan + (0.28 * raised - 0.22) * up)
        tips = root + long * (0.78 * outward + 0.5 * fan + (0.85 * raised - 0.35) * up)
    else:
        middles = root + 0.4 * long * (0.5 * outward + 0.2 * fan - 0.15 * up)
        tips = root + 0.4 * long * (0.7 * outward + 0.5 * fan - 0.6 * up)
    return np.concatenate([root + 0.004 * outward, middles, tips])


def paint_lashes(paint: Array, sheet: Canvas, eyes: Eyes) -> None:
    """Strands into the lashes' tile, and the lash line onto the lids' skin."""
    if eyes.lashes == 0:
        return
    tile = paint[sheet.tile("lash")]
    rows, columns = tile.shape[:2]
    random = np.random.default_rng([eyes.seed, 6])
    count = columns // 2
    full = min(eyes.lashes * (1 + 0.35 * eyes.mascara), 1.0)
    split = int(_UPPER_ROWS * rows)
    for part, share in ((tile[:split][::-1], full), (tile[split:], 0.6 * full)):
        reach = random.uniform(0.5, 1, count) * (random.random(count) < share)
        way = (np.arange(len(part)) + 0.5)[:, None] / len(part)
        # Between two texels of a strand and none the cut is at a half: less alpha is thinner.
        alpha = (0.74 + 0.21 * eyes.mascara - 0.28 * way) * (way < reach)
        part[:, : 2 * count : 2, 5] = alpha
        part[:, 1 : 2 * count : 2, 5] = 0
        part[0, :, 5] = np.maximum(part[0, :, 5], 0.75 * share)
    tile[..., :3] = np.array(eyes.lash_colour) * (1 - 0.4 * eyes.mascara)
    tile[..., 3] = 0.1
    for rim, dark in (("upper lid", 0.75 * full), ("lower lid", 0.3 * full)):
        near = rim_texels(sheet.size, rim, 0.013)
        row, column = near.where.T
        paint[row, column, :3] *= 1 - dark * near.weight[:, None]
