"""Brows: hairs that grow up at the inner end and outwards from there, along an arch."""

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

_INNER = 0.085


def paint_brows(base: Array, canvas: Canvas, skin: Skin, start: NDArray[np.int64]) -> None:
    """The brows over a painted skin, a (size, size, 6) paint; ``start`` of the noise."""
    if skin.brow_amount <= 0:
        return
    _brows(
        base, canvas.place, canvas.areas.brows, canvas.noise, start,
        np.array(skin.brows, np.float32),
        np.array(
            [skin.brow_amount, skin.brow_thickness, skin.brow_arch, skin.brow_height, _INNER,
             _INNER + skin.brow_length, skin.brow_angle, skin.brow_bush, skin.brow_drawn,
             skin.monobrow],
            np.float32,
        ),
    )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def _step(low: np.float32, high: np.float32, value: np.float32) -> np.float32:
    t = min(max((value - low) / (high - low), np.float32(0)), np.float32(1))
    return t * t * (np.float32(3) - np.float32(2) * t)


@numba.njit(cache=True, error_model="numpy")
def _brows(
    base: Array,
    place: Array,
    texels: NDArray[np.int32],
    noise: Array,
    start: NDArray[np.int64],
    colour: Array,
    amounts: Array,
) -> None:
    size = base.shape[0]
    one, peak = np.float32(1), np.float32(0.62)
    (amount, thickness, arch, level, inner, outer, angle, bush, drawn, mono) = amounts
    soft = np.float32(0.55) + np.float32(0.5) * drawn
    for texel in texels:
        row = texel // size
        column = texel - row * size
        x, y = place[row, column, 0], place[row, column, 1]
        side = abs(x)
        t = (side - inner) / (outer - inner)
        if t > np.float32(1.1) or (t < np.float32(-0.1) and mono <= 0):
            continue
        past = (t - peak) / (peak if t < peak else one - peak)
        if past < -1:  # between the brows
            past = np.float32(-1)
        middle = level + arch * (one - past * past) + angle * (t - np.float32(0.5))
        half = thickness * (one - np.float32(0.65) * max(t, np.float32(0)) ** 2)
        from_row, from_column = shifted(row, column, start, size)
        above = (y - middle) / half
        gap = abs(above) + bush * np.float32(0.25) * noise[from_row, from_column, 3]
        gap += bush * np.float32(0.12) * noise[from_row, from_column, 2]
        if gap > np.float32(1.3):
            continue
        cover = _step(np.float32(1.2), soft, gap)
        ends = _step(np.float32(1.08), np.float32(0.9), t)
        if t < np.float32(0.14):
            ends = max(_step(np.float32(-0.10), np.float32(0.14), t), mono)
        cover *= ends * amount
        # Hairs lie along lines that lean outwards, the more the farther out.
        lean = min(np.float32(0.3) + np.float32(2.2) * max(t, np.float32(0)), np.float32(2.2))
        across = (side * np.float32(1.0) - (y - middle) * lean) * np.float32(140)
        along = (side + (y - middle)) * np.float32(18)
        strand = noise[
            (int(np.floor(along)) + start[0]) % size, (int(np.floor(across)) + start[1]) % size, 3
        ]
        rough = one - drawn
        cover *= (
            np.float32(0.82) + rough * np.float32(0.17) * strand
            + rough * np.float32(0.10) * noise[from_row, from_column, 3]
        )  # fmt: skip
        cover = min(max(cover, np.float32(0)), np.float32(0.97))
        lighter = one + np.float32(0.15) * rough * strand
        for k in range(3):
            base[row, column, k] += (colour[k] * lighter - base[row, column, k]) * cover
        base[row, column, 3] *= one - cover
        base[row, column, 4] += rough * cover * (np.float32(0.005) + np.float32(0.0012) * strand)
