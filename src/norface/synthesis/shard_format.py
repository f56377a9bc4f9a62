"""What a training shard holds, for every size of crop; see `norface.data.shards`."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_UNITS, FACIAL_ACTIONS

DEFAULT_CROP: Final = 128
"""Side of the faces that the small presets read, pixels."""

LARGEST_CROP: Final = 256
"""The neutral target faces are this large, whatever the crop."""

LANDMARKS: Final = 478
OPTIONAL_FIELDS: Final = frozenset({"blendshapes"})

Fields: TypeAlias = dict[str, tuple[tuple[int, ...], type[np.generic]]]
"""Name of an array -> shape of one sample, and type."""

_SMALLEST_CROP: Final = 32
_STEP: Final = 4


def original_size(crop: int) -> int:
    """Side of the stored originals: a quarter more than the crop, in the same frame.

    Augmentation resamples them once, from there to the crop.

    Raises:
        ValueError: shards cannot have this crop.
    """
    if not _SMALLEST_CROP <= crop <= LARGEST_CROP or crop % _STEP:
        raise ValueError(
            f"crop is {crop}; it must be a multiple of {_STEP} between {_SMALLEST_CROP} and "
            f"{LARGEST_CROP}"
        )
    return crop * 5 // 4


def fields(crop: int) -> Fields:
    """The arrays of a shard, in the order in which they are stored."""
    side = original_size(crop)
    actions = len(FACIAL_ACTIONS)
    return {
        "original": ((side, side, 3), np.uint8),
        "geometry": ((LANDMARKS, 3), np.float16),
        "blendshapes": ((actions,), np.float16),
        "actions": ((actions,), np.float16),
        "intensity": ((len(ACTION_UNITS), 3), np.float16),
        "emotion": ((), np.int8),
        "identity": ((), np.int32),
        "yaw": ((), np.float16),
        "pitch": ((), np.float16),
        "roll": ((), np.float16),
        "target": ((crop, crop, 3), np.uint8),
        "target_id": ((), np.int16),
    }


def columns(rows: list[dict[str, Any]], crop: int) -> dict[str, NDArray[Any]]:
    """Samples, each a value for every field, as the arrays of a shard; there may be none."""
    return {
        name: np.array([row[name] for row in rows], dtype).reshape(len(rows), *shape)
        for name, (shape, dtype) in fields(crop).items()
    }
