"""The paint of hair: strands with their colours, heights, and the gaps between their ends."""

from __future__ import annotations

import math
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.hair import Hair

Array = NDArray[np.float32]

HAIR_END: Final = 0.78
"""Share of the tile, from above, that holds strands from root to tip."""
HAIR_FUZZ: Final = 0.83
"""Share of the tile below which it holds loose curls with holes."""


def paint_hair(tile: Array, hair: Hair) -> None:
    """Strands into the (rows, columns, 6) tile of the hair: root above, tip below."""
    if hair.style == "bald":
        return
    random = np.random.default_rng([hair.seed, 2])
    rows, columns = tile.shape[:2]
    # Strands of the same width on the head whatever the resolution, and finer ones where they fit.
    single = random.standard_normal((3, 128)).astype(np.float32)
    cloud = random.standard_normal((64, 128)).astype(np.float32)
    fine = np.float32(0.12) if columns <= 128 else np.float32(0.22)
    colour = hair.dye or hair.colour
    colours = np.array([colour, hair.tips or colour, (0.45, 0.44, 0.42)], np.float32)
    if hair.name in ("grey", "white") or hair.dye:
        colours[2] = 0.35 * colours[0]
    braids = 10 if hair.style == "braids" else 0
    amounts = np.array([hair.curl, hair.roots, hair.grey, fine], np.float32)
    # Loose curls are seen around curly hair alone.
    used = rows if hair.curl > 0.5 else min(int(HAIR_END * rows) + 2, rows)
    _paint(tile, single, cloud, colours, amounts, braids, used)


@numba.njit(cache=True, error_model="numpy")
def _between(values: Array, at: float) -> float:
    """Smoothed value of a cyclic row at a place between its entries."""
    base = math.floor(at)
    t = at - base
    t = t * t * (3 - 2 * t)
    count = values.shape[0]
    return float(values[base % count] * (1 - t) + values[(base + 1) % count] * t)


@numba.njit(cache=True, error_model="numpy")
def _paint(
    tile: Array,
    single: Array,
    cloud: Array,
    colours: Array,
    amounts: Array,
    braids: int,
    used: int,
) -> None:
    rows, columns = tile.shape[0], tile.shape[1]
    curl, roots, grey, fine_share = amounts[0], amounts[1], amounts[2], amounts[3]
    ends = HAIR_END * rows
    for row in range(used):
        v = min(row / ends, 1.0)
        loose = row > 0.5 * (HAIR_END + HAIR_FUZZ) * rows
        y = row * 64.0 / rows
        for column in range(columns):
            x = column * 128.0 / columns
            sway = _between(single[2], x * 0.06)
            bent = x + (0.6 + 4.0 * curl) * math.sin(7 * v * (1 + 1.2 * curl) + 3 * sway)
            bent = max(bent, 0.0) + 3.0 * v
            clump = _between(single[0], bent * 0.22)
            strand = _between(single[1], bent * 0.7)
            thread = single[2, int(bent * 2.3) % 128]
            curls = 0.0
            if loose or curl > 0.05:
                above = _between(cloud[int(y * 0.55) % 64], bent * 0.5)
                below = _between(cloud[int(y * 0.55 + 1) % 64], bent * 0.5)
                t = y * 0.55 - math.floor(y * 0.55)
                curls = above * (1 - t) + below * t
            straight = 1 - 0.75 * curl
            level = 1 + straight * (0.22 * clump + 0.18 * strand) + fine_share * thread
            level += 0.42 * curl * curls
            height = straight * (0.010 * clump + 0.006 * strand) + 0.022 * curl * curls
            gap = 1.0
            if braids > 0:
                across = (column * braids / columns) % 1.0
                profile = math.sin(math.pi * across)
                knot = math.sin(row * 1.1 * 64 / rows + 9 * abs(across - 0.5))
                level = (0.25 + 0.75 * profile) * (1 + 0.3 * knot + 0.1 * thread)
                height = 0.03 * profile + 0.008 * knot
                gap = (profile - 0.25) * 6 if v > 0.45 else 1.0
            level *= 1 - roots * math.exp(-v / 0.16)
            level = min(max(level, 0.22), 2.2)
            tipped = min(max((v - 0.35) / 0.4, 0.0), 1.0)
            white = _between(single[1], bent * 1.3 + 31) > 2.0 - 3.2 * grey and grey > 0.02
            for k in range(3):
                colour = colours[0, k] + tipped * (colours[1, k] - colours[0, k])
                if white:
                    colour = 0.35 * colour + 0.65 * colours[2, k]
                tile[row, column, k] = colour * level
            tile[row, column, 3] = 0.10 * (1 - 0.7 * curl) * min(level, 1.2)
            tile[row, column, 4] = height
            if loose:
                gap = 0.5 + 1.2 * (abs(curls) - 0.85)
            else:
                if v > 0.7:
                    reach = 0.55 + 0.22 * strand + 0.16 * clump + 0.12 * thread
                    gap = min(gap, 0.5 + 4 * (max(reach, 0.12) - (v - 0.7) / 0.3))
                if v < 0.1:
                    gap = min(gap, 0.5 + 5 * (v / 0.1 - 0.5 - 0.3 * strand - 0.15 * thread))
            tile[row, column, 5] = min(max(gap, 0.0), 1.0)
