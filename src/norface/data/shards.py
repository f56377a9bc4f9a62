"""Training shards: aligned faces with facial actions and the same actions on target identities.

The tree on disk, one folder a data set::

    DIR/shard_0000.npz, shard_0001.npz, ...
    DIR/targets.npz         neutral faces of the target identities

``targets.npz`` holds ``image`` (T, 256, 256, 3) uint8; index 0 is the common face. Each shard of N
samples holds

- ``original`` (N, 160, 160, 3) uint8: a face as `norface.faces.align` frames it;
- ``geometry`` (N, 478, 3) float16: its landmarks, see `norface.faces.align.geometry`;
- ``actions`` (N, 52) float16: facial actions, 0..1, in the order of `norface.facs.FACIAL_ACTIONS`;
- ``intensity`` (N, A, 3) float16: action units (whole, left, right), 0..5, NaN where unknown;
- ``emotion`` (N,) int8: index into `norface.facs.EMOTIONS`, -1 where unknown;
- ``identity`` (N,) int32, ``yaw``, ``pitch``, ``roll`` (N,) float16 in degrees;
- ``target`` (N, 128, 128, 3) uint8: the same facial actions on target identity ``target_id``
  (N,) int16;
- ``action_mask`` (52,) bool, only in shards of real photos: the actions that the teacher can see.

Synthetic identities are drawn by seed, so training and test folders made with different seeds
share no identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface import facs

ACTIONS = len(facs.FACIAL_ACTIONS)
UNITS = len(facs.ACTION_UNITS)
LANDMARKS = 478
ORIGINAL_SIZE = 160
TARGET_SIZE = 128

_FIELDS: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "original": ((ORIGINAL_SIZE, ORIGINAL_SIZE, 3), np.uint8),
    "geometry": ((LANDMARKS, 3), np.float16),
    "actions": ((ACTIONS,), np.float16),
    "intensity": ((UNITS, 3), np.float16),
    "emotion": ((), np.int8),
    "identity": ((), np.int32),
    "yaw": ((), np.float16),
    "pitch": ((), np.float16),
    "roll": ((), np.float16),
    "target": ((TARGET_SIZE, TARGET_SIZE, 3), np.uint8),
    "target_id": ((), np.int16),
}


class ShardError(ValueError):
    """A folder of shards is missing, incomplete or of another format."""


@dataclass(frozen=True, slots=True, eq=False)
class Shards:
    """The samples of one or several folders, in memory.

    Attributes: as in the module's docstring, with the shards joined along N, and
        action_mask: (N, 52) bool.
        real: (N,) bool, whether the sample is a photo.
        folder: (N,) int16, which of the folders given the sample is from.
        targets: (T, 256, 256, 3) uint8.
    """

    original: NDArray[np.uint8]
    geometry: NDArray[np.float16]
    actions: NDArray[np.float16]
    intensity: NDArray[np.float16]
    emotion: NDArray[np.int8]
    identity: NDArray[np.int32]
    yaw: NDArray[np.float16]
    pitch: NDArray[np.float16]
    roll: NDArray[np.float16]
    target: NDArray[np.uint8]
    target_id: NDArray[np.int16]
    action_mask: NDArray[np.bool_]
    real: NDArray[np.bool_]
    folder: NDArray[np.int16]
    targets: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.identity)


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a folder, sorted by name.

    Raises:
        ShardError: there is none.
    """
    paths = sorted(folder.glob("shard_*.npz"))
    if not paths:
        raise ShardError(
            f"{folder} holds no shard_*.npz; expected a folder made by `norface synth --shards` "
            "or by norface.data.portraits, with shard_0000.npz, ... and targets.npz"
        )
    return paths


def load_shards(folders: Sequence[Path], *, limit: int | None = None) -> Shards:
    """Read every shard of the folders into memory (about 126 kB a sample).

    Args:
        folders: at least one of them with targets.npz; if several have it, all equal.
        limit: read no more samples than this from each folder.

    Raises:
        ShardError: a file is missing, broken or of another format.
    """
    files = [(number, path) for number, f in enumerate(folders) for path in shard_paths(f)]
    counts: list[int] = []
    room = [limit if limit is not None else 1 << 62 for _ in folders]
    for number, path in files:
        count = min(len(_read(path, "identity")["identity"]), room[number])
        room[number] -= count
        counts.append(count)
    total = sum(counts)
    arrays: dict[str, NDArray[Any]] = {
        name: np.empty((total, *shape), dtype) for name, (shape, dtype) in _FIELDS.items()
    }
    mask = np.ones((total, ACTIONS), bool)
    real = np.zeros(total, bool)
    folder = np.empty(total, np.int16)
    start = 0
    for (number, path), count in zip(files, counts, strict=True):
        part = slice(start, start + count)
        content = _read(path, *_FIELDS, "action_mask")
        for name, (shape, _) in _FIELDS.items():
            value = content[name]
            if value.shape[1:] != shape or len(value) < count:
                raise ShardError(f"{path}: {name} has shape {value.shape}, expected (N, *{shape})")
            arrays[name][part] = value[:count]
        if "action_mask" in content:
            mask[part] = content["action_mask"]
            real[part] = True
        folder[part] = number
        start += count
    targets = load_targets(folders)
    if total and int(arrays["target_id"].max()) >= len(targets):
        raise ShardError(f"a target_id is beyond the {len(targets)} faces of targets.npz")
    return Shards(**arrays, action_mask=mask, real=real, folder=folder, targets=targets)


def write_shard(path: Path, **arrays: NDArray[Any]) -> None:
    """Write one shard, uncompressed (reading speed matters more than size), whole or not at all.

    Raises:
        ShardError: a field is missing or has another shape.
    """
    count = len(arrays.get("identity", ()))
    for name, (shape, _) in _FIELDS.items():
        if name not in arrays or arrays[name].shape != (count, *shape):
            got = arrays[name].shape if name in arrays else "nothing"
            raise ShardError(f"{name} must have shape {(count, *shape)}, got {got}")
    typed = {name: arrays[name].astype(dtype) for name, (_, dtype) in _FIELDS.items()}
    if "action_mask" in arrays:
        typed["action_mask"] = arrays["action_mask"].astype(bool)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **typed)
    temporary.replace(path)


def _read(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as content:
            return {name: content[name] for name in names if name in content}
    except (OSError, ValueError, EOFError) as error:
        raise ShardError(f"{path} cannot be read: {error}") from error


def load_targets(folders: Sequence[Path]) -> NDArray[np.uint8]:
    """The neutral target faces (T, 256, 256, 3) uint8 of the folders.

    Raises:
        ShardError: none has targets.npz, or they differ.
    """
    found: NDArray[np.uint8] | None = None
    for folder in folders:
        path = folder / "targets.npz"
        if not path.exists():
            continue
        image = _read(path, "image").get("image")
        if image is None or image.shape[1:] != (256, 256, 3):
            raise ShardError(f"{path}: image must have shape (T, 256, 256, 3)")
        if found is not None and not np.array_equal(found, image):
            raise ShardError(f"{path} has other target faces than the folders before it")
        found = image
    if found is None:
        raise ShardError(f"no targets.npz in {', '.join(map(str, folders))}")
    return found
