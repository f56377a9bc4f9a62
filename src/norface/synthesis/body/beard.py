"""Beards, moustaches and their stubble, painted; and hair that lies on the scalp."""

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
Roots = tuple[tuple[float, float, float], float, float, float]
"""Colour of hair, how far it covers the scalp, how far its line is up and how far it recedes."""


def paint_beard(base: Array, canvas: Canvas, skin: Skin, start: NDArray[np.int64]) -> None:
    """Beard over a painted skin, a (size, size, 6) paint; ``start`` of the noise."""
    amounts = np.array([skin.beard, skin.goatee, skin.moustache, skin.sideburns], np.float32)
    if amounts.max() <= 0:
        return
    areas = canvas.areas
    _beard(
        base, areas.beard, areas.beard_amount, canvas.noise, start, amounts,
        np.array(skin.beard_colour, np.float32), np.float32(skin.beard_grey),
    )  # fmt: skip


def paint_scalp(
    base: Array,
    canvas: Canvas,
    roots: Roots,
    start: NDArray[np.int64],
) -> None:
    """Roots of hair over a painted skin, a (size, size, 6) paint; ``start`` of the noise."""
    colour, scalp, line, recede = roots
    if scalp <= 0:
        return
    areas = canvas.areas
    _scalp(
        base, areas.scalp, areas.hairline, canvas.noise, start,
        np.array(colour, np.float32),
        np.array([scalp, line, recede], np.float32),
    )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def _beard(
    base: Array,
    texels: NDArray[np.int32],
    where: Array,
    noise: Array,
    start: NDArray[np.int64],
    amounts: Array,
    colour: Array,
    grey: np.float32,
) -> None:
    size = base.shape[0]
    one, nought = np.float32(1), np.float32(0)
    for i in range(texels.shape[0]):
        hairs = nought
        for k in range(4):
            hairs = max(hairs, amounts[k] * where[i, k])
        if hairs < np.float32(0.012):
            continue
        row = texels[i] // size
        column = texels[i] - row * size
        from_row, from_column = shifted(row, column, start, size)
        middle, small = noise[from_row, from_column, 1], noise[from_row, from_column, 2]
        dot = noise[from_row, from_column, 3]
        # Long hairs hang down in strands; stubble is dots.
        strand = noise[from_row // 4, from_column, 3]
        long = min(max((hairs - np.float32(0.35)) * np.float32(3), nought), one)
        # The edge of a beard is ragged.
        hairs *= min(max(one + np.float32(0.12) * middle + np.float32(0.10) * small, nought), one)
        streak = long * strand + (one - long) * dot
        cover = hairs * (
            np.float32(0.62)
            + np.float32(0.2) * long
            + np.float32(0.24) * streak
            + np.float32(0.10) * small
        )
        cover = min(max(cover, np.float32(0.3) * hairs), np.float32(0.95))
        lighter = (one + np.float32(0.18) * long * strand) * (
            one + np.float32(0.5) * grey * max(small, nought)
        )
        for k in range(3):
            base[row, column, k] += (colour[k] * lighter - base[row, column, k]) * cover
        base[row, column, 3] *= one - np.float32(0.8) * cover
        thick = long * hairs * (np.float32(0.014) + np.float32(0.0025) * strand)
        base[row, column, 4] += thick + np.float32(0.0006) * cover * dot


@numba.njit(cache=True, error_model="numpy")
def _scalp(
    base: Array,
    texels: NDArray[np.int32],
    inside: Array,
    noise: Array,
    start: NDArray[np.int64],
    colour: Array,
    amounts: Array,
) -> None:
    size = base.shape[0]
    one = np.float32(1)
    scalp, line, recede = amounts
    # A receding line goes back a little in the middle and far at the corners.
    line += np.float32(0.12) * recede
    recede *= np.float32(0.33)
    for i in range(texels.shape[0]):
        row = texels[i] // size
        column = texels[i] - row * size
        from_row, from_column = shifted(row, column, start, size)
        strand = noise[from_row // 6, from_column, 3]
        edge = inside[i, 0] - line * inside[i, 1] - recede * inside[i, 2]
        edge += np.float32(0.03) * noise[from_row, from_column, 1]
        edge = (edge + np.float32(0.03)) / np.float32(0.13) + np.float32(0.12) * strand
        cover = min(max(edge, np.float32(0)), one)
        if cover == 0:
            continue
        cover *= cover * (np.float32(3) - np.float32(2) * cover) * scalp
        lighter = one + np.float32(0.22) * strand
        for k in range(3):
            base[row, column, k] += (colour[k] * lighter - base[row, column, k]) * cover
        base[row, column, 3] *= one - np.float32(0.7) * cover
        base[row, column, 4] *= one - cover
