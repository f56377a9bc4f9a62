"""A broad lock of hair that falls over one eye."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.hair_paint import HAIR_END
from norface.synthesis.body.scalp import over_head
from norface.synthesis.body.surface import Surface, grid_faces
from norface.synthesis.worn.pieces import spread

Array = NDArray[np.float32]


def lock_surface(canvas: Canvas, mapped: Array, hair: Hair, side: float, seed: int) -> Surface:
    """A lock from the hairline over the eye on one side down to the cheek."""
    random = np.random.default_rng([seed, 7])
    rows, columns = 14, 11
    share = np.linspace(0, 1, rows)[:, None]
    across = np.linspace(-1, 1, columns)[None]
    line = 42 - 60 * hair.line
    reach = float(random.uniform(78, 96)) - 6 * np.abs(across)
    # From beside the parting outward, so that it lies before the eye's middle.
    middle = side * (0.10 + 0.34 * np.sqrt(share))
    around = middle + float(random.uniform(0.24, 0.32)) * across * (1 - 0.3 * share**2)
    down = line + share * reach
    lift = 0.05 + 0.10 * np.sin(np.pi * np.minimum(share * 1.1 + 0.1, 1)) * (1 - 0.3 * across**2)
    points = over_head(
        np.ascontiguousarray(around, np.float32), down.astype(np.float32),
        lift.astype(np.float32), mapped,
    )  # fmt: skip
    uv = spread(
        canvas, "hair", 0.25 + 0.22 * across, (0.2 + 0.5 * share + 0.28 * share**6) * HAIR_END
    )
    return Surface(points.reshape(-1, 3), grid_faces(rows, columns), uv, "hair", cutout=True)
