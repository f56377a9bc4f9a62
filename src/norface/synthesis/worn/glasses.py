"""Glasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.head import HeadModel
from norface.synthesis.body.surface import Surface, grid_faces

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Glasses:
    """Glasses.

    Attributes:
        thick: whether the frame is thick.
        half_width, half_height: of a glass, decimetres.
        colour: of the frame, linear RGB.
    """

    thick: bool
    half_width: float
    half_height: float
    colour: tuple[float, float, float]


def random_glasses(random: np.random.Generator) -> Glasses | None:
    """Glasses for some, None for most."""
    kind = random.random()
    frame = random.uniform(0.22, 0.28), random.uniform(0.13, 0.22)
    red, green, blue = (float(v) for v in random.uniform(0.0, 0.25, 3) ** 1.5)
    if kind < 0.82:
        return None
    return Glasses(kind > 0.92, float(frame[0]), float(frame[1]), (red, green, blue))


def glasses_surfaces(
    head: HeadModel, canvas: Canvas, points: Array, glasses: Glasses
) -> list[Surface]:
    """Frames as flat rings before the eyes, and the bridge between them."""
    angle = np.linspace(0, 2 * np.pi, 41)
    width = 0.022 if glasses.thick else 0.010
    lines = []
    centres = [points[head.vertices_of(name)].mean(0) for name in ("eye_left", "eye_right")]
    for centre in centres:
        rounded = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.7
        for grow in (-width, width):
            x = centre[0] + (glasses.half_width + grow) * rounded
            y = centre[1] - 0.03 + (glasses.half_height + grow) * np.sin(angle)
            lines.append(np.stack([x, y, 0.30 - 0.25 * x**2], axis=1))
    inner = [c[0] - np.sign(c[0]) * glasses.half_width for c in centres]
    across = np.linspace(inner[0], inner[1], 41)
    for grow in (-width, width):
        y = 0.04 + grow - 0.5 * across**2
        lines.append(np.stack([across, y, np.full(41, 0.34)], axis=1))
    rows, columns = canvas.tile("frame")
    middle = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
    uv = np.tile(np.array(middle, np.float32), (82, 1))
    return [
        Surface(
            np.concatenate(lines[i : i + 2]).astype(np.float32), grid_faces(2, 41), uv, "glasses"
        )
        for i in (0, 2, 4)
    ]
