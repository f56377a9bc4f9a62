"""Where paint goes: the unrolled head, and the maps that say what lies where on it.

The skin is unrolled around a vertical axis inside the head, with most texels spent on the face. The
maps depend on the mean head alone, so they are made once for each resolution.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.head import HeadModel, head_model

Array = NDArray[np.float32]

_AXIS_Z = -0.8
_TOP, _BOTTOM = 1.2, -1.5
_SPREAD = 1.3
LIP_RINGS = 7
LID_RINGS = 2

WRINKLES = (
    "forehead", "glabella", "crow's feet", "under the eye", "nasolabial", "nose bridge",
    "chin", "dimple", "marionette",
)  # fmt: skip

# Polylines on the left half of the mean head (x, y in decimetres): centre lines of each wrinkle.
_WRINKLE_LINES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "forehead": tuple(
        ((0.0, y), (0.15, y + 0.015), (0.3, y + 0.02), (0.46, y - 0.02))
        for y in (0.40, 0.48, 0.57, 0.66)
    ),
    "glabella": (((0.055, 0.10), (0.06, 0.18), (0.075, 0.28)),),
    "crow's feet": (
        ((0.50, 0.02), (0.58, 0.07), (0.64, 0.10)),
        ((0.505, -0.01), (0.59, 0.0), (0.66, 0.0)),
        ((0.50, -0.04), (0.57, -0.08), (0.63, -0.11)),
    ),
    "under the eye": (((0.17, -0.08), (0.27, -0.13), (0.40, -0.12), (0.49, -0.07)),),
    "nasolabial": (((0.17, -0.42), (0.25, -0.52), (0.32, -0.65), (0.345, -0.76)),),
    "nose bridge": (
        ((0.0, 0.03), (0.06, 0.02), (0.10, -0.02)),
        ((0.0, -0.03), (0.06, -0.05), (0.11, -0.10)),
        ((0.0, -0.09), (0.06, -0.12), (0.11, -0.19)),
    ),
    "chin": (),
    "dimple": (((0.30, -0.67), (0.31, -0.73), (0.30, -0.79)),),
    "marionette": (((0.265, -0.76), (0.29, -0.84), (0.30, -0.93)),),
}
_WRINKLE_WIDTH = {"forehead": 0.016, "nasolabial": 0.02, "dimple": 0.02}


@dataclass(frozen=True)
class Canvas:
    """The unrolled head at one resolution.

    Attributes:
        size: side of the skin's square, in texels; the whole paint is (size, 2 size).
        uv: (V, 2) place of each head vertex in the paint.
        place: (size, size, 3) point of the mean head under each texel.
        lips, lids: (size, size) 0 to 1.
        wrinkles: (9, size, size) signed depth of each wrinkle, dark grooves negative.
        noise: (4, size, size) smooth to fine random fields of unit variance, tileable.
    """

    size: int
    uv: Array
    place: Array
    lips: Array
    lids: Array
    wrinkles: Array
    noise: Array

    def tile(self, name: str) -> tuple[slice, slice]:
        """Rows and columns of a flat or special tile beside the skin."""
        return _tiles(self.size)[name]


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
    return Canvas(
        size=size,
        uv=uv,
        place=place,
        lips=np.asarray(cv2.GaussianBlur(baked[..., 3], (0, 0), size / 400), np.float32),
        lids=np.asarray(cv2.GaussianBlur(baked[..., 4], (0, 0), size / 500), np.float32),
        wrinkles=np.stack([_wrinkle(name, place) for name in WRINKLES]),
        noise=_noise(size),
    )


def _unroll(head: HeadModel, size: int) -> Array:
    x, y, z = head.mean.T
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


def _wrinkle(name: str, place: Array) -> Array:
    x, y, front = np.abs(place[..., 0]), place[..., 1], place[..., 2] > -0.7
    if name == "chin":
        bumps = np.sin(x * 95 + 3 * np.sin(y * 70)) * np.sin(y * 88 + 2 * np.sin(x * 61))
        fade = np.exp(-((x / 0.16) ** 2) - ((y + 0.96) / 0.07) ** 2)
        return np.asarray(bumps * fade * front, np.float32)
    width = _WRINKLE_WIDTH.get(name, 0.012)
    depth = np.zeros_like(x)
    for line in _WRINKLE_LINES[name]:
        distance = np.full_like(x, 9.0)
        for (x0, y0), (x1, y1) in itertools.pairwise(line):
            length = (x1 - x0) ** 2 + (y1 - y0) ** 2
            along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
            gap = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
            distance = np.minimum(distance, gap)
        groove = np.exp(-((distance / width) ** 2))
        flank = np.exp(-(((distance - 2.2 * width) / (1.2 * width)) ** 2))
        depth += 0.35 * flank - groove
    return (depth * front).astype(np.float32)


def _noise(size: int) -> Array:
    random = np.random.default_rng(7)
    fields = []
    for cells in (8, 24, 80, size):
        coarse = random.standard_normal((cells, cells)).astype(np.float32)
        tiled = np.tile(coarse, (3, 3))
        field = cv2.resize(tiled, (3 * size, 3 * size), interpolation=cv2.INTER_CUBIC)
        field = field[size : 2 * size, size : 2 * size]
        fields.append((field - field.mean()) / field.std())
    return np.stack(fields).astype(np.float32)
