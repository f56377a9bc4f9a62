"""Wrinkles: folds of a person's skin, as relief and shadow, deepened by facial actions.

Every zone of the face has a family of lines in its own coordinates: ``across`` them and ``along``
them. A person has a random choice of these lines, so that no two people fold alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numba
import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX
from norface.synthesis.body.folds import FAMILIES, FLESHY, GROOVE, ZONES, Family

if TYPE_CHECKING:
    from norface.synthesis.body.canvas import Canvas
    from norface.synthesis.body.skin import Skin

Array = NDArray[np.float32]

_CREASED_BY: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "inner forehead": (("browInnerUp", 1.0), ("browOuterUp", 0.25)),
    "outer forehead": (("browOuterUp", 1.0), ("browInnerUp", 0.15)),
    "glabella": (("browDown", 1.0),),
    "crow's feet": (("cheekSquint", 0.9), ("mouthSmile", 0.25)),
    "under the eye": (("cheekSquint", 0.7), ("eyeSquint", 0.6)),
    "cheek": (("cheekSquint", 0.8), ("mouthSmile", 0.35)),
    "smile": (("mouthSmile", 1.0), ("cheekSquint", 0.1)),
    "nasolabial": (("mouthSmile", 0.1), ("mouthUpperUp", 0.8), ("noseSneer", 0.5)),
    "nose bridge": (("noseSneer", 1.0),),
    "chin": (("mouthShrugLower", 1.0),),
    "chin crease": (("mouthShrugLower", 0.9), ("mouthLowerDown", 0.2)),
    "dimple": (("mouthDimple", 1.0), ("mouthSmile", 0.25)),
    "marionette": (("mouthFrown", 1.0),),
    "stretch": (("mouthStretch", 1.0), ("mouthSmile", 0.3)),
    "lip": (("mouthPucker", 0.9), ("mouthPress", 0.5), ("mouthFunnel", 0.3)),
}
_AGED: Final = {
    "inner forehead": 0.4, "outer forehead": 0.35, "glabella": 0.35, "crow's feet": 0.5,
    "under the eye": 0.7, "nasolabial": 0.6, "nose bridge": 0.05, "chin crease": 0.3,
    "marionette": 0.6, "stretch": 0.25, "lip": 0.45, "dimple": 0.05,
}  # fmt: skip
_LID_CREASE = "lid crease"


def crease_weights(skin: Skin, actions: Array) -> Array:
    """(zones,) depth of each zone's folds, 0 flat to about 1.5, in the order of ``ZONES``."""

    def strength(action: str, side: str) -> float:
        if action in ACTION_INDEX:
            return float(actions[ACTION_INDEX[action]])
        if side:
            return float(actions[ACTION_INDEX[action + side]])
        return 0.5 * (strength(action, "Left") + strength(action, "Right"))

    weights = np.empty(len(ZONES), np.float32)
    for i, zone in enumerate(ZONES):
        if zone.family == _LID_CREASE:
            # The fold opens out when the lid comes down.
            weights[i] = skin.lid_crease * (1 - 0.8 * strength("eyeBlink", zone.side))
            continue
        moved = sum(share * strength(a, zone.side) for a, share in _CREASED_BY[zone.family])
        weights[i] = skin.wrinkles * _AGED.get(zone.family, 0.0) + skin.creases * moved
    return weights


def person_folds(canvas: Canvas, skin: Skin) -> Array:
    """(N,) height in decimetres of each entry of the canvas' folds at weight 1, grooves negative.

    ``skin.variety`` says how far the lines depart from the plain ones that everyone has at 0.
    """
    random = np.random.default_rng([skin.seed, 5])
    drawn: list[NDArray[np.float64]] = []
    total = 0
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    for zone in ZONES:
        family = FAMILIES[zone.family]
        key = (family.lines_of or zone.family, "" if family.shared else zone.side)
        if key not in spans:
            drawn.append(_random_lines(random, family, skin.variety))
            spans[key] = (total, total + len(drawn[-1]))
            total = spans[key][1]
    zone_lines = np.array(
        [
            spans[
                FAMILIES[z.family].lines_of or z.family,
                "" if FAMILIES[z.family].shared else z.side,
            ]
            for z in ZONES
        ],
        np.int64,
    )
    kinds = np.array([FAMILIES[z.family].kind for z in ZONES], np.int64)
    folds = canvas.folds
    start = random.integers(0, canvas.size, 2)
    return np.asarray(
        _heights(
            folds.texel, folds.first, folds.across, folds.along, folds.mask, canvas.noise, start,
            zone_lines, kinds, np.concatenate(drawn).astype(np.float32), np.float32(skin.variety),
        )
    )  # fmt: skip


def _random_lines(
    random: np.random.Generator, family: Family, variety: float
) -> NDArray[np.float64]:
    """(lines, 7): place across, tilt, start, end, width, depth, noise below which it fades."""
    low, high = family.counts
    count = round(0.5 * (low + high))
    if variety > 0:
        count = int(random.integers(low, high + 1))
    change = random.normal(0, 1, (count, 6)) * variety
    broken = random.uniform(-1.6, 0.2, count)
    spacing = (family.last - family.first) / max(count, 1)
    reach = family.end - family.start
    lines = np.empty((count, 7))
    lines[:, 0] = family.first + spacing * (np.arange(count) + 0.5 + 0.18 * change[:, 0])
    lines[:, 1] = (0.02 if family.kind == FLESHY else 0.08) * change[:, 1]
    lines[:, 2] = family.start + 0.12 * reach * np.abs(change[:, 2])
    lines[:, 3] = family.end - 0.12 * reach * np.abs(change[:, 3])
    lines[:, 4] = family.width * np.exp(0.2 * change[:, 4])
    lines[:, 5] = family.depth * np.exp(0.35 * change[:, 5])
    lines[:, 6] = broken if variety > 0 and family.kind == GROOVE else -9.0
    return lines


def fold(tile: Array, canvas: Canvas, heights: Array, weights: Array, relief: float) -> None:
    """Fold a painted skin: relief into its height, shadow into its colour.

    Args:
        tile: (size, size, 6) paint of the skin.
        canvas: where things are.
        heights: (N,) of ``person_folds``.
        weights: (zones,) of ``crease_weights``.
        relief: share of the height that is really shaped, 0 for shadows alone.
    """
    folds = canvas.folds
    _fold(tile, canvas.size, folds.texel, folds.first, heights, weights, np.float32(relief))


@numba.njit(cache=True, error_model="numpy")
def _heights(
    texel: NDArray[np.int32],
    first: NDArray[np.int64],
    across: Array,
    along: Array,
    mask: Array,
    noise: Array,
    start: NDArray[np.int64],
    zone_lines: NDArray[np.int64],
    kinds: NDArray[np.int64],
    lines: Array,
    variety: np.float32,
) -> Array:
    size = noise.shape[0]
    heights = np.empty(texel.shape[0], np.float32)
    one = np.float32(1)
    for zone in range(kinds.shape[0]):
        kind = kinds[zone]
        for i in range(first[zone], first[zone + 1]):
            row = texel[i] // size
            column = texel[i] - row * size
            row, column = row + start[0], column + start[1]
            row = row - size if row >= size else row
            column = column - size if column >= size else column
            slow, middle = noise[row, column, 0], noise[row, column, 1]
            height = np.float32(0)
            if kind == 2:  # dimpled skin
                height = np.float32(0.007) * (noise[row, column, 2] - np.float32(0.3))
            else:
                wave = variety * (np.float32(0.010) * slow + np.float32(0.004) * middle)
                # Expressions stretch the skin beside the mouth, and a line's waves with it.
                wave *= np.float32(0.4 if kind == 3 else 1.0)
                for k in range(zone_lines[zone, 0], zone_lines[zone, 1]):
                    width = lines[k, 4]
                    gap = across[i] - lines[k, 0] - lines[k, 1] * along[i] + wave
                    if abs(gap) > (6 if kind == 3 else 4) * width:
                        continue
                    reach = lines[k, 3] - lines[k, 2]
                    end = min(along[i] - lines[k, 2], lines[k, 3] - along[i])
                    taper = np.float32(0.5) * reach
                    end /= taper if kind == 1 else min(taper, np.float32(0.11))
                    end = min(max(end, np.float32(0)), one)
                    end *= end * (np.float32(3) - np.float32(2) * end)
                    if end == 0:
                        continue
                    whole = (middle - lines[k, 6]) / np.float32(1.2)
                    whole = np.float32(0.4) + np.float32(0.6) * min(max(whole, np.float32(0)), one)
                    square = (gap / width) * (gap / width)
                    if kind == 1:  # a soft rise alone
                        form = one / (one + square * square)
                    elif kind == 3:  # a fold under a fuller cheek: steep on one side, soft beyond
                        form = -one / (one + square * square)
                        if gap > 0:
                            past = (gap - 2 * width) / (np.float32(1.3) * width)
                            form += np.float32(0.75) / (one + past * past * past * past)
                    else:
                        past = (abs(gap) - np.float32(2.2) * width) / (np.float32(1.1) * width)
                        form = -one / (one + square * square)
                        form += np.float32(0.35) / (one + past * past * past * past)
                    height += lines[k, 5] * form * end * whole
            heights[i] = height * mask[i]
    return heights


@numba.njit(cache=True, error_model="numpy")
def _fold(
    tile: Array,
    size: int,
    texel: NDArray[np.int32],
    first: NDArray[np.int64],
    heights: Array,
    weights: Array,
    relief: np.float32,
) -> None:
    for zone in range(weights.shape[0]):
        weight = weights[zone]
        if weight < np.float32(0.02):
            continue
        for i in range(first[zone], first[zone + 1]):
            height = weight * heights[i]
            if height == 0:
                continue
            row = texel[i] // size
            column = texel[i] - row * size
            tile[row, column, 4] += relief * height
            if height < 0:
                # Less light comes to the bottom of a fold, and what does is reddened on its way.
                dark = np.float32(1) / (np.float32(1) - np.float32(22) * height)
                tile[row, column, 0] *= np.float32(0.35) + np.float32(0.65) * dark
                tile[row, column, 1] *= dark
                tile[row, column, 2] *= dark
