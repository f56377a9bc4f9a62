"""The bare skin: its colour, blood under it, pores, freckles, moles, scars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from norface.synthesis.body.canvas import Canvas
    from norface.synthesis.body.skin import Skin

Array = NDArray[np.float32]


def paint_complexion(base: Array, canvas: Canvas, skin: Skin, start: NDArray[np.int64]) -> None:
    """Bare skin into every texel of ``base``, a (size, size, 6) paint; ``start`` of the noise."""
    # Grain is one texel wide, whatever the texel: keep its slope.
    pores = 0.0011 * 256 / canvas.size * skin.pores
    cover = 1 - 0.75 * skin.foundation
    _ground(
        base, canvas.front, canvas.areas.blood, canvas.areas.grain, canvas.noise, start,
        np.array(skin.colour, np.float32),
        np.array(
            [skin.blush, skin.blotches * cover, skin.spots * cover,
             skin.gloss, skin.oil * cover, skin.shade * (1 - 0.5 * skin.foundation), skin.veins,
             skin.ears, pores, skin.rouge, 0.02 + 0.03 * skin.pores],
            np.float32,
        ),
    )  # fmt: skip
    marks = _marks(np.random.default_rng([skin.seed, 6]), canvas, skin)
    if len(marks):
        _dots(base, canvas.place, marks)


def _marks(random: np.random.Generator, canvas: Canvas, skin: Skin) -> Array:
    """(M, 7) row, column, radius in decimetres, factors of red, green and blue, height."""
    freckles, age_spots = int(220 * skin.freckles), int(14 * skin.age_spots)
    count = freckles + age_spots + skin.moles
    row, column = random.uniform(0.25, 0.85, count), random.uniform(0.15, 0.85, count)
    row[:freckles] = random.normal(0.55, 0.09, freckles)
    column[:freckles] = random.normal(0.5, 0.16, freckles)
    radius = random.uniform(0.008, 0.022, count)
    dark = random.uniform(0.4, 0.85, count)
    radius[:freckles] = random.uniform(0.004, 0.010, freckles)
    dark[:freckles] = random.uniform(0.05, 0.3, freckles)
    radius[freckles : freckles + age_spots] = random.uniform(0.015, 0.05, age_spots)
    dark[freckles : freckles + age_spots] = random.uniform(0.08, 0.28, age_spots)
    dark[: freckles + age_spots] *= 1 - 0.75 * skin.foundation
    raised = 0.006 * (random.random(count) < 0.4)
    raised[: freckles + age_spots] = 0
    factors = [np.maximum(1 - share * dark, 0.05) for share in (1.0, 1.15, 1.3)]
    marks = np.stack([row, column, radius, *factors, raised], axis=1)
    if skin.scar > 0:
        marks = np.concatenate([marks, _scar(random, skin.scar)])
    marks[:, :2] *= canvas.size
    return marks.astype(np.float32)


def _scar(random: np.random.Generator, amount: float) -> NDArray[np.float64]:
    t = np.linspace(-1, 1, 13)
    angle, length = random.uniform(0, np.pi), random.uniform(0.02, 0.06)
    row = random.uniform(0.30, 0.80) + t * length * np.sin(angle)
    column = random.uniform(0.3, 0.7) + t * length * np.cos(angle)
    pale = 1 + 0.05 * amount * (1 - t * t)
    same = np.ones_like(t)
    return np.stack(
        [row, column, 0.012 * same, pale, 0.985 * pale, 0.99 * pale, -0.0012 * amount * same],
        axis=1,
    )


@numba.njit(cache=True, error_model="numpy")
def _ground(
    base: Array,
    front: NDArray[np.bool_],
    blood: Array,
    grain: Array,
    noise: Array,
    start: NDArray[np.int64],
    skin: Array,
    amounts: Array,
) -> None:
    size = base.shape[0]
    one, nought = np.float32(1), np.float32(0)
    blush, blotches, spots, gloss, oil, shade, veins, ears, pores, rouge, fine = amounts
    spots = np.float32(0.025) * spots
    shade, veins = np.float32(0.45) * shade, np.float32(0.22) * veins
    for row in range(size):
        from_row = row + start[0]
        from_row = from_row - size if from_row >= size else from_row
        for column in range(size):
            from_column = column + start[1]
            from_column = from_column - size if from_column >= size else from_column
            slow, middle = noise[from_row, from_column, 0], noise[from_row, from_column, 1]
            small, finest = noise[from_row, from_column, 2], noise[from_row, from_column, 3]
            tone = one + np.float32(0.035) * slow + np.float32(0.022) * middle
            base[row, column, 5] = one
            if not front[row, column]:
                for k in range(3):
                    base[row, column, k] = skin[k] * tone
                base[row, column, 3] = np.float32(0.6) * gloss
                base[row, column, 4] = nought
                continue
            tone += spots * small + fine * finest * grain[row, column, 1]
            cheek = blood[row, column, 0]
            flush = blush * (cheek + blood[row, column, 1]) + ears * blood[row, column, 3]
            # Blotches are redder or paler than the skin around, most of all where blood is near.
            flush += (
                blotches
                * (np.float32(0.16) * slow + np.float32(0.13) * middle)
                * (np.float32(0.5) + cheek)
            )
            flush = max(flush, np.float32(-0.08))
            red, green, blue = skin[0] * tone, skin[1] * tone, skin[2] * tone
            green *= one - np.float32(0.35) * flush
            blue *= one - np.float32(0.30) * flush
            if rouge > 0:
                share = np.float32(0.3) * rouge * cheek
                green *= one - np.float32(0.75) * share
                blue *= one - np.float32(0.6) * share
            # Around the eyes the skin is thin and darker; the veins below make it bluish.
            ring = blood[row, column, 2]
            if ring > np.float32(0.002):
                dark, blue_vein = shade * ring, veins * ring
                red *= one - dark - blue_vein
                green *= one - np.float32(1.1) * dark - np.float32(0.9) * blue_vein
                blue *= one - dark - np.float32(0.4) * blue_vein
            base[row, column, 0] = max(red, nought)
            base[row, column, 1] = max(green, nought)
            base[row, column, 2] = max(blue, nought)
            shine = gloss * (np.float32(0.6) + np.float32(0.4) * grain[row, column, 0])
            shine += oil * np.float32(0.16) * grain[row, column, 0]
            base[row, column, 3] = shine * (one + np.float32(0.15) * finest)
            base[row, column, 4] = pores * grain[row, column, 1] * (finest + small)


@numba.njit(cache=True, error_model="numpy")
def _dots(base: Array, place: Array, marks: Array) -> None:
    size = base.shape[0]
    for m in range(marks.shape[0]):
        row, column = int(marks[m, 0]), int(marks[m, 1])
        if not (0 <= row < size and 0 <= column < size):
            continue
        x, y, z = place[row, column, 0], place[row, column, 1], place[row, column, 2]
        reach = max(int(marks[m, 2] * size * np.float32(1.2)), 2)
        for i in range(max(row - reach, 0), min(row + reach + 1, size)):
            for j in range(max(column - reach, 0), min(column + reach + 1, size)):
                dx, dy, dz = place[i, j, 0] - x, place[i, j, 1] - y, place[i, j, 2] - z
                square = (dx * dx + dy * dy + dz * dz) / (marks[m, 2] * marks[m, 2])
                if square > np.float32(4):
                    continue
                share = np.float32(1) / (np.float32(1) + square * square * square)
                for k in range(3):
                    base[i, j, k] *= np.float32(1) - share * (np.float32(1) - marks[m, 3 + k])
                base[i, j, 4] += share * marks[m, 6]
