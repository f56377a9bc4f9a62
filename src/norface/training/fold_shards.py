"""The faces of a fold as samples of F_nor's unpaired regime: pictures and landmarks, no labels."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from norface.data.labelled_samples import ChosenRows
from norface.data.shards import ACTIONS, UNITS, Shards
from norface.media.images import read_image
from norface.runtime.normalizer import TARGET_FILE
from norface.runtime.places import DEFAULT_WEIGHTS
from norface.training.fold import Fold


class _Joined:
    """Rows in memory, and after them rows on disk."""

    def __init__(self, first: NDArray[np.uint8], then: ChosenRows) -> None:
        self._first, self._then = first, then

    def __getitem__(self, index: int | np.integer[Any]) -> NDArray[Any]:
        count = len(self._first)
        return self._first[index] if index < count else self._then[int(index) - count]


def join_fold(shards: Shards | None, fold: Fold, *, folder: int, size: int) -> Shards:
    """Shards, and after them the faces of a fold, whose pictures stay on disk.

    Args:
        shards: of the paired regime; None without.
        fold: the training part; its people keep to themselves.
        folder: what the samples' `Shards.folder` is to be.
        size: S, of the targets.

    Returns:
        All samples; those of the fold have no ``target``, for which there is no truth, and nothing
        is known of their facial actions.
    """
    count, faces, rows = len(fold.samples), fold.faces, fold.rows
    people = np.unique([s.subject or str(s.path) for s in fold.samples], return_inverse=True)[1]
    first = 0 if shards is None or not len(shards) else int(shards.identity.max()) + 1
    own: dict[str, NDArray[Any]] = {
        "geometry": faces.geometry[rows],
        "actions": np.zeros((count, ACTIONS), np.float16),
        "intensity": np.full((count, UNITS, 3), np.nan, np.float16),
        "emotion": np.full(count, -1, np.int8),
        "identity": (first + people).astype(np.int32),
        "yaw": faces.pose[rows, 0],
        "pitch": faces.pose[rows, 1],
        "roll": faces.pose[rows, 2],
        "target_id": np.zeros(count, np.int16),
        "action_mask": np.zeros((count, ACTIONS), bool),
        "real": np.ones(count, bool),
        "folder": np.full(count, folder, np.int16),
    }
    pictures = ChosenRows(faces.image, rows)
    if shards is None:
        return Shards(
            original=cast("NDArray[np.uint8]", pictures),
            target=np.empty((0, size, size, 3), np.uint8),
            targets=read_image(DEFAULT_WEIGHTS / TARGET_FILE)[None],
            **own,
        )
    joined = {name: np.concatenate([getattr(shards, name), v]) for name, v in own.items()}
    return Shards(
        # It is read row by row alone.
        original=cast("NDArray[np.uint8]", _Joined(shards.original, pictures)),
        target=shards.target,
        targets=shards.targets,
        **joined,
    )
