"""Eyes: iris, pupil, white."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.head import Shape

Array = NDArray[np.float32]
Colour = tuple[float, float, float]

_IRIS = (
    (0.05, 0.025, 0.012), (0.10, 0.05, 0.02), (0.17, 0.10, 0.04), (0.14, 0.17, 0.07),
    (0.13, 0.22, 0.30), (0.20, 0.30, 0.38), (0.22, 0.25, 0.26),
)  # fmt: skip


@dataclass(frozen=True)
class Eyes:
    """What a person's eyes look like. Colours are linear RGB.

    Attributes:
        iris, pupil: colour, and radius as a share of the iris.
        sclera: albedo of the eye's white.
    """

    iris: Colour
    pupil: float
    sclera: Colour


def random_eyes(random: np.random.Generator, shape: Shape) -> Eyes:
    """Eyes that fit the ancestry."""
    dark = shape.ancestry[2] < 0.5
    iris = np.array(_IRIS[random.integers(2 if dark else len(_IRIS))]) * random.uniform(0.8, 1.2)
    sclera = np.array((0.72, 0.68, 0.66)) * random.uniform(0.85, 1.05)
    return Eyes(
        (float(iris[0]), float(iris[1]), float(iris[2])),
        float(random.uniform(0.3, 0.55)),
        (float(sclera[0]), float(sclera[1]), float(sclera[2])),
    )


def paint_eyes(tile: Array, eyes: Eyes) -> None:
    """An eye seen from the front into the square (n, n, 6) tile."""
    size = tile.shape[0]
    axis = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / (size / 4 * 2 - 2)
    radius = np.hypot(axis[None], axis[:, None])
    angle = np.arctan2(axis[:, None], axis[None])
    iris_radius = 0.47
    share = radius / iris_radius
    fibres = 1 + 0.18 * np.sin(angle * 23 + 4 * share) + 0.12 * np.sin(angle * 41)
    iris = np.array(eyes.iris) * (fibres * (0.75 + 0.45 * share))[..., None]
    white = np.array(eyes.sclera) * (1 - 0.25 * np.clip(radius - 0.6, 0, 1))[..., None]

    def step(edge: float, soft: float) -> Array:
        return np.asarray(np.clip((radius - edge) / soft + 0.5, 0, 1)[..., None], np.float32)

    colour = iris * (1 - 0.75 * step(iris_radius * 0.93, 0.08))
    colour = 0.01 + (colour - 0.01) * step(iris_radius * eyes.pupil, 0.05)
    tile[..., :3] = colour + (white - colour) * step(iris_radius, 0.05)
    tile[..., 3] = 0.9
