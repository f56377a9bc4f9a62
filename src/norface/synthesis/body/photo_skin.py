"""Skins taken from photos, laid over the paint: a ratio to the flat colour of the skin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from norface.media.arrays import write_arrays

Array = NDArray[np.float32]

SKIN_SIZE: Final = 256
_FULL: Final = 1.8
"""Ratio that the largest byte stands for."""


@dataclass(frozen=True, eq=False)
class PhotoSkin:
    """The skin of one photo.

    Attributes:
        ratio: (S, S, 3) factor on the flat colour of the skin beneath.
        weight: (S, S) 0 to 1, how far it replaces the paint.
    """

    ratio: Array
    weight: Array


def save_skins(path: Path, ratios: Array, weights: Array, smiles: Array) -> None:
    """Write (N, S, S, 3) ratios, (N, S, S) weights and (N,) smiles, whole or not at all."""
    arrays = {
        "ratio": np.round(ratios / _FULL * 255).clip(0, 255).astype(np.uint8),
        "weight": np.round(weights * 255).clip(0, 255).astype(np.uint8),
        "smile": np.asarray(smiles, np.float32),
    }
    write_arrays(path, arrays, compressed=True)


@cache
def _stored(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Array]:
    with np.load(path) as stored:
        return stored["ratio"], stored["weight"], stored["smile"]


def skin_smiles(path: Path) -> Array:
    """(N,) how strongly each photo of a file written by `save_skins` smiles, 0 to 1."""
    return _stored(path)[2]


def load_skin(path: Path, index: int, mirrored: bool = False) -> PhotoSkin:
    """One skin of a file written by `save_skins`, as it is or with its sides exchanged."""
    ratios, weights, _ = _stored(path)
    ratio = ratios[index].astype(np.float32) * np.float32(_FULL / 255)
    weight = weights[index].astype(np.float32) / 255
    if mirrored:
        ratio, weight = ratio[:, ::-1], weight[:, ::-1]
    return PhotoSkin(np.ascontiguousarray(ratio), np.ascontiguousarray(weight))


def lay_skin(tile: Array, skin: PhotoSkin, colour: tuple[float, float, float]) -> None:
    """Replace the painted colours of the (size, size, 6) tile where the photo shows skin."""
    size = tile.shape[0]
    ratio, weight = skin.ratio, skin.weight
    if size != len(weight):
        ratio, weight = (
            np.asarray(cv2.resize(v, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)
            for v in (ratio, weight)
        )
    _lay(tile, ratio, weight, np.array(colour, np.float32))


@numba.njit(cache=True, error_model="numpy")
def _lay(tile: Array, ratio: Array, weight: Array, colour: Array) -> None:
    for row in range(tile.shape[0]):
        for column in range(tile.shape[1]):
            share = weight[row, column]
            if share > 0:
                for k in range(3):
                    value = colour[k] * ratio[row, column, k]
                    tile[row, column, k] += (value - tile[row, column, k]) * share
