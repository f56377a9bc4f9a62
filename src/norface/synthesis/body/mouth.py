"""Teeth, tongue and the dark of the mouth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.head import head_model
from norface.synthesis.body.rims import rim_texels, tooth_distance

Array = NDArray[np.float32]
Colour = tuple[float, float, float]

# From the midline to the back on one side, decimetres wide; and how far down each reaches.
_UPPER = (0.084, 0.066, 0.076, 0.068, 0.066, 0.1, 0.1)
_LOWER = (0.054, 0.059, 0.068, 0.069, 0.07, 0.11, 0.1)
_UPPER_REACH = np.array((1.0, 0.945, 0.985, 0.94, 0.92, 0.9, 0.88))
_LOWER_REACH = np.array((0.97, 0.97, 1.0, 0.96, 0.94, 0.92, 0.9))
_GOLD = (0.62, 0.38, 0.12)
_COUNT = 14


@dataclass(frozen=True)
class Mouth:
    """The inside of a person's mouth. Colours are linear RGB.

    Attributes:
        teeth: albedo.
        gums: albedo.
        width: width of each tooth as a share of the average one.
        gap: width of the gap between the middle teeth, decimetres.
        crooked: how much the teeth differ in place, length and shade, 0 (even) to 1.
        missing, gold: which tooth from the person's right, 0 to 13; -1 for none.
        seam: darkness of the line where the lips meet, 0 to 1.
        tucked: how far the tongue keeps clear of the teeth, 0 to 1.
        wet: gloss of tongue and gums, 0 to 1.
        seed: of the teeth's irregularities.
    """

    teeth: Colour
    gums: Colour = (0.42, 0.17, 0.16)
    width: float = 1.0
    gap: float = 0.0
    crooked: float = 0.0
    missing: int = -1
    gold: int = -1
    seam: float = 0.0
    tucked: float = 0.0
    wet: float = 0.3
    seed: int = 0


def random_mouth(random: np.random.Generator) -> Mouth:
    """Teeth from white to yellow, mostly even, seldom with a gap, one missing or one of gold."""
    yellow = random.beta(1.6, 2.6)
    red, green, blue = np.array((0.76, 0.69 - 0.05 * yellow, 0.58 - 0.2 * yellow)) * (
        random.uniform(0.75, 1.05)
    )
    dark = random.uniform(0.55, 1.1)
    return Mouth(
        teeth=(float(red), float(green), float(blue)),
        gums=(0.42 * dark, 0.17 * dark, 0.16 * dark),
        width=float(random.normal(1, 0.05)),
        gap=float(random.uniform(0.01, 0.03)) if random.random() < 0.08 else 0.0,
        crooked=float(random.beta(1.2, 2.5)),
        missing=int(random.integers(_COUNT)) if random.random() < 0.03 else -1,
        gold=int(random.integers(_COUNT)) if random.random() < 0.02 else -1,
        seam=float(random.uniform(0.2, 0.5)),
        tucked=1.0,
        wet=float(random.uniform(0.35, 0.7)),
        seed=int(random.integers(2**31)),
    )


def tuck_tongue(points: Array, mouth: Mouth) -> Array:
    """(V, 3) ``points`` with the tongue narrower and farther back, clear of the teeth."""
    if mouth.tucked == 0:
        return points
    head = head_model()
    tongue = head.vertices_of("tongue")
    out = points.copy()
    x, z = out[tongue, 0], out[tongue, 2]
    # A tongue that is put out stays where it is.
    out_by = z.max() - points[head.vertices_of("teeth"), 2].max()
    amount = mouth.tucked * float(np.clip((0.06 - out_by) / 0.06, 0, 1))
    middle = 0.5 * (x.min() + x.max())
    out[tongue, 0] = middle + (x - middle) * np.float32(1 - 0.2 * amount)
    out[tongue, 1] -= np.float32(0.03 * amount)
    out[tongue, 2] -= np.float32(0.05 * amount)
    return out


def paint_mouth(paint: Array, sheet: Canvas, mouth: Mouth, lips: Colour) -> None:
    """Teeth, gums, tongue, lining and the lips' seam into the (size, 2 size, 6) paint."""
    rows, columns = sheet.tile("teeth")
    strip = sheet.size // 16
    random = np.random.default_rng([mouth.seed, 4])
    way = tooth_distance()
    across = np.linspace(way[0], way[-1], columns.stop - columns.start)
    for lower, widths, reach in (
        (False, _UPPER, _UPPER_REACH),
        (True, _LOWER, _LOWER_REACH),
    ):
        first = rows.start + lower * strip
        tile = paint[first : first + strip, columns]
        _arch(tile[::-1] if lower else tile, across, np.array(widths), reach, mouth, random, lower)
    _line_mouth(paint[sheet.tile("mouth")], np.array(lips))
    grain = random.random((sheet.size // 8, sheet.size // 8))
    _paint_tongue(paint[sheet.tile("tongue")], grain, mouth.wet)
    if mouth.seam > 0:
        near = rim_texels(sheet.size, "seam", 0.022)
        row, column = near.where.T
        paint[row, column, :3] *= 1 - np.float32(mouth.seam) * near.weight[:, None]


def _arch(
    tile: Array,
    across: NDArray[np.float64],
    widths: NDArray[np.float64],
    reach: NDArray[np.float64],
    mouth: Mouth,
    random: np.random.Generator,
    lower: bool,
) -> None:
    """One row of teeth; the first row of the tile is the gums'."""
    width = np.concatenate([widths[::-1], widths]) * mouth.width
    width *= 1 + 0.09 * mouth.crooked * random.standard_normal(_COUNT)
    ends = np.append(0, np.cumsum(width))
    ends += 0.5 * mouth.gap * (np.arange(_COUNT + 1) > _COUNT // 2) - ends[_COUNT // 2]
    ends[: _COUNT // 2] -= 0.5 * mouth.gap
    length = np.concatenate([reach[::-1], reach]) - 0.05 * mouth.crooked * random.random(_COUNT)
    shade = 1 - 0.12 * (0.3 + mouth.crooked) * random.random(_COUNT)
    out = 0.004 * mouth.crooked * random.standard_normal(_COUNT)
    colour = np.tile(np.array(mouth.teeth), (_COUNT, 1)) * shade[:, None]
    # Canines are yellower than the teeth beside them.
    colour[[4, 9]] *= (0.97, 0.93, 0.84)
    if not lower:
        if mouth.gold >= 0:
            colour[mouth.gold] = _GOLD
        if mouth.missing >= 0:
            colour[mouth.missing] = 0.015
    which = np.clip(np.searchsorted(ends, across) - 1, 0, _COUNT - 1)
    half = 0.5 * width[which]
    inside = (across - 0.5 * (ends[which] + ends[which + 1])) / half
    if mouth.gap:
        # The gap belongs to the tooth right of the midline, whose own middle is beside it.
        right = which == _COUNT // 2
        inside[right] = (across[right] - ends[_COUNT // 2 + 1]) / half[right] + 1
    _paint_arch(
        tile, across, which, np.abs(inside), half, colour, length, out, np.array(mouth.gums),
        mouth.wet, 0.86 if lower else 1.0,
    )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def _paint_arch(
    tile: Array,
    across: NDArray[np.float64],
    which: NDArray[np.int64],
    inside: NDArray[np.float64],
    half: NDArray[np.float64],
    colour: NDArray[np.float64],
    length: NDArray[np.float64],
    out: NDArray[np.float64],
    gums: NDArray[np.float64],
    wet: float,
    level: float,
) -> None:
    rows, columns = tile.shape[:2]
    texel = across[1] - across[0]
    for column in range(columns):
        k, p = which[column], inside[column]
        # The cheeks keep light from the back teeth.
        side = min(abs(across[column]) / 0.42, 1.0)
        lit = level * (1 - 0.78 * side * side)
        soft = max(texel / half[column], 0.06)
        between = min(max((p - 1 + 1.3 * soft) / (1.3 * soft), 0.0), 1.0)
        # A line that one texel is too coarse for is fainter instead.
        line = 1 - 0.6 * between * math.sqrt(0.06 / soft)
        bulge = 0.012 * (1 - min(p, 1.0) ** 4) + out[k]
        smooth = 0.45 if colour[k, 0] > 0.05 else 0.0
        for row in range(rows):
            down = (row + 0.5) / rows
            gum = min(max((0.30 + 0.13 * p * p - down) * rows * 0.7 + 0.5, 0.0), 1.0)
            beyond = min(max((down - length[k] + 0.09 * p**4) * rows * 0.8 + 0.5, 0.0), 1.0)
            # Yellower towards the gums, thin and grey towards the edge.
            root = max(1 - (down - 0.3) / 0.35, 0.0)
            thin = max((down - 0.8) / 0.2, 0.0)
            for c in range(3):
                tint = 1 - (0.05, 0.10, 0.20)[c] * root - (0.16, 0.13, 0.08)[c] * thin
                value = min(1.3 * colour[k, c], 0.97) * tint * line
                value += (gums[c] * (1 - 0.25 * between) - value) * gum
                value += ((0.03, 0.008, 0.008)[c] - value) * beyond
                tile[row, column, c] = value * lit
            tile[row, column, 3] = (smooth + (0.5 * wet - smooth) * gum) * (1 - beyond) * lit
            tile[row, column, 4] = bulge + (0.008 - bulge) * gum


def _line_mouth(tile: Array, lips: NDArray[np.float64]) -> None:
    """The cheeks' inside: the lips' flesh in front, dark behind."""
    deep = np.linspace(0, 1, tile.shape[0])[:, None, None]
    front = 0.7 * lips * (1.0, 0.8, 0.85)
    tile[..., :3] = front * np.clip(1 - deep / 0.6, 0, 1) ** 2 + (0.03, 0.007, 0.006)
    tile[..., 3] = 0.25 * np.clip(1 - deep[..., 0] / 0.4, 0, 1)


def _paint_tongue(tile: Array, grain: NDArray[np.float64], wet: float) -> None:
    """A tongue from tip (first row) to root, with its groove and its rough top."""
    side = tile.shape[0]
    deep = np.linspace(0, 1, side)[:, None]
    across = np.linspace(-1, 1, side)[None]
    groove = np.exp(-((across / 0.12) ** 2)) * np.clip(deep * 4, 0, 1)
    level = np.clip(1 - deep / 0.75, 0, 1) ** 1.3 * (0.82 + 0.3 * grain) * (1 - 0.3 * groove)
    level *= 1 - 0.45 * across**2
    tile[..., :3] = np.array((0.36, 0.125, 0.115)) * level[..., None] + (0.012, 0.003, 0.003)
    tile[..., 3] = wet * np.clip(1 - deep / 0.5, 0, 1)
    tile[..., 4] = 0.006 * grain - 0.01 * groove
