"""Lips, lid rims and the colour that some people put on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.shifted import shifted

if TYPE_CHECKING:
    from norface.synthesis.body.canvas import Canvas
    from norface.synthesis.body.skin import Skin

Array = NDArray[np.float32]


def paint_lips(base: Array, canvas: Canvas, skin: Skin, start: NDArray[np.int64]) -> None:
    """Lips over a painted skin, a (size, size, 6) paint; ``start`` of the noise."""
    natural, stick = np.array(skin.lips), np.array(skin.lipstick_colour)
    _lips(
        base, canvas.place, canvas.areas.lips, canvas.lips, canvas.noise, start,
        (natural + (stick - natural) * skin.lipstick).astype(np.float32),
        np.array([skin.lip_gloss, skin.lip_grooves, skin.lipstick], np.float32),
    )  # fmt: skip


def paint_lids(base: Array, canvas: Canvas, skin: Skin) -> None:
    """Eye-shadow, and lashes' roots and liner on the rims, over a (size, size, 6) painted skin."""
    areas = canvas.areas
    if skin.eye_shadow > 0:
        _tint(
            base, areas.upper_lids, areas.upper_lid_amount,
            np.array(skin.eye_shadow_colour, np.float32), np.float32(skin.eye_shadow),
        )  # fmt: skip
    _rims(base, canvas.place, areas.lid_rims, canvas.lids, np.float32(skin.liner))


@numba.njit(cache=True, error_model="numpy")
def _lips(
    base: Array,
    place: Array,
    texels: NDArray[np.int32],
    amount: Array,
    noise: Array,
    start: NDArray[np.int64],
    colour: Array,
    looks: Array,
) -> None:
    size = base.shape[0]
    one = np.float32(1)
    gloss, grooves, stick = looks
    for texel in texels:
        row = texel // size
        column = texel - row * size
        from_row, from_column = shifted(row, column, start, size)
        lip = amount[row, column]
        half, y = abs(place[row, column, 0]), place[row, column, 1]
        # The grooves run across the lip, so they are nearly the same in every row.
        groove = np.float32(0.7) * noise[from_row // 8, from_column, 3]
        groove += np.float32(0.5) * noise[from_row // 8, from_column, 2]
        groove = min(groove, np.float32(0.6))
        fold = (y - np.float32(-0.722)) / np.float32(0.012)
        corner = max(half - np.float32(0.20), np.float32(0)) * np.float32(4)
        fine = one + np.float32(0.10) * grooves * groove - np.float32(0.35) / (one + fold * fold)
        fine += (one - stick) * np.float32(0.05) * noise[from_row, from_column, 2] - corner
        fine = max(fine, np.float32(0.3))
        for k in range(3):
            base[row, column, k] += (colour[k] * fine - base[row, column, k]) * lip
        base[row, column, 3] += (gloss - base[row, column, 3]) * lip
        flat = base[row, column, 4] * (one - lip)
        base[row, column, 4] = flat + lip * grooves * np.float32(0.0022) * groove


@numba.njit(cache=True, error_model="numpy")
def _tint(
    base: Array, texels: NDArray[np.int32], amount: Array, colour: Array, strength: np.float32
) -> None:
    size = base.shape[0]
    for i in range(texels.shape[0]):
        row = texels[i] // size
        column = texels[i] - row * size
        for k in range(3):
            base[row, column, k] += (colour[k] - base[row, column, k]) * strength * amount[i]


@numba.njit(cache=True, error_model="numpy")
def _rims(
    base: Array, place: Array, texels: NDArray[np.int32], lids: Array, liner: np.float32
) -> None:
    size = base.shape[0]
    for texel in texels:
        row = texel // size
        column = texel - row * size
        # Lashes are stronger above.
        weaker = np.float32(1) if place[row, column, 1] > np.float32(-0.02) else np.float32(0.55)
        light = np.float32(1) - lids[row, column] * liner * weaker
        for k in range(3):
            base[row, column, k] *= light
