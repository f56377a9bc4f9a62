"""Eyes: iris, pupil, white, and the lids' shade upon them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.head import Shape, head_model
from norface.synthesis.body.rims import (
    BALL_RADIUS,
    ball_centre,
    ball_texels,
    ball_tile,
    lid_rims,
)

Array = NDArray[np.float32]
Colour = tuple[float, float, float]

_IRIS = (
    (0.035, 0.018, 0.010), (0.075, 0.036, 0.016), (0.14, 0.08, 0.032), (0.12, 0.13, 0.055),
    (0.11, 0.17, 0.22), (0.17, 0.24, 0.29), (0.18, 0.20, 0.20),
)  # fmt: skip
_FIBRES = 96
_SCLERA_SHARE = 0.8
_CARUNCLE = np.array((0.52, 0.24, 0.20))


@dataclass(frozen=True)
class Eyes:
    """What a person's eyes look like. Colours are linear RGB.

    Attributes:
        iris, pupil: colour, and radius as a share of the iris.
        sclera: albedo of the eye's white.
        size: radius of the iris as a share of the eyeball's.
        ring: colour around the pupil (the collarette), and how far it mixes in, 0 to 1.
        ring_amount: see ``ring``.
        limbus: darkness of the iris's rim, 0 to 1.
        fibres: contrast of the iris's fibres, 0 to 1.
        veins: redness of the white, 0 to 1.
        lid_shade: how much lids and lashes darken the ball next to them, 0 to 1.
        wet: moist rim of the lids and flesh in the inner corner, 0 to 1.
        lashes: density of the lashes, 0 (none) to 1.
        lash_length: decimetres.
        mascara: 0 to 1, thickens and lengthens the lashes.
        lash_colour: albedo of the lashes.
        seed: of the iris's fibres, the veins and the lashes.
    """

    iris: Colour
    pupil: float
    sclera: Colour
    size: float = 0.43
    ring: Colour = (0.2, 0.1, 0.03)
    ring_amount: float = 0.0
    limbus: float = 0.75
    fibres: float = 0.3
    veins: float = 0.0
    lid_shade: float = 0.0
    wet: float = 0.0
    lashes: float = 0.0
    lash_length: float = 0.08
    mascara: float = 0.0
    lash_colour: Colour = (0.015, 0.01, 0.008)
    seed: int = 0


def random_eyes(random: np.random.Generator, shape: Shape) -> Eyes:
    """Eyes that fit the ancestry, gender and age."""
    dark = shape.ancestry[2] < 0.5
    african = shape.ancestry[0]
    colours = 1 if african > 0.6 else 2 if dark else len(_IRIS)
    iris = np.array(_IRIS[random.integers(colours)]) * random.uniform(0.8, 1.2)
    old = np.clip((shape.age - 30) / 55, 0, 1)
    yellow = random.uniform(0, 0.4) * (0.5 + 0.5 * old)
    sclera = np.array((0.70, 0.66 - 0.05 * yellow, 0.63 - 0.16 * yellow))
    # Whites have pigment too where skin has much.
    sclera = sclera * random.uniform(0.85, 1.05) * (1 - np.array((0.2, 0.24, 0.3)) * african)
    made_up = shape.gender < 0.5 and random.random() < 0.55
    light = float(random.uniform(0, 1)) * (not dark)
    ring = np.clip(iris * (1.7, 1.15, 0.7) + 0.1 * iris.max(), 0, 0.4)
    return Eyes(
        iris=(float(iris[0]), float(iris[1]), float(iris[2])),
        pupil=float(random.uniform(0.28, 0.5)),
        sclera=(float(sclera[0]), float(sclera[1]), float(sclera[2])),
        size=float(random.normal(0.345, 0.012)),
        ring=(float(ring[0]), float(ring[1]), float(ring[2])),
        ring_amount=float(random.uniform(0, 0.9)),
        limbus=float(random.uniform(0.35, 0.9)) * (1 - 0.5 * float(old)),
        fibres=float(random.uniform(0.3, 0.9)),
        veins=float(random.beta(1.5, 4) + 0.15 * old),
        lid_shade=float(random.uniform(0.75, 1)),
        wet=float(random.uniform(0.6, 1)),
        lashes=float(np.clip(random.normal(0.75, 0.12) - 0.2 * old, 0.2, 0.98)),
        lash_length=float(np.clip(random.normal(0.085, 0.012) - 0.015 * old, 0.05, 0.12)),
        mascara=float(random.uniform(0.3, 1)) if made_up else 0.0,
        lash_colour=(0.012 + 0.06 * light, 0.008 + 0.035 * light, 0.006 + 0.02 * light),
        seed=int(random.integers(2**31)),
    )


def paint_eyes(paint: Array, sheet: Canvas, eyes: Eyes) -> None:
    """Both eyeballs, seen from the front, into their squares of the (size, 2 size, 6) paint."""
    random = np.random.default_rng([eyes.seed, 5])
    fibres = random.standard_normal(_FIBRES)
    fibres += 0.7 * np.roll(fibres, 1)
    phases = random.uniform(0, 2 * math.pi, 6)
    left = paint[ball_tile(sheet, 1)]
    _paint_ball(
        left, ball_texels(sheet.size), np.array(eyes.iris), np.array(eyes.ring),
        _SCLERA_SHARE * np.array(eyes.sclera), eyes.size, eyes.pupil, eyes.ring_amount,
        eyes.limbus, eyes.fibres, eyes.veins, fibres, phases,
    )  # fmt: skip
    paint[ball_tile(sheet, -1)] = left


@numba.njit(cache=True, error_model="numpy")
def _paint_ball(
    tile: Array,
    texels: float,
    iris: NDArray[np.float64],
    ring: NDArray[np.float64],
    white: NDArray[np.float64],
    iris_radius: float,
    pupil: float,
    ring_amount: float,
    limbus: float,
    contrast: float,
    veins: float,
    fibres: NDArray[np.float64],
    phases: NDArray[np.float64],
) -> None:
    side = tile.shape[0]
    soft = 0.5 / texels + 0.02
    count = fibres.shape[0]
    for row in range(side):
        y = (side / 2 - 0.5 - row) / texels
        if abs(y) > 0.8:  # Behind the lids, wherever the eye looks.
            continue
        for column in range(side):
            x = (column + 0.5 - side / 2) / texels
            radius = math.sqrt(x * x + y * y)
            edge = min(max((radius - iris_radius) / (2 * soft) + 0.5, 0.0), 1.0)
            tile[row, column, 3] = 0.92
            tile[row, column, 4] = 0.0
            red, green, blue = 0.0, 0.0, 0.0
            if edge < 1:
                share = radius / iris_radius
                turn = (math.atan2(y, x) / (2 * math.pi) + 0.5) * count
                # Fibres wander a little on their way outward.
                turn += 0.8 * math.sin(5 * share + phases[0] + turn * 0.4)
                low = math.floor(turn)
                mix = turn - low
                fibre = fibres[low % count] * (1 - mix) + fibres[(low + 1) % count] * mix
                collarette = math.exp(-(((share - pupil - 0.16) / 0.07) ** 2))
                level = 0.72 + 0.38 * share + contrast * (0.26 * fibre + 0.25 * collarette)
                level = max(level, 0.25)
                inner = ring_amount * min(max((pupil + 0.38 - share) / 0.22, 0.0), 1.0)
                rim = min(max((share - 0.80) / 0.17, 0.0), 1.0)
                level *= 1 - limbus * rim * rim
                hole = min(max((share - pupil) * iris_radius / (2 * soft) + 0.5, 0.0), 1.0)
                red = 0.008 + (level * (iris[0] + (ring[0] - iris[0]) * inner) - 0.008) * hole
                green = 0.007 + (level * (iris[1] + (ring[1] - iris[1]) * inner) - 0.007) * hole
                blue = 0.007 + (level * (iris[2] + (ring[2] - iris[2]) * inner) - 0.007) * hole
                # The cornea is rounder than the ball; decimetres for a radius of 0.165.
                tile[row, column, 4] = 0.055 * (iris_radius**2 - min(radius, iris_radius) ** 2)
            if edge > 0:
                wide = min(max((abs(x) - iris_radius) / 0.5, 0.0), 1.0)
                wave = y * 13 + 1.6 * math.sin(4.1 * x + phases[1]) + math.sin(9 * x + phases[2])
                thread = math.sin(wave) * math.sin(0.63 * wave + 5 * x + phases[3])
                thread = max(abs(thread) - 0.82, 0.0) * 5.5
                blood = min(veins * wide * (0.5 + 0.9 * thread) + 0.18 * wide, 0.85)
                round_off = 1 - 0.22 * min(radius, 1.0) ** 2
                red += (white[0] * round_off * (1 - 0.10 * blood) - red) * edge
                green += (white[1] * round_off * (1 - 0.48 * blood) - green) * edge
                blue += (white[2] * round_off * (1 - 0.50 * blood) - blue) * edge
            tile[row, column, 0] = red
            tile[row, column, 1] = green
            tile[row, column, 2] = blue


def shade_eyes(paint: Array, sheet: Canvas, points: Array, eyes: Eyes) -> None:
    """Darken the painted eyeballs beside the lids and moisten the lids' rims.

    Args:
        paint: (size, 2 size, 6), with the eyes painted.
        sheet: where things are.
        points: (V, 3) the person's head with the expression.
        eyes: the eyes.
    """
    if eyes.lid_shade == 0 and eyes.wet == 0:
        return
    side_texels, texels = sheet.size // 4, ball_texels(sheet.size)
    across = (np.arange(side_texels) + 0.5 - side_texels / 2) / texels
    for side in (1, -1):
        upper, lower = lid_lines(points, side)
        above = np.interp(across, upper[:, 0], upper[:, 1])
        below = np.interp(across, lower[:, 0], lower[:, 1])
        _shade_ball(
            paint[ball_tile(sheet, side)], texels, above, below, upper[0], eyes.lid_shade,
            eyes.wet, _CARUNCLE,
        )  # fmt: skip


def lid_lines(points: Array, side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The upper and the lower lid as the turned eyeball sees them.

    Returns:
        (N, 2) and (M, 2) x and y in the eyeball's square, in radii from its middle, x growing
        from the nose outward.
    """
    used, solve = _ball_solver(side)
    placed = np.einsum("iv,vk->ik", solve, points[used].astype(np.float64))
    inverse = np.linalg.inv(placed[:3])
    rims = lid_rims(side, 2)
    lines = []
    for rim in (rims.upper, rims.lower):
        seen = np.einsum("vk,ki->vi", points[rim] - placed[3], inverse)
        seen /= np.sqrt((seen**2).sum(1))[:, None]
        x = np.maximum.accumulate(seen[:, 0] * side)
        lines.append(np.stack([x, seen[:, 1]], axis=1))
    return lines[0], lines[1]


@cache
def _ball_solver(side: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Vertices of an eyeball, and (4, V) what finds its axes (in radii) and centre from them."""
    head = head_model()
    used = head.vertices_of("eye_left" if side == 1 else "eye_right")
    offset = (head.mean[used] - ball_centre(side)) / BALL_RADIUS
    return used, np.linalg.pinv(np.append(offset, np.ones((len(used), 1)), axis=1))


@numba.njit(cache=True, error_model="numpy")
def _shade_ball(
    tile: Array,
    texels: float,
    above: NDArray[np.float64],
    below: NDArray[np.float64],
    corner: NDArray[np.float64],
    amount: float,
    wet: float,
    flesh: NDArray[np.float64],
) -> None:
    side = tile.shape[0]
    for column in range(side):
        x = (column + 0.5 - side / 2) / texels
        first = max(int(side / 2 - 0.5 - (above[column] + 0.2) * texels), 0)
        last = min(int(side / 2 - 0.5 - (below[column] - 0.2) * texels), side - 1)
        for row in range(first, last + 1):
            y = (side / 2 - 0.5 - row) / texels
            top, bottom = max(above[column] - y, 0.0), max(y - below[column], 0.0)
            dark = 0.62 * math.exp(-top / 0.13) + 0.22 * math.exp(-bottom / 0.10)
            light = 1 - amount * min(dark + 0.10, 0.9)
            dx, dy = x - corner[0], y - corner[1]
            inner = math.exp(-(dx * dx + 0.8 * dy * dy) / 0.018)
            margin = max(1 - bottom / 0.055, 0.0)
            pink = wet * min(0.95 * inner + 0.7 * margin, 0.95)
            for k in range(3):
                value = tile[row, column, k] * light
                tile[row, column, k] = value + (flesh[k] - value) * pink
