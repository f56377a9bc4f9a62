"""Hair, clothes and glasses: surfaces added around the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.canvas import Canvas
from norface.synthesis.head import HeadModel

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Style:
    """What surrounds the face.

    Attributes:
        volume: thickness of the hair above the scalp, decimetres; 0 for none.
        line: how far the hairline is moved up (positive) or down, decimetres.
        parting: -1 to 1, side to which the fringe falls.
        length: how far hair falls below the eyes, decimetres; 0 for short hair.
        collar: height of the clothes around the neck, decimetres above the chest.
        glasses: 0 none, 1 thin frame, 2 thick frame.
        frame: half width and half height of a glass, decimetres.
        frame_colour: linear RGB.
    """

    volume: float
    line: float
    parting: float
    length: float
    collar: float
    glasses: int
    frame: tuple[float, float]
    frame_colour: tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """Extra triangles: (V, 3) points, (F, 3) faces, (V, 2) uv, and whether the head carries it."""

    points: Array
    faces: NDArray[np.int32]
    uv: Array
    moves: bool


def scalp_weight(head: HeadModel, style: Style) -> Array:
    """(V,) 0 on bare skin to 1 where hair is full."""
    x, y, z = head.mean.T
    side = np.abs(x)
    line = 0.84 + style.line - 0.75 * side**2.2 + 0.10 * style.parting * x
    behind = np.clip((-0.62 - z) / 0.1, 0, 1)
    line = line * (1 - behind) + behind * np.minimum(line, 0.25 - 2.2 * np.maximum(-0.75 - z, 0))
    line = np.maximum(line, -0.75)
    weight = np.clip((y - line) / 0.16, 0, 1)
    bare = np.ones(len(x), np.bool_)
    bare[head.vertices_of("skin")] = False
    weight[bare] = 0
    ear = (side > 0.74) & (y < 0.2) & (z > -1.1)
    weight[ear] = 0
    return np.asarray(weight, np.float32)


def hair_cap(
    head: HeadModel, canvas: Canvas, points: Array, normals: Array, style: Style
) -> Surface:
    """Hair as a shell over the scalp, thickest on top."""
    weight = scalp_weight(head, style)
    faces = head.faces[(weight[head.faces] > 0).all(axis=1)]
    used, inverse = np.unique(faces, return_inverse=True)
    share = weight[used][:, None] ** 0.6
    x, y = head.mean[used, 0], head.mean[used, 1]
    bulge = 1 + 0.35 * np.clip(y - 0.5, 0, 1) + 0.25 * style.parting * np.sign(x) * np.abs(x)
    lift = style.volume * bulge[:, None] * share
    angle = np.arctan2(head.mean[used, 0], head.mean[used, 2] + 0.8)
    uv = _hair_uv(canvas, angle / np.pi * 0.5 + 0.5, 1 - np.clip((y + 0.8) / 2.0, 0, 1))
    shell = points[used] + normals[used] * lift + np.array((0, 0.3, 0)) * lift * 0.5
    return Surface(
        shell.astype(np.float32), inverse.reshape(-1, 3).astype(np.int32), uv, moves=True
    )


def long_hair(canvas: Canvas, points: Array, style: Style) -> Surface:
    """A curtain of hair that falls behind the face and beside it."""
    top, back = points[:, 1].max(), points[:, 2].min()
    half = np.abs(points[points[:, 1] > -0.6, 0]).max()
    rows, columns = 14, 33
    t = np.linspace(0, 1, rows)[:, None]
    phi = np.linspace(-1.98, 1.98, columns)[None]
    y = top * 0.93 - t * (top * 0.93 + style.length)
    swell = np.sqrt(np.clip(1 - ((y - 0.1) / (top * 1.02)) ** 2, 0.05, 1)) * (y > 0.1) + (y <= 0.1)
    fall = 1 + 0.12 * np.clip(-y / 1.5, 0, 1.2)
    x = (half * 1.03 + 0.7 * style.volume) * swell * fall * np.sin(phi)
    depth = abs(back + 0.75) + style.volume
    z = -0.75 - depth * swell * np.cos(phi)
    grid = np.stack([x, np.broadcast_to(y, x.shape), z], axis=-1).reshape(-1, 3)
    uv = _hair_uv(
        canvas,
        np.broadcast_to((phi + 2) / 4, x.shape).ravel(),
        np.broadcast_to(t, x.shape).ravel(),
    )
    return Surface(grid.astype(np.float32), _grid_faces(rows, columns), uv, moves=True)


def clothes(canvas: Canvas, style: Style) -> Surface:
    """Shoulders and chest under the neck."""
    rows, columns = 12, 41
    x = np.linspace(-3.2, 3.2, columns)[None]
    t = np.linspace(0, 1, rows)[:, None]
    slope = -1.30 + style.collar - 0.55 * np.clip(np.abs(x) - 0.45, 0, None) ** 0.8
    slope = slope - 1.2 * np.clip(np.abs(x) - 1.9, 0, None) ** 2
    y = slope - 2.6 * t**1.4
    z = -0.75 + 0.75 * np.sin(np.minimum(t * 2.2, 1) * np.pi / 2) - 0.12 * x**2
    neck = np.exp(-((x / 0.5) ** 2)) * (1 - t)
    z = z - 0.15 * neck
    grid = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)
    rows_, columns_ = canvas.tile("cloth")
    middle = (columns_.start + columns_.stop) / 2, (rows_.start + rows_.stop) / 2
    uv = np.tile(np.array(middle, np.float32), (len(grid), 1))
    return Surface(grid.astype(np.float32), _grid_faces(rows, columns), uv, moves=False)


def _hair_uv(canvas: Canvas, across: NDArray[Any], down: NDArray[Any]) -> Array:
    rows, columns = canvas.tile("hair")
    # Several turns of the strip, folded so that it has no seam.
    folded = np.abs((across * 4) % 2 - 1)
    u = columns.start + 1 + folded * (columns.stop - columns.start - 3)
    v = rows.start + 1 + down * (rows.stop - rows.start - 3)
    return np.stack([u, v], axis=1).astype(np.float32)


def _grid_faces(rows: int, columns: int) -> NDArray[np.int32]:
    cell = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b, c, d = cell[:-1, :-1], cell[:-1, 1:], cell[1:, 1:], cell[1:, :-1]
    return np.concatenate(
        [np.stack([a, d, c], -1).reshape(-1, 3), np.stack([a, c, b], -1).reshape(-1, 3)]
    )
