"""Hair of the head: its colour, its surfaces and its paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.head import HeadModel, Shape
from norface.synthesis.body.surface import Surface, grid_faces, vertex_normals

Array = NDArray[np.float32]


HAIR_COLOURS = {
    "black": (0.012, 0.010, 0.010),
    "dark brown": (0.035, 0.020, 0.013),
    "brown": (0.085, 0.045, 0.024),
    "light brown": (0.17, 0.095, 0.048),
    "blond": (0.40, 0.27, 0.13),
    "red": (0.24, 0.075, 0.025),
    "grey": (0.30, 0.29, 0.28),
    "white": (0.62, 0.61, 0.58),
}


@dataclass(frozen=True)
class Hair:
    """The hair of the head.

    Attributes:
        name: name of the colour.
        colour: linear RGB.
        scalp: how far it covers the scalp: 0 bald, 1 full.
        volume: thickness above the scalp, decimetres.
        line: how far the hairline is moved up (positive) or down, decimetres.
        parting: -1 to 1, side to which the fringe falls.
        length: how far it falls below the eyes, decimetres; 0 for short hair.
    """

    name: str
    colour: tuple[float, float, float]
    scalp: float
    volume: float
    line: float
    parting: float
    length: float


def random_hair(random: np.random.Generator, shape: Shape) -> Hair:
    """Hair that fits age, gender and ancestry, or that does not: chance decides."""
    male = shape.gender > 0.5
    main = int(np.argmax(shape.ancestry))
    name = _hair_name(random, main, shape.age)
    is_long = random.random() < (0.08 if male else 0.68)
    old = np.clip((shape.age - 30) / 50, 0, 1)
    red, green, blue = (float(v) for v in np.array(HAIR_COLOURS[name]) * random.uniform(0.7, 1.3))
    return Hair(
        name=name,
        colour=(red, green, blue),
        scalp=0.0 if male and random.random() < 0.10 + 0.2 * old else 1.0,
        volume=float(random.uniform(0.03, 0.16) if male else random.uniform(0.08, 0.24)),
        line=float(random.normal(0, 0.06) + (0.08 * (shape.age > 55) if male else -0.02)),
        parting=float(random.uniform(-1, 1)),
        length=float(random.uniform(0.3, 2.0)) if is_long else 0.0,
    )


def _hair_name(random: np.random.Generator, main: int, age: float) -> str:
    if random.random() < np.clip((age - 45) / 40, 0, 0.85):
        return str(random.choice(["grey", "white"], p=[0.65, 0.35]))
    if main < 2:
        return str(random.choice(["black", "dark brown", "brown"], p=[0.65, 0.25, 0.10]))
    names = ["black", "dark brown", "brown", "light brown", "blond", "red"]
    return str(random.choice(names, p=[0.08, 0.27, 0.25, 0.17, 0.17, 0.06]))


def hair_surfaces(
    head: HeadModel, canvas: Canvas, neutral: Array, points: Array, hair: Hair
) -> list[Surface]:
    """Everything of the hair that stands off the head.

    Args:
        head: the head model.
        canvas: where paint goes.
        neutral: (V, 3) the person's head without expression.
        points: (V, 3) the person's head with it.
        hair: the hair.
    """
    if hair.scalp == 0:
        return []
    outward = vertex_normals(neutral, head.faces)
    surfaces = [hair_cap(head, canvas, points, outward, hair)]
    if hair.length > 0:
        surfaces.append(long_hair(canvas, neutral, hair))
    return surfaces


def scalp_weight(head: HeadModel, hair: Hair) -> Array:
    """(V,) 0 on bare skin to 1 where hair is full."""
    x, y, z = head.mean.T
    side = np.abs(x)
    line = 0.84 + hair.line - 0.75 * side**2.2 + 0.10 * hair.parting * x
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


def hair_cap(head: HeadModel, canvas: Canvas, points: Array, normals: Array, hair: Hair) -> Surface:
    """Hair as a shell over the scalp, thickest on top."""
    weight = scalp_weight(head, hair)
    faces = head.faces[(weight[head.faces] > 0).all(axis=1)]
    used, inverse = np.unique(faces, return_inverse=True)
    share = weight[used][:, None] ** 0.6
    x, y = head.mean[used, 0], head.mean[used, 1]
    bulge = 1 + 0.35 * np.clip(y - 0.5, 0, 1) + 0.25 * hair.parting * np.sign(x) * np.abs(x)
    lift = hair.volume * bulge[:, None] * share
    angle = np.arctan2(head.mean[used, 0], head.mean[used, 2] + 0.8)
    uv = _hair_uv(canvas, angle / np.pi * 0.5 + 0.5, 1 - np.clip((y + 0.8) / 2.0, 0, 1))
    shell = points[used] + normals[used] * lift + np.array((0, 0.3, 0)) * lift * 0.5
    return Surface(shell.astype(np.float32), inverse.reshape(-1, 3).astype(np.int32), uv, "hair")


def long_hair(canvas: Canvas, points: Array, hair: Hair) -> Surface:
    """A curtain of hair that falls behind the face and beside it."""
    top, back = points[:, 1].max(), points[:, 2].min()
    half = np.abs(points[points[:, 1] > -0.6, 0]).max()
    rows, columns = 14, 33
    t = np.linspace(0, 1, rows)[:, None]
    phi = np.linspace(-1.98, 1.98, columns)[None]
    y = top * 0.93 - t * (top * 0.93 + hair.length)
    swell = np.sqrt(np.clip(1 - ((y - 0.1) / (top * 1.02)) ** 2, 0.05, 1)) * (y > 0.1) + (y <= 0.1)
    fall = 1 + 0.12 * np.clip(-y / 1.5, 0, 1.2)
    x = (half * 1.03 + 0.7 * hair.volume) * swell * fall * np.sin(phi)
    depth = abs(back + 0.75) + hair.volume
    z = -0.75 - depth * swell * np.cos(phi)
    grid = np.stack([x, np.broadcast_to(y, x.shape), z], axis=-1).reshape(-1, 3)
    uv = _hair_uv(
        canvas,
        np.broadcast_to((phi + 2) / 4, x.shape).ravel(),
        np.broadcast_to(t, x.shape).ravel(),
    )
    return Surface(grid.astype(np.float32), grid_faces(rows, columns), uv, "hair")


def _hair_uv(canvas: Canvas, across: NDArray[Any], down: NDArray[Any]) -> Array:
    rows, columns = canvas.tile("hair")
    # Several turns of the strip, folded so that it has no seam.
    folded = np.abs((across * 4) % 2 - 1)
    u = columns.start + 1 + folded * (columns.stop - columns.start - 3)
    v = rows.start + 1 + down * (rows.stop - rows.start - 3)
    return np.stack([u, v], axis=1).astype(np.float32)


def paint_hair(tile: Array, hair: Hair, random: np.random.Generator) -> None:
    """Strands into the (rows, columns, 6) tile of the hair."""
    rows, columns = tile.shape[:2]
    single = np.asarray(random.standard_normal(columns), np.float32)
    strands = 0.6 * single + 0.8 * np.convolve(single, np.ones(5) / 5, mode="same")
    slow = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    level = np.clip(1 + 0.3 * strands[None] + 0.1 * np.sin(9 * slow + strands[None]), 0.3, 2)
    tile[..., :3] = np.array(hair.colour) * level[..., None]
    tile[..., 3] = 0.12
