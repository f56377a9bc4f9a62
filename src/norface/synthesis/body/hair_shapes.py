"""The surfaces of hair: shells over the scalp that end in a fringe, at the hairline, or fall."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.hair_paint import HAIR_END, HAIR_FUZZ
from norface.synthesis.body.scalp import over_head
from norface.synthesis.body.steps import smooth_step
from norface.synthesis.body.surface import Surface, grid_faces

Array = NDArray[np.float32]

_ROWS, _COLUMNS = 22, 61
_AROUND: Final = np.linspace(-np.pi, np.pi, _COLUMNS)
_ASIDE: Final = np.abs(_AROUND)
_TURNS: Final = 3

# Where the hair ends: degrees from the crown at each angle from the front (radians).
_LINE_AT: Final = (0.0, 0.35, 0.6, 0.85, 1.05, 1.2, 1.36, 1.48, 1.6, 1.9, 2.05, 2.4, np.pi)
_LINE: Final = (48.0, 48.0, 49.5, 54.0, 63.0, 80.0, 100.0, 100.0, 82.0, 83.0, 86.0, 102.0, 113.0)
# The angle at which falling hair leaves the head.
_FALL: Final = 86.0


def hair_surfaces(
    canvas: Canvas, mapped: Array, hair: Hair, *, pressed: bool = False
) -> list[Surface]:
    """Everything of the hair that stands off the head.

    Args:
        canvas: where paint goes.
        mapped: the person's head map.
        hair: the hair.
        pressed: whether something on the head presses it flat.
    """
    if hair.style in ("bald", "shaved") or hair.scalp == 0:
        return []
    if pressed:
        hair = replace(
            hair, volume=min(hair.volume, 0.05), fringe=0.0, curl=min(hair.curl, 0.5), wisps=0
        )
    random = np.random.default_rng([hair.seed, 3])
    down, lift, drop, share = _columns(hair, random, pressed)
    points = over_head(_AROUND, down, lift, mapped)
    _fall(points, drop, hair)
    surfaces = [_strands(canvas, points, share, down, drop)]
    if hair.curl > 0.5 and not pressed and hair.volume > 0.1:
        outer = over_head(_AROUND, down, 1.04 * lift + 0.025, mapped)
        _fall(outer, drop, hair)
        surfaces.append(_fuzz(canvas, outer, share))
    if hair.wisps:
        surfaces.append(_wisps(canvas, mapped, hair, random))
    if hair.style in ("bun", "ponytail") and not pressed:
        surfaces.append(_gathered(canvas, mapped, hair, random))
    return surfaces


def _columns(
    hair: Hair, random: np.random.Generator, pressed: bool
) -> tuple[Array, Array, Array, NDArray[Any]]:
    """(R, C) angles from the crown, lifts off the skin, drops (decimetres), and (R, 1) shares."""
    share = (np.linspace(0, 1, _ROWS) ** 0.75)[:, None]
    front = smooth_step(1.1, 0.75, _ASIDE)
    end = np.interp(_ASIDE, _LINE_AT, _LINE)
    end += np.convolve(random.normal(0, 1.6, _COLUMNS), (0.25, 0.5, 0.25), mode="same")
    end -= front * (60 * hair.line + 7 * hair.recede)
    end -= 20 * hair.recede * np.exp(-(((_ASIDE - 0.62) / 0.26) ** 2))
    swept = 0.6 + 0.4 * np.tanh(-4 * hair.parting * _AROUND)
    end += front * swept * 58 * hair.fringe + 1.5 * hair.fringe * random.normal(0, 1.5, _COLUMNS)
    falls = np.zeros(_COLUMNS)
    if hair.length > 0:
        first = 1.2 if hair.before_ears else 2.02
        falls = smooth_step(first - 0.12, first + 0.12, _ASIDE)
        end = end + falls * (np.minimum(end, _FALL) - end)
    start = np.zeros(_COLUMNS)
    if hair.style == "receding":
        # A wreath of hair around a bare crown.
        start = np.interp(_ASIDE, (0.0, 0.9, 1.2, np.pi), (60.0, 60.0, 62.0, 58.0))
        end = np.maximum(end, start)
    path = np.minimum(share * (1 + 0.6 * falls * (hair.length > 0)), 1)
    down = start + path * (end - start)
    uneven = random.normal(0, 1 + 0.06 * random.standard_normal(_COLUMNS), _COLUMNS)
    fallen = (hair.length + 0.18) * falls * (1 + 0.05 * uneven)
    drop = np.clip(share * 1.6 - 0.6, 0, 1) * fallen

    edge = np.maximum(front * (hair.fringe > 0.1) * 0.45, falls)
    power = 4.0 + 4.0 * hair.curl
    shape = 1 - share**power * (1 - edge)
    if hair.style == "receding":
        shape = shape * np.clip(share * 3, 0, 1)
    top = np.exp(-((down / 55) ** 2))
    lift = hair.volume * (0.75 + 0.35 * top) * shape
    lift *= 1 + 0.25 * hair.parting * np.sign(_AROUND) * np.sin(_ASIDE) * top
    # Falling hair stands off the sides of the head, too.
    lift *= 1 + 0.35 * falls * np.exp(-(((down - 66) / 22) ** 2))
    if hair.style == "quiff" and not pressed:
        rise = np.exp(-((_AROUND / 0.75) ** 2)) * np.exp(-(((down - 33) / 15) ** 2))
        lift = lift + (0.26 + 0.3 * hair.volume) * rise
    if hair.style in ("side part", "bob", "long", "wavy") and not pressed:
        # The hair lies flat along the parting.
        groove = np.exp(-(((_AROUND - 0.9 * hair.parting) / 0.10) ** 2))
        lift = lift * (1 - 0.6 * groove * np.exp(-((down / 50) ** 4)))
    if hair.length > 0:
        over_ear = np.exp(-(((_ASIDE - 1.75) / 0.4) ** 4)) * smooth_step(62.0, 80.0, down) * falls
        lift = np.maximum(lift, (0.13 + 0.04 * hair.curl) * over_ear)
    lift = lift * (1 + (0.14 + 0.2 * hair.curl) * _lumps(random, 6, 14))
    lift += 0.05 * hair.curl * _lumps(random, 16, 40) * (lift > 0.03)
    # Where there is none, it lies inside of the head.
    lift = np.where(end - start < 4, -0.06, np.maximum(lift, 0.012))
    return _thin(down), _thin(lift), _thin(drop), share


def _thin(values: NDArray[Any]) -> Array:
    return np.ascontiguousarray(values, np.float32)


def _lumps(random: np.random.Generator, rows: int, columns: int) -> NDArray[Any]:
    """(R, C) smooth noise whose last column is its first."""
    coarse = random.standard_normal((rows, columns))
    coarse[:, -1] = coarse[:, 0]
    # The crown is one point: what differs around it would be a star.
    coarse[0] = coarse[0].mean()
    return _stretch(_stretch(coarse, _ROWS).T, _COLUMNS).T


def _stretch(values: NDArray[Any], count: int) -> NDArray[Any]:
    """Rows interpolated to ``count`` of them."""
    at = np.linspace(0, len(values) - 1, count)
    before = np.minimum(at.astype(np.int64), len(values) - 2)
    share = (at - before)[:, None]
    return np.asarray(values[before] * (1 - share) + values[before + 1] * share)


def _fall(points: Array, drop: Array, hair: Hair) -> None:
    """Let hair fall, in place: down, a little outward, in waves, over the shoulders."""
    if hair.length == 0:
        return
    x, z = points[..., 0], points[..., 2]
    share = drop / (drop.max() + 1e-6)
    wave = 0.05 * min(hair.curl * 1.6, 1) * np.sin(drop * 9 + 5 * np.sin(3 * _AROUND)) * (drop > 0)
    inward = 0.25 if hair.length < 1.0 else 0.0
    spread = 1 + (0.10 + 0.25 * hair.curl) * share - inward * share**3 + wave
    points[..., 0] = x * spread
    points[..., 1] -= drop
    front = np.clip((2.0 - _ASIDE) / 0.6, 0, 1)
    points[..., 2] = -0.75 + (z + 0.75) * spread + 0.45 * front * np.clip(drop - 1.0, 0, 1.2)


def _uv(canvas: Canvas, across: NDArray[Any], along: NDArray[Any]) -> Array:
    """Texels of the hair's tile: across 0 to 1 around the head, along 0 (root) to 1."""
    rows, columns = canvas.tile("hair")
    # Several turns of the strip, folded so that it has no seam.
    folded = np.abs((across * _TURNS) % 2 - 1)
    u = columns.start + 1 + folded * (columns.stop - columns.start - 3)
    v = rows.start + 1 + along * (rows.stop - rows.start - 3)
    return np.stack(np.broadcast_arrays(u, v), axis=-1).reshape(-1, 2).astype(np.float32)


def _strands(
    canvas: Canvas, points: Array, share: NDArray[Any], down: Array, drop: Array
) -> Surface:
    """The shell itself; its last stretch, of the same length everywhere, is cut into strands."""
    length = 0.017 * (down[-1] - down[0]) + drop[-1]
    left = length * (1 - share)
    edge = np.clip(0.35 * length, 0.05, 0.30)
    body = 1 - (left - edge) / np.maximum(length - edge, 1e-3)
    first = np.where(down[0] > 1, 0.0, 0.12)
    along = np.where(left < edge, 1 - 0.3 * left / edge, first + (0.7 - first) * body) * HAIR_END
    uv = _uv(canvas, np.broadcast_to(np.linspace(0, 1, _COLUMNS), points.shape[:2]), along)
    return Surface(points.reshape(-1, 3), grid_faces(_ROWS, _COLUMNS), uv, "hair", cutout=True)


def _fuzz(canvas: Canvas, points: Array, share: NDArray[Any]) -> Surface:
    """Loose hair just outside of curly hair: mostly holes."""
    zigzag = np.abs((share * 8) % 2 - 1)
    along = HAIR_FUZZ + zigzag * (1 - HAIR_FUZZ)
    across = np.broadcast_to(np.linspace(0, 1, _COLUMNS), points.shape[:2])
    uv = _uv(canvas, across, np.broadcast_to(along, across.shape))
    return Surface(points.reshape(-1, 3), grid_faces(_ROWS, _COLUMNS), uv, "hair", cutout=True)


def _wisps(canvas: Canvas, mapped: Array, hair: Hair, random: np.random.Generator) -> Surface:
    """Thin locks that hang from the hairline over the forehead."""
    rows = 6
    t = np.linspace(0, 1, rows)[:, None]
    at = random.uniform(-0.75, 0.75, hair.wisps)
    line = np.interp(np.abs(at), _LINE_AT, _LINE) - 60 * hair.line - 12 * hair.recede - 4
    reach = random.uniform(6, 24, hair.wisps) + 50 * hair.fringe
    bend = random.normal(0, 0.12, hair.wisps) + 0.1 * hair.parting
    wide = random.uniform(0.03, 0.08, hair.wisps)
    points, uv, faces = [], [], []
    for i in range(hair.wisps):
        middle = at[i] + bend[i] * t**1.5 + 0.03 * hair.curl * np.sin(9 * t)
        around = middle + wide[i] * (1 - 0.75 * t) * np.array((-1, 1))
        down = np.broadcast_to(line[i] + reach[i] * t, around.shape)
        lift = 0.03 + 0.5 * hair.volume * np.sin(np.pi * np.minimum(t + 0.15, 1))
        points.append(over_head(_thin(around), _thin(down), _thin(lift), mapped).reshape(-1, 3))
        across = (i * 0.37 + np.array((0.0, 0.05))) % 0.3
        uv.append(_uv(canvas, np.broadcast_to(across, (rows, 2)), (0.3 + 0.6 * t) * HAIR_END))
        faces.append(grid_faces(rows, 2) + np.int32(2 * rows * i))
    return Surface(
        np.concatenate(points), np.concatenate(faces), np.concatenate(uv), "hair", cutout=True
    )


def _gathered(canvas: Canvas, mapped: Array, hair: Hair, random: np.random.Generator) -> Surface:
    """A bun on the head, or a tail behind it."""
    rows, columns = 12, 19
    t = np.linspace(0, np.pi, rows)[:, None]
    turn = np.linspace(-np.pi, np.pi, columns)[None]
    if hair.style == "bun":
        down, size = float(random.uniform(8, 75)), float(random.uniform(0.22, 0.36))
        length = size
    else:
        down, size, length = float(random.uniform(30, 70)), 0.2, float(random.uniform(0.7, 1.3))
    root = over_head(
        np.array([np.pi], np.float32), _thin(np.array([[down]])), _thin(np.array([[0.1]])), mapped
    )[0, 0]
    swell = 1 + 0.12 * _lumps(random, 5, 7)[:rows, :columns]
    swell[:, -1] = swell[:, 0]
    x = size * np.sin(t) * np.sin(turn) * swell
    y = length * np.cos(t) + 0 * turn - (length - size)
    z = size * np.sin(t) * np.cos(turn) * swell
    side = 0.35 * hair.parting * (hair.style == "ponytail") * (t / np.pi) ** 1.5
    points = np.stack([x + side, y, z], axis=-1) + root + (0, 0.08, -0.08)
    uv = _uv(canvas, turn / (2 * np.pi) + 0.5 + 0 * t, (0.15 + 0.5 * t / np.pi) * HAIR_END)
    return Surface(points.reshape(-1, 3).astype(np.float32), grid_faces(rows, columns), uv, "hair")
