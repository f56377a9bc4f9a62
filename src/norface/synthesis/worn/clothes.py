"""Shoulders under a cloth, its neckline and its collar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.surface import Surface, grid_faces
from norface.synthesis.worn.fabric import paint_fabric
from norface.synthesis.worn.pieces import spread, tube

Array = NDArray[np.float32]

NECKLINES: Final = ("crew", "v-neck", "scoop", "shirt", "hoodie", "turtleneck")

_TILE: Final = "cloth"
_SKIN_TILE: Final = "hand"


@dataclass(frozen=True)
class Clothes:
    """Clothes.

    Attributes:
        colour: linear RGB.
        collar: height of the collar in decimetres above the chest.
        neckline: one of ``NECKLINES``.
        second: linear RGB of the pattern.
        pattern: of the cloth, see ``norface.synthesis.worn.fabric.PATTERNS``.
        seed: of its folds.
    """

    colour: tuple[float, float, float]
    collar: float
    neckline: str = "crew"
    second: tuple[float, float, float] = (0.5, 0.5, 0.5)
    pattern: str = "plain"
    seed: int = 0


def random_clothes(random: np.random.Generator) -> Clothes:
    """Clothes of any colour."""
    colours = []
    for _ in range(2):
        # Many clothes are nearly black, grey or white.
        level, vivid = random.uniform(0.03, 0.85) ** 1.8, 0.5 * random.random() ** 2
        red, green, blue = (
            float(v) for v in np.clip(level * (1 + random.normal(0, vivid, 3)), 0.006, 0.8)
        )
        colours.append((red, green, blue))
    return Clothes(
        colours[0],
        float(random.uniform(-0.15, 0.1)),
        neckline=str(random.choice(NECKLINES, p=(0.3, 0.16, 0.1, 0.24, 0.11, 0.09))),
        second=colours[1],
        pattern=str(
            random.choice(["plain", "stripes", "checks", "across"], p=(0.72, 0.12, 0.08, 0.08))
        ),
        seed=int(random.integers(2**31)),
    )


def clothes_surfaces(canvas: Canvas, worn: Clothes) -> list[Surface]:
    """Shoulders and chest under the neck: the cloth, its collar, and skin where it is open."""
    low = {"v-neck": 0.75, "scoop": 0.5, "shirt": 0.35}.get(worn.neckline, 0.0)
    surfaces = [_chest(canvas, worn, low), _neck(canvas)]
    if low > 0:
        surfaces.append(_chest(canvas, worn, 0.0, skin=True))
    if worn.neckline != "crew":
        collar = _collar(canvas, worn)
        surfaces += [collar] if collar is not None else []
    return surfaces


def _chest(canvas: Canvas, worn: Clothes, low: float, *, skin: bool = False) -> Surface:
    """The front of the body from the neck down, its edge ``low`` decimetres under the throat."""
    rows, columns = 12, 41
    bend = np.linspace(-1, 1, columns)[None]
    x = 0.46 * bend if skin else 3.2 * (0.45 * bend + 0.55 * bend**3)
    t = np.linspace(0, 1, rows)[:, None]
    raised = worn.collar if not skin else min(worn.collar, 0.0) - 0.30 * bend**2
    slope = -1.30 + raised - 0.55 * np.clip(np.abs(x) - 0.45, 0, None) ** 0.8
    slope = slope - 1.2 * np.clip(np.abs(x) - 1.9, 0, None) ** 2
    wide = 0.62 if worn.neckline == "scoop" else 0.5
    opening = np.clip(1 - np.abs(x) / wide, 0, 1)
    opening = np.sqrt(opening) if worn.neckline == "scoop" else opening
    # The edge of the opening is a row of the same grid as the whole chest, further down it.
    first = (low * opening / 2.6) ** (1 / 1.4)
    t = first + t * (1 - first)
    y = slope - 2.6 * t**1.4
    z = -0.75 + 0.75 * np.sin(np.minimum(t * 2.2, 1) * np.pi / 2) - 0.12 * x**2
    z = z - 0.15 * np.exp(-((x / 0.5) ** 2)) * (1 - t) - (0.06 if skin else 0.0)
    grid = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)
    if skin:
        uv = spread(canvas, _SKIN_TILE, 0.5 + 0.1 * x, 0.10 + 0.05 * t)
        return Surface(grid.astype(np.float32), grid_faces(rows, columns), uv, "skin", moves=False)
    uv = spread(canvas, _TILE, 0.5 + x / 6.6, np.clip(-(y + 1.1) / 2.9, 0, 1))
    return Surface(grid.astype(np.float32), grid_faces(rows, columns), uv, "cloth", moves=False)


def _neck(canvas: Canvas) -> Surface:
    """A stump inside the neck, that closes the gap under it when the head turns."""
    path = np.stack([np.zeros(6), np.linspace(-0.95, -1.95, 6), np.full(6, -0.66)], axis=1)
    points, faces = tube(path, np.linspace(0.34, 0.46, 6), sides=12)
    uv = spread(canvas, _SKIN_TILE, np.full(len(points), 0.5), np.full(len(points), 0.15))
    return Surface(points, faces, uv, "skin", moves=False)


def _collar(canvas: Canvas, worn: Clothes) -> Surface | None:
    """What stands around the neck: a shirt's collar, a hood, a roll."""
    rows, columns = 7, 33
    t = np.linspace(0, 1, rows)[:, None]
    if worn.neckline == "turtleneck":
        turn = np.linspace(-np.pi, np.pi, columns)[None]
        out = 0.56 + 0.05 * np.sin(np.pi * t) + 0.10 * t**3
        top, height = -1.06, 0.45
        y = top - height * t - 0.12 * np.cos(turn)
    elif worn.neckline == "shirt":
        first = 0.04 + 0.20 * t**1.5
        turn = first + np.linspace(0, 1, columns)[None] * 2 * (np.pi - first)
        front = np.clip(np.cos(turn), 0, 1)
        out = 0.60 + 0.16 * t + 0.03 * front
        y = -1.05 - 0.30 * front**2 - (0.26 + 0.14 * front**6) * t
    elif worn.neckline == "hoodie":
        turn = np.linspace(0.1, 2 * np.pi - 0.1, columns)[None]
        front = np.clip(np.cos(turn), 0, 1)
        round_ = t * 1.5 * np.pi
        out = 0.72 + 0.16 * np.sin(round_ - 0.6) * (1 - 0.5 * front**3)
        y = -1.20 - 0.28 * front**2 + 0.20 * np.cos(round_) * (1 - 0.6 * front**3)
    else:
        return None
    x = out * np.sin(turn)
    z = -0.62 + 0.92 * out * np.cos(turn)
    grid = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)
    # Turned so that columns run to the right as seen from outside, as on every other grid.
    uv = spread(canvas, _TILE, 0.3 + 0.4 * np.linspace(0, 1, columns)[None], 0.02 + 0.2 * t)
    return Surface(grid.astype(np.float32), grid_faces(rows, columns), uv, "cloth", moves=False)


def paint_clothes(
    sheet: Array, canvas: Canvas, worn: Clothes, skin: tuple[float, float, float]
) -> None:
    """Cloth into its tile, and skin into the tile of hands, where the chest is bare."""
    folds = (0.006, 2.0, 3.0)
    paint_fabric(
        sheet[canvas.tile(_TILE)], (worn.colour, worn.second), worn.pattern, folds, worn.seed
    )
    # Only the upper part of the tile is shown on the body.
    tile = sheet[canvas.tile(_SKIN_TILE)]
    bare = tile[: tile.shape[0] // 4 + 1]
    bare[..., :3] = np.array(skin, np.float32) * 0.92
    bare[..., 3] = 0.05
