"""The paint of cloth: its colour, pattern, weave and folds."""

from __future__ import annotations

import math
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

PATTERNS: Final = ("plain", "stripes", "dots", "checks", "across")


def paint_fabric(
    tile: Array,
    colours: tuple[tuple[float, float, float], tuple[float, float, float]],
    pattern: str,
    folds: tuple[float, float, float],
    seed: int,
) -> None:
    """Paint cloth.

    Args:
        tile: (rows, columns, 6) paint to fill.
        colours: linear RGB of the cloth and of its pattern.
        pattern: one of ``PATTERNS``.
        folds: their height in decimetres, and how many lie across and along the tile.
        seed: of the folds and the pattern's width.
    """
    random = np.random.default_rng([seed, 5])
    phases = random.uniform(0, 2 * np.pi, 4).astype(np.float32)
    count = float(random.integers(4, 11))
    weave = random.standard_normal((32, 32)).astype(np.float32)
    _paint(
        tile, np.array(colours, np.float32), PATTERNS.index(pattern),
        np.array(folds, np.float32), phases, count, weave,
    )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def _paint(
    tile: Array,
    colours: Array,
    pattern: int,
    folds: Array,
    phases: Array,
    count: float,
    weave: Array,
) -> None:
    rows, columns = tile.shape[0], tile.shape[1]
    turn = 2 * math.pi
    for row in range(rows):
        v = row / rows
        for column in range(columns):
            u = column / columns
            bend = 0.8 * math.sin(turn * v * 1.3 + phases[0]) + 0.6 * math.sin(turn * u + phases[1])
            fold = math.sin(turn * (folds[1] * u + folds[2] * v) + bend + phases[2])
            if folds[1] < 20:
                fold = 0.6 * fold + 0.4 * math.sin(
                    turn * (1.7 * folds[1] * u - 0.6 * folds[2] * v) + 2 * bend + phases[3]
                )
            share = 0.0
            if pattern == 1:
                share = 1.0 if math.sin(turn * count * v) > 0.2 else 0.0
            elif pattern == 2:
                bumps = math.sin(turn * count * v) * math.sin(turn * count * u)
                share = 1.0 if bumps > 0.6 else 0.0
            elif pattern == 3:
                share = 0.5 * (math.sin(turn * count * v) > 0) + 0.5 * (
                    math.sin(turn * count * u) > 0
                )
            elif pattern == 4:
                share = 1.0 if math.sin(turn * count * u) > 0.2 else 0.0
            grain = weave[row % 32, column % 32]
            level = 1 + 0.10 * fold + 0.04 * grain
            for k in range(3):
                tile[row, column, k] = level * (
                    colours[0, k] + share * (colours[1, k] - colours[0, k])
                )
            tile[row, column, 3] = 0.02
            tile[row, column, 4] = folds[0] * fold + 0.0008 * grain
            tile[row, column, 5] = 1.0
