"""Shoulders under a cloth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.surface import Surface, grid_faces

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Clothes:
    """Clothes: linear RGB, and the height of the collar in decimetres above the chest."""

    colour: tuple[float, float, float]
    collar: float


def random_clothes(random: np.random.Generator) -> Clothes:
    """Clothes of any colour."""
    colour = random.uniform(0.02, 0.5) * (1 + random.normal(0, 0.35, 3)).clip(0.05, 2)
    red, green, blue = (float(v) for v in np.clip(colour, 0.004, 0.95))
    return Clothes((red, green, blue), float(random.uniform(-0.15, 0.15)))


def clothes_surface(canvas: Canvas, worn: Clothes) -> Surface:
    """Shoulders and chest under the neck."""
    rows, columns = 12, 41
    x = np.linspace(-3.2, 3.2, columns)[None]
    t = np.linspace(0, 1, rows)[:, None]
    slope = -1.30 + worn.collar - 0.55 * np.clip(np.abs(x) - 0.45, 0, None) ** 0.8
    slope = slope - 1.2 * np.clip(np.abs(x) - 1.9, 0, None) ** 2
    y = slope - 2.6 * t**1.4
    z = -0.75 + 0.75 * np.sin(np.minimum(t * 2.2, 1) * np.pi / 2) - 0.12 * x**2
    neck = np.exp(-((x / 0.5) ** 2)) * (1 - t)
    z = z - 0.15 * neck
    grid = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)
    rows_, columns_ = canvas.tile("cloth")
    middle = (columns_.start + columns_.stop) / 2, (rows_.start + rows_.stop) / 2
    uv = np.tile(np.array(middle, np.float32), (len(grid), 1))
    return Surface(grid.astype(np.float32), grid_faces(rows, columns), uv, "cloth", moves=False)
