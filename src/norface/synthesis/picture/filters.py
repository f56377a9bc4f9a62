"""Blurs and enlargements that give the same bits on every machine."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.picture.visibility import Number

Array = NDArray[np.float32]


def blur(picture: Array, sigma: float) -> Array:
    """(H, W, C) picture blurred about like a Gaussian of ``sigma`` pixels."""
    if sigma <= 0.05:
        return picture
    # Three boxes, or below their reach one small kernel.
    if sigma < 0.9:
        side = sigma * sigma / 2
        taps = np.array((side, 1 - 2 * side, side)) if side < 0.34 else np.full(3, 1 / 3)
        return _convolve(_convolve(picture, taps.astype(np.float32), 0), taps.astype(np.float32), 1)
    radius = max((np.sqrt(4 * sigma * sigma + 1) - 1) / 2, 0.5)
    whole = int(radius)
    taps = np.ones(2 * whole + 3)
    taps[0] = taps[-1] = radius - whole
    taps = (taps / taps.sum()).astype(np.float32)
    for _ in range(3):
        picture = _convolve(_convolve(picture, taps, 0), taps, 1)
    return picture


def smear(picture: Array, across: float, down: float) -> Array:
    """(H, W, C) picture blurred along a line of ``across`` and ``down`` pixels."""
    steps = max(round(max(abs(across), abs(down))) + 1, 1)
    return _smear(picture, np.float32(across), np.float32(down), steps)


@numba.njit(cache=True, error_model="numpy")
def _convolve(picture: Array, taps: Array, axis: int) -> Array:
    height, width, count = picture.shape
    out = np.zeros_like(picture)
    half = len(taps) // 2
    for t in range(len(taps)):
        tap = taps[t]
        if axis == 0:
            for y in range(height):
                source = min(max(y + t - half, 0), height - 1)
                for x in range(width):
                    for k in range(count):
                        out[y, x, k] += tap * picture[source, x, k]
        else:
            for y in range(height):
                for x in range(width):
                    source = min(max(x + t - half, 0), width - 1)
                    for k in range(count):
                        out[y, x, k] += tap * picture[y, source, k]
    return out


@numba.njit(cache=True, error_model="numpy")
def _smear(picture: Array, across: Number, down: Number, steps: int) -> Array:
    height, width, count = picture.shape
    out = np.zeros_like(picture)
    share = np.float32(1) / np.float32(steps)
    for s in range(steps):
        part = (np.float32(s) + np.float32(0.5)) * share - np.float32(0.5)
        dy = int(np.floor(down * part + np.float32(0.5)))
        dx = int(np.floor(across * part + np.float32(0.5)))
        for y in range(height):
            v = min(max(y + dy, 0), height - 1)
            for x in range(width):
                u = min(max(x + dx, 0), width - 1)
                for k in range(count):
                    out[y, x, k] += share * picture[v, u, k]
    return out


@numba.njit(cache=True, error_model="numpy")
def enlarge(picture: Array, height: int, width: int) -> Array:
    """(height, width, C) picture in another size, linear between its pixels."""
    rows, columns, count = picture.shape
    out = np.empty((height, width, count), np.float32)
    down, across = np.float32(rows) / np.float32(height), np.float32(columns) / np.float32(width)
    half = np.float32(0.5)
    for y in range(height):
        v = min(max((np.float32(y) + half) * down - half, np.float32(0)), np.float32(rows - 1))
        iv = min(int(v), max(rows - 2, 0))
        jv = min(iv + 1, rows - 1)
        fv = v - np.float32(iv)
        for x in range(width):
            u = (np.float32(x) + half) * across - half
            u = min(max(u, np.float32(0)), np.float32(columns - 1))
            iu = min(int(u), max(columns - 2, 0))
            ju = min(iu + 1, columns - 1)
            fu = u - np.float32(iu)
            for k in range(count):
                top = picture[iv, iu, k] + (picture[iv, ju, k] - picture[iv, iu, k]) * fu
                low = picture[jv, iu, k] + (picture[jv, ju, k] - picture[jv, iu, k]) * fu
                out[y, x, k] = top + (low - top) * fv
    return out


@numba.njit(cache=True, error_model="numpy")
def shrink(picture: Array, height: int, width: int) -> Array:
    """(height, width, C) smaller picture, each pixel the mean of those it covers."""
    rows, columns, count = picture.shape
    out = np.zeros((height, width, count), np.float32)
    for y in range(height):
        top, bottom = y * rows // height, max((y + 1) * rows // height, y * rows // height + 1)
        for x in range(width):
            left = x * columns // width
            right = max((x + 1) * columns // width, left + 1)
            share = np.float32(1) / np.float32((bottom - top) * (right - left))
            for v in range(top, bottom):
                for u in range(left, right):
                    for k in range(count):
                        out[y, x, k] += share * picture[v, u, k]
    return out
