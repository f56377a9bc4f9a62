"""Teeth, tongue and the dark of the mouth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Mouth:
    """The inside of a person's mouth.

    Attributes:
        teeth: albedo, linear RGB.
    """

    teeth: tuple[float, float, float]


def random_mouth(random: np.random.Generator) -> Mouth:
    """Teeth from white to yellow."""
    red, green, blue = np.array((0.78, 0.72, 0.62)) * random.uniform(0.75, 1.1)
    return Mouth((float(red), float(green), float(blue)))


def paint_teeth(tile: Array, mouth: Mouth) -> None:
    """Teeth and gum into the (rows, columns, 6) tile."""
    rows, columns = tile.shape[:2]
    across = np.linspace(-1, 1, columns)
    # Twelve visible teeth, the middle ones the widest.
    position = 6 * np.sign(across) * np.abs(across) ** 0.85
    gap = np.abs(position - np.round(position))
    shade = (0.55 + 0.45 * np.clip(gap / 0.1, 0, 1)) * (1 - 0.55 * across**2)
    down = np.linspace(0, 1, rows)[:, None]
    tile[..., :3] = np.array(mouth.teeth) * (shade[None] * (0.9 + 0.1 * down))[..., None]
    gum = np.clip((0.22 - down) / 0.08, 0, 1)
    tile[..., :3] += (np.array((0.45, 0.16, 0.15)) - tile[..., :3]) * gum[..., None]
    tile[..., 3] = 0.35
