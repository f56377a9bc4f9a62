"""Where paint goes: the unrolled head, and the maps that say what lies where on it.

The skin is unrolled around a vertical axis inside the head, with most texels spent on the face. The
maps depend on the mean head alone, so they are made once for each resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.head import HeadModel, head_model
from norface.synthesis.body.places import Areas, Folds, find_areas, find_folds, smooth_field

Array = NDArray[np.float32]

_AXIS_Z = -0.8
_TOP, _BOTTOM = 1.2, -1.5
_SPREAD = 1.3
LIP_RINGS = 7
LID_RINGS = 2


@dataclass(frozen=True)
class Canvas:
    """The unrolled head at one resolution.

    Attributes:
        size: side of the skin's square, in texels; the whole paint is (size, 2 size).
        uv: (V, 2) place of each head vertex in the paint.
        place: (size, size, 3) point of the mean head under each texel.
        lips, lids: (size, size) 0 to 1.
        front: (size, size) whether the texel is on the face, ears or neck, not behind.
        areas: fields and lists of texels: where blood shows, brows grow and so on.
        folds: where the skin can wrinkle.
        noise: (size, size, 4) smooth to fine random fields of unit variance, tileable; their
            grains are 1/8, 1/24 and 1/80 of the sheet and one texel.
    """

    size: int
    uv: Array
    place: Array
    lips: Array
    lids: Array
    front: NDArray[np.bool_]
    areas: Areas
    folds: Folds
    noise: Array

    def tile(self, name: str) -> tuple[slice, slice]:
        """Rows and columns of a flat or special tile beside the skin."""
        return _tiles(self.size)[name]


@cache
def _tiles(size: int) -> dict[str, tuple[slice, slice]]:
    half, eighth = size // 2, size // 8
    columns = slice(size, size + half)
    rows = {
        "eyes": slice(0, half),
        "hair": slice(half, half + 2 * eighth),
        "teeth": slice(half + 2 * eighth, half + 3 * eighth),
    }
    tiles = {name: (row, columns) for name, row in rows.items()}
    last = slice(half + 3 * eighth, size)
    for i, name in enumerate(("mouth", "tongue", "socket", "cloth")):
        tiles[name] = (last, slice(size + i * eighth, size + (i + 1) * eighth))
    columns = slice(size + half, 2 * size)
    tiles["covering"] = (slice(0, half), columns)
    tiles["hand"] = (slice(half, half + 2 * eighth), columns)
    tiles["mask"] = (slice(half + 2 * eighth, half + 3 * eighth), columns)
    for i, name in enumerate(("lash", "frame", "lens", "beard")):
        first = size + half + i * eighth
        tiles[name] = (last, slice(first, first + eighth))
    return tiles


@cache
def canvas(size: int) -> Canvas:
    """The canvas with a skin of ``size`` x ``size`` texels (a multiple of 8)."""
    head = head_model()
    uv = _unroll(head, size)
    skin_faces = head.faces[head.region == head.region_names.index("skin")]
    lip = np.clip(1 + LIP_RINGS - _rings(head, "mouth"), 0, 1)
    lid = np.clip(1 + LID_RINGS - _rings(head, "socket"), 0, 1)
    values = np.concatenate([head.mean, lip[:, None], lid[:, None]], axis=1)
    baked = _bake(values.astype(np.float32), uv, skin_faces, size)
    place = baked[..., :3]
    lips = smooth_field(baked[..., 3], size / 400)
    lids = smooth_field(baked[..., 4], size / 500)
    return Canvas(
        size=size,
        uv=uv,
        place=place,
        lips=lips,
        lids=lids,
        front=place[..., 2] > -0.9,
        areas=find_areas(place, lips, lids),
        folds=find_folds(place),
        noise=_noise(size),
    )


def _unroll(head: HeadModel, size: int) -> Array:
    x, y, z = head.mean.astype(np.float64).T
    angle = np.arctan2(x, z - _AXIS_Z)
    across = 0.5 + 0.5 * np.tanh(_SPREAD * angle) / np.tanh(_SPREAD * np.pi)
    down = (_TOP - y) / (_TOP - _BOTTOM)
    uv = np.stack([across, down], axis=1) * (size - 1)
    for name in ("eye_left", "eye_right"):
        used = head.vertices_of(name)
        centre = 0.5 * (head.mean[used].min(0) + head.mean[used].max(0))
        radius = 0.5 * np.ptp(head.mean[used, 1])
        rows, columns = _tiles(size)["eyes"]
        middle = np.array([columns.start + columns.stop, rows.start + rows.stop]) / 2
        offset = (head.mean[used, :2] - centre[:2]) / radius * (1, -1)
        uv[used] = middle + offset * (size / 4 - 2)
    for name in ("socket", "mouth", "tongue"):
        rows, columns = _tiles(size)[name]
        inside = np.setdiff1d(head.vertices_of(name), head.vertices_of("skin"))
        uv[inside] = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
    rows, columns = _tiles(size)["teeth"]
    used = head.vertices_of("teeth")
    grid = np.arange(len(used)) % 132
    uv[used, 0] = columns.start + 2 + (grid // 4) / 32 * (size / 2 - 4)
    uv[used, 1] = rows.start + 1 + (grid % 4) / 3 * (size / 8 - 3)
    return uv.astype(np.float32)


def _rings(head: HeadModel, hole: str) -> Array:
    """(V,) number of edges from the hole's rim, over the skin; 99 far away."""
    skin_faces = head.faces[head.region == head.region_names.index("skin")]
    ring = np.full(len(head.mean), 99.0, np.float32)
    ring[np.intersect1d(head.vertices_of("skin"), head.vertices_of(hole))] = 0
    for step in range(1, 12):
        touching = skin_faces[(ring[skin_faces] < step).any(axis=1)].ravel()
        ring[touching] = np.minimum(ring[touching], step)
    return ring


def _bake(values: Array, uv: Array, faces: NDArray[np.int32], size: int) -> Array:
    """(size, size, C) values of the skin's vertices spread over its texels."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    used = np.unique(faces)
    # Triangles that wrap round the back of the head would smear: the back is under hair anyway.
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1)
    smooth = LinearNDInterpolator(uv[used], values[used])(grid)
    nearest = NearestNDInterpolator(uv[used], values[used])(grid)
    return np.asarray(np.where(np.isnan(smooth), nearest, smooth), np.float32)


def _noise(size: int) -> Array:
    random = np.random.default_rng(7)
    fields = []
    for cells in (8, 24, 80, size):
        coarse = random.standard_normal((cells, cells))
        field = _spread(_spread(coarse, size).T, size).T if cells < size else coarse
        fields.append((field - field.mean()) / field.std())
    return np.ascontiguousarray(np.stack(fields, axis=-1), np.float32)


def _spread(coarse: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Rows interpolated by cubics to ``size`` rows, the last running into the first."""
    count = len(coarse)
    at = np.arange(size) * count / size
    first = np.floor(at).astype(np.int64)
    t = (at - first)[:, None]
    a, b, c, d = (coarse[(first + k) % count] for k in (-1, 0, 1, 2))
    slope, bend = 0.5 * (c - a), a - 2.5 * b + 2 * c - 0.5 * d
    return np.asarray(b + t * (slope + t * (bend + t * (0.5 * (d - a) + 1.5 * (b - c)))))
