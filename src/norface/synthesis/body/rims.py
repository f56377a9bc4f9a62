"""The edges of the skin's holes: the lids and the lips' seam, and what lies behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas, canvas
from norface.synthesis.body.head import head_model

Array = NDArray[np.float32]
Indices = NDArray[np.int64]

BALL_RADIUS = 0.165
"""Radius of the mean head's eyeballs, decimetres; they are turned about ``ball_centre``."""


@dataclass(frozen=True)
class LidRims:
    """Vertices along one eye's lids, both from the inner to the outer corner."""

    upper: Indices
    lower: Indices


def ball_centre(side: int) -> NDArray[np.float64]:
    """(3,) centre of the mean head's eyeball; ``side`` is 1 for the person's left, else -1."""
    return np.array((0.31 * side, 0.00237, -0.03533))


@cache
def lid_rims(side: int, ring: int = 0) -> LidRims:
    """The lids of the person's left (1) or right (-1) eye.

    Args:
        side: which eye.
        ring: how many edges from the rim next to the ball, which the lids' front hides: 2 is what
            is seen of the lids' edge from in front, 3 is where lashes grow.
    """
    head = head_model()
    loop = np.flatnonzero((_lid_rings() == ring) & (head.mean[:, 0] * side > 0))
    x, y = head.mean[loop, 0] * side, head.mean[loop, 1]
    middle = 0.5 * (x.min() + x.max()), 0.5 * (y.min() + y.max())
    order = np.argsort(np.arctan2(y - middle[1], x - middle[0]))
    loop, x = loop[order], x[order]
    # Anticlockwise from the inner corner: first the lower lid, then the upper one.
    start = int(x.argmin())
    loop, x = np.roll(loop, -start), np.roll(x, -start)
    outer = int(x.argmax())
    return LidRims(np.append(loop[outer:], loop[0])[::-1].copy(), loop[: outer + 1])


@cache
def _lid_rings() -> NDArray[np.int64]:
    """(V,) number of edges from the lids' rims, over the skin; 9 far away."""
    head = head_model()
    skin = head.faces[head.region == head.region_names.index("skin")]
    ring = np.full(len(head.mean), 9)
    ring[np.intersect1d(head.vertices_of("skin"), head.vertices_of("socket"))] = 0
    for step in range(1, 4):
        touching = skin[(ring[skin] < step).any(axis=1)].ravel()
        ring[touching] = np.minimum(ring[touching], step)
    return ring


@cache
def inner_places(size: int) -> Array:
    """(V, 2) place in the paint of each vertex, with room for what lies inside the head.

    As ``Canvas.uv``, but each eyeball has a square of its own, mirrored on the right so that both
    show the nose's side at their left, both rows of teeth have a strip of their own, along which
    texels are as wide as teeth are, and tongue and mouth have depth.
    """
    sheet, head = canvas(size), head_model()
    uv, mean = sheet.uv.copy(), head.mean
    for side, name in ((1, "eye_left"), (-1, "eye_right")):
        used = head.vertices_of(name)
        offset = (mean[used] - ball_centre(side))[:, :2] / BALL_RADIUS * (side, -1)
        rows, columns = ball_tile(sheet, side)
        middle = np.array([columns.start + columns.stop, rows.start + rows.stop]) / 2 - 0.5
        uv[used] = middle + offset * ball_texels(size)
    rows, columns = sheet.tile("teeth")
    teeth = head.vertices_of("teeth").reshape(2, -1, 4)
    along = tooth_distance()
    for row, line in enumerate(teeth):
        first = rows.start + row * size // 16
        uv[line, 0] = (columns.start + (along / np.ptp(along) + 0.5) * (size / 2 - 1))[:, None]
        uv[line, 1] = first + np.linspace(0, size / 16 - 1, 4)
    for name, front, back in (("tongue", 0.09, -0.67), ("mouth", 0.23, -0.4)):
        used = np.setdiff1d(head.vertices_of(name), head.vertices_of("skin"))
        rows, columns = sheet.tile(name)
        depth = np.clip((front - mean[used, 2]) / (front - back), 0, 1)
        across = np.clip(0.5 + mean[used, 0] / 0.48, 0, 1)
        uv[used, 0] = columns.start + 1 + across * (size / 8 - 3)
        uv[used, 1] = rows.start + 1 + depth * (size / 8 - 3)
    return uv


def ball_tile(sheet: Canvas, side: int) -> tuple[slice, slice]:
    """Rows and columns of the square of one eyeball in the paint."""
    rows, columns = sheet.tile("eyes")
    quarter = sheet.size // 4
    first = columns.start + (0 if side == 1 else quarter)
    return slice(rows.start, rows.start + quarter), slice(first, first + quarter)


def ball_texels(size: int) -> float:
    """Texels in an eyeball's radius."""
    return size / 8 - 2


@cache
def tooth_distance() -> NDArray[np.float64]:
    """(33,) way along the teeth's arch from the midline, decimetres, of its columns of vertices."""
    head = head_model()
    line = head.mean[head.vertices_of("teeth").reshape(2, -1, 4)[0, :, 0]]
    way = np.append(0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1)))
    return np.asarray(way - way[-1] / 2, np.float64)


@dataclass(frozen=True)
class RimTexels:
    """Texels of the skin near a rim.

    Attributes:
        where: (N, 2) row and column.
        weight: (N,) 1 at the rim to 0.
    """

    where: NDArray[np.int32]
    weight: Array


@cache
def rim_texels(size: int, rim: str, width: float) -> RimTexels:
    """Texels within about ``width`` decimetres of a rim: "seam", "upper lid" or "lower lid"."""
    sheet, head = canvas(size), head_model()
    if rim == "seam":
        used = np.intersect1d(head.vertices_of("skin"), head.vertices_of("mouth"))
    else:
        lids = [lid_rims(side, 2) for side in (1, -1)]
        used = np.concatenate([lid.upper if rim == "upper lid" else lid.lower for lid in lids])
    points = head.mean[used].astype(np.float64)
    low, high = points.min(0) - 2 * width, points.max(0) + 2 * width
    near = np.argwhere(((sheet.place > low) & (sheet.place < high)).all(axis=-1))
    place = sheet.place[near[:, 0], near[:, 1]]
    gap = np.sqrt(((place[:, None] - points[None]) ** 2).sum(-1)).min(axis=1)
    weight = np.clip(1 - gap / width, 0, 1)
    inside = weight > 0
    return RimTexels(near[inside].astype(np.int32), weight[inside].astype(np.float32))
