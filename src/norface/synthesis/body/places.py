"""Where on the skin's texels things are: fields of place, lists of texels, zones of folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.folds import DIMPLED, FAMILIES, ZONES, local_coordinates
from norface.synthesis.body.steps import smooth_step

Array = NDArray[np.float32]
Texels = NDArray[np.int32]


@dataclass(frozen=True)
class Areas:
    """Parts of the skin that one kind of paint needs. Texels are flat indices, values 0 to 1.

    Attributes:
        blood: (size, size, 4) cheeks, nose, around the eyes, ears.
        grain: (size, size, 2) oily middle of the face, pores.
        brows: texels over the eyes.
        beard, beard_amount: texels of the lower face, and (N, 4) whether they are of the full
            beard's cheeks and jaw, the goatee, the moustache, the sideburns.
        lips: texels of the lips.
        lid_rims: texels of the lids' rims.
        upper_lids, upper_lid_amount: texels between lid and brow.
        scalp, hairline: texels where hair may lie, and (N, 3) how many decimetres they are inside
            it, whether they are ahead and whether they are at the forehead's upper corners.
    """

    blood: Array
    grain: Array
    brows: Texels
    beard: Texels
    beard_amount: Array
    lips: Texels
    lid_rims: Texels
    upper_lids: Texels
    upper_lid_amount: Array
    scalp: Texels
    hairline: Array


@dataclass(frozen=True)
class Folds:
    """Where wrinkles can come on a canvas: one entry for each zone and texel in it.

    Attributes:
        texel: (N,) flat index of the skin's texel; those of a zone are together.
        first: (zones + 1,) first entry of each zone.
        across, along: (N,) coordinates in the zone, decimetres (crow's feet: 0.12 of an angle).
        mask: (N,) 0 to 1, how far the entry belongs to the zone.
    """

    texel: Texels
    first: NDArray[np.int64]
    across: Array
    along: Array
    mask: Array


def find_areas(place: Array, lips: Array, lids: Array) -> Areas:
    """The areas of a canvas, from the (size, size, 3) places under its texels."""
    x, y, z = (place[..., k].astype(np.float64) for k in range(3))
    half = np.abs(x)
    ring = ((half - 0.31) / 0.27) ** 2 + ((y + 0.01) / 0.15) ** 2
    blood = (
        _bell((half - 0.42) / 0.2, (y + 0.35) / 0.2),
        0.6 * _bell(half / 0.16, (y + 0.4) / 0.12),
        np.exp(-(ring**2)),
        smooth_step(0.70, 0.80, half) * (y < 0.25) * (y > -0.65) * (z < -0.45),
    )
    oily = _bell(half / 0.2, 0 * y)
    porous = 0.35 + 0.65 * np.maximum(
        _bell(half / 0.15, (y + 0.35) / 0.2), _bell((half - 0.33) / 0.2, (y + 0.4) / 0.22)
    )
    grain = (oily, porous * (1 - np.exp(-(ring**2))))
    face = z > -0.9
    beard = face & (y < -0.12) & (y > -1.35) & ((y < -0.42) | (half > 0.55))
    jaw_line = y - 0.35 * np.maximum(half - 0.35, 0)
    jaw = smooth_step(-0.42, -0.75, jaw_line) * smooth_step(-1.35, -1.1, y)
    jaw = jaw * smooth_step(0.1, 0.22, half + 0.9 * np.maximum(-0.82 - y, 0))
    goatee = _bell(half / 0.17, (y + 1.0) / 0.13) + 0.8 * _bell(
        (half - 0.29) / 0.06, (y + 0.78) / 0.14
    )
    moustache = _bell(np.maximum(half - 0.16, 0) / 0.08, (y + 0.575) / 0.045)
    sideburns = _bell((half - 0.72) / 0.07, np.maximum(np.abs(y + 0.2) - 0.15, 0) / 0.12)
    amounts = np.stack([jaw, np.minimum(goatee, 1), moustache, sideburns], axis=-1)
    beard &= amounts.max(-1) > 0.02
    upper = _bell((half - 0.31) / 0.16, (y - 0.075) / 0.055) * (lids < 0.9)
    line = 0.78 - 0.75 * half**2.2
    line = np.where(z > -0.45, line, np.minimum(line, 0.35 - 1.6 * np.maximum(-0.75 - z, 0)))
    inside = np.where((z < -0.95) & (y > -0.75), 1.0, y - line)
    ahead = smooth_step(-0.45, -0.25, z)
    hairline = np.stack([inside, ahead, ahead * _bell((half - 0.5) / 0.2, 0 * y)], axis=-1)
    scalp = inside > -0.2
    return Areas(
        blood=np.ascontiguousarray(np.stack(blood, axis=-1), np.float32),
        grain=np.ascontiguousarray(np.stack(grain, axis=-1), np.float32),
        brows=_texels((half < 0.66) & (y > 0.06) & (y < 0.40) & (z > -0.6)),
        beard=_texels(beard),
        beard_amount=amounts[beard].astype(np.float32),
        lips=_texels(lips > 0.01),
        lid_rims=_texels(lids > 0.01),
        upper_lids=_texels((upper > 0.03) & face),
        upper_lid_amount=upper[(upper > 0.03) & face].astype(np.float32),
        scalp=_texels(scalp),
        hairline=hairline[scalp].astype(np.float32),
    )


def find_folds(place: Array) -> Folds:
    """The zones of folds of a canvas, from the (size, size, 3) places under its texels."""
    flat = place.reshape(-1, 3).astype(np.float64)
    ahead = (flat[:, 2] > -0.7) & (flat[:, 1] > -1.25) & (flat[:, 1] < 0.85)
    candidates = np.flatnonzero(ahead)
    x, y = flat[candidates, 0], flat[candidates, 1]
    rows = []
    for zone in ZONES:
        mine = x > -0.05 if zone.side == "Left" else x < 0.05
        mine = mine if zone.side else np.ones_like(mine)
        across, along, mask = local_coordinates(zone.family, x[mine], y[mine], zone.side)
        used = mask > 0.02
        family = FAMILIES[zone.family]
        if family.kind != DIMPLED:
            # Lines are random, but none strays farther than this.
            reach = 5 * family.width + 0.02
            used &= (across > family.first - reach) & (across < family.last + reach)
            used &= (along > family.start) & (along < family.end)
        rows.append((candidates[mine][used], across[used], along[used], mask[used]))
    texel, across, along, mask = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Folds(
        texel=texel.astype(np.int32),
        first=np.cumsum([0] + [len(row[0]) for row in rows]).astype(np.int64),
        across=across.astype(np.float32),
        along=along.astype(np.float32),
        mask=mask.astype(np.float32),
    )


def smooth_field(field: Array, sigma: float) -> Array:
    """A field blurred by a Gaussian of some texels, the same on every machine."""
    reach = max(int(np.ceil(3 * sigma)), 1)
    weights = [float(np.exp(-0.5 * (k / sigma) ** 2)) for k in range(-reach, reach + 1)]
    out = field.astype(np.float64)
    for axis in (0, 1):
        total = np.zeros_like(out)
        for k, weight in zip(range(-reach, reach + 1), weights, strict=True):
            total += weight / sum(weights) * np.roll(out, k, axis)
        out = total
    return out.astype(np.float32)


def _texels(mask: NDArray[np.bool_]) -> Texels:
    return np.flatnonzero(mask).astype(np.int32)


def _bell(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-(a**2) - b**2))
