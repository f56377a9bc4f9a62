"""Training shards: aligned faces with facial actions and the same actions on target identities.

The tree on disk, one folder a data set::

    DIR/shard_0000.npz, shard_0001.npz, ...
    DIR/targets.npz         neutral faces of the target identities

``targets.npz`` holds ``image`` (T, 256, 256, 3) uint8; index 0 is the common face. Each shard of N
samples with the crop C (128 for the small presets, 256 for `base`) holds

- ``original`` (N, 5/4 C, 5/4 C, 3) uint8: a face as `norface.faces.align` frames it;
- ``geometry`` (N, 478, 3) float16: its landmarks, see `norface.faces.align.geometry`;
- ``actions`` (N, 52) float16: facial actions, 0..1, in the order of `norface.facs.FACIAL_ACTIONS`;
- ``intensity`` (N, A, 3) float16: action units (whole, left, right), 0..5, NaN where unknown;
- ``emotion`` (N,) int8: index into `norface.facs.EMOTIONS`, -1 where unknown;
- ``identity`` (N,) int32, ``yaw``, ``pitch``, ``roll`` (N,) float16 in degrees;
- ``target`` (N, C, C, 3) uint8: the same facial actions on target identity ``target_id``
  (N,) int16;
- ``blendshapes`` (N, 52) float16, only in rendered shards: MediaPipe's answers to the originals;
- ``action_mask`` (52,) bool, only in shards of real photos: the actions that the teacher can see.

Synthetic identities are drawn by seed, so training and test folders made with different seeds
share no identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface import facs
from norface.data.augment import centre
from norface.media.arrays import ArrayFileError, StoredArray, write_arrays
from norface.synthesis.shard_format import DEFAULT_CROP, OPTIONAL_FIELDS, Fields, fields

ACTIONS = len(facs.FACIAL_ACTIONS)
UNITS = len(facs.ACTION_UNITS)


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

    @property
    def crop(self) -> int:
        """Side of the pictures in `target`, pixels."""
        return int(self.target.shape[1])

    def __len__(self) -> int:
        return len(self.identity)

    @property
    def units(self) -> tuple[str, ...]:
        """(A,) the names of the units."""
        return facs.ACTION_UNIT_NAMES

    def presence(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """(n, A) of samples: 1 from intensity 2 on, 0, or -1 where unknown."""
        whole = self.intensity[rows, :, 0]
        return np.where(np.isnan(whole), -1, whole >= facs.PRESENCE_INTENSITY).astype(np.int8)

    def distribution(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, 8) shares of votes on the emotions: NaN, as shards have none."""
        return np.full((len(rows), len(facs.EMOTIONS)), np.nan, np.float32)


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


def shard_crop(path: Path) -> int:
    """The crop of a shard, without reading its pictures.

    Raises:
        ShardError: the file cannot be read or is of another format.
    """
    original, target = (_stored(path, name).shape for name in ("original", "target"))
    try:
        if original[1:] == fields(target[1])["original"][0]:
            return target[1]
    except (IndexError, ValueError) as error:
        raise ShardError(f"{path}: {error}") from error
    raise ShardError(
        f"{path}: original has shape {original}, which does not go with target of shape {target}; "
        "make the shards again with `norface synth --shards`"
    )


def load_shards(
    folders: Sequence[Path],
    *,
    crop: int | None = None,
    limit: int | None = None,
    say: Callable[[str], None] = print,
) -> Shards:
    """Read every shard of the folders into memory (about 126 kB a sample at crop 128, 504 at 256).

    Args:
        folders: at least one of them with targets.npz; if several have it, all equal.
        crop: pictures of other crops are resized to it; by default all must have the same crop.
        limit: read no more samples than this from each folder.
        say: told when pictures are resized.

    Raises:
        ShardError: a file is missing, broken or of another format.
    """
    files = [(number, path) for number, f in enumerate(folders) for path in shard_paths(f)]
    crops = [shard_crop(path) for _, path in files]
    if crop is None:
        crop = _only_crop(crops)
    else:
        _tell_of_others(folders, files, crops, crop, say)
    counts: list[int] = []
    room = [limit if limit is not None else 1 << 62 for _ in folders]
    for number, path in files:
        count = min(len(_stored(path, "identity")), room[number])
        room[number] -= count
        counts.append(count)
    total = sum(counts)
    arrays: dict[str, NDArray[Any]] = {
        name: np.empty((total, *shape), dtype) for name, (shape, dtype) in _needed(crop).items()
    }
    mask = np.ones((total, ACTIONS), bool)
    real = np.zeros(total, bool)
    folder = np.empty(total, np.int16)
    start = 0
    for (number, path), own_crop, count in zip(files, crops, counts, strict=True):
        part = slice(start, start + count)
        content = _read(path, *arrays, "action_mask")
        for name, (shape, _) in _needed(own_crop).items():
            value = content.get(name, np.empty(0))
            if value.shape[1:] != shape or len(value) < count:
                raise ShardError(f"{path}: {name} has shape {value.shape}, expected (N, *{shape})")
            own = arrays[name][part]
            if value.shape[1:] == own.shape[1:]:
                own[:] = value[:count]
            else:
                for i, image in enumerate(value[:count]):
                    own[i] = centre(image, own.shape[1])
        if "action_mask" in content:
            mask[part] = content["action_mask"]
            real[part] = True
        folder[part] = number
        start += count
    targets = load_targets(folders)
    if total and int(arrays["target_id"].max()) >= len(targets):
        raise ShardError(f"a target_id is beyond the {len(targets)} faces of targets.npz")
    return Shards(**arrays, action_mask=mask, real=real, folder=folder, targets=targets)


def _only_crop(crops: Sequence[int]) -> int:
    """The crop that all shards have.

    Raises:
        ShardError: they differ.
    """
    if len(set(crops)) > 1:
        raise ShardError(
            f"the shards have the crops {', '.join(map(str, sorted(set(crops))))}: "
            "choose folders of one crop"
        )
    return crops[0]


def _tell_of_others(
    folders: Sequence[Path],
    files: Sequence[tuple[int, Path]],
    crops: Sequence[int],
    crop: int,
    say: Callable[[str], None],
) -> None:
    """Say which folders hold pictures that are resized."""
    for number, folder in enumerate(folders):
        others = {c for c, (n, _) in zip(crops, files, strict=True) if n == number} - {crop}
        if others:
            say(
                f"{folder} holds faces of {', '.join(map(str, sorted(others)))} pixels, which are "
                f"resized to {crop}: better make them with `norface synth --shards --crop {crop}`"
            )


def write_shard(path: Path, **arrays: NDArray[Any]) -> None:
    """Write one shard, uncompressed (reading speed matters more than size), whole or not at all.

    Args:
        path: the file.
        **arrays: as in the module's docstring; the pictures in ``target`` say the crop.

    Raises:
        ShardError: a field is missing or has another shape.
    """
    count = len(arrays.get("identity", ()))
    try:
        needed = _needed(arrays["target"].shape[1] if "target" in arrays else DEFAULT_CROP)
    except ValueError as error:
        raise ShardError(f"target: {error}") from error
    for name, (shape, _) in needed.items():
        if name not in arrays or arrays[name].shape != (count, *shape):
            got = arrays[name].shape if name in arrays else "nothing"
            raise ShardError(f"{name} must have shape {(count, *shape)}, got {got}")
    typed = {name: arrays[name].astype(dtype) for name, (_, dtype) in needed.items()}
    if "action_mask" in arrays:
        typed["action_mask"] = arrays["action_mask"].astype(bool)
    write_arrays(path, typed)


def _needed(crop: int) -> Fields:
    return {k: v for k, v in fields(crop).items() if k not in OPTIONAL_FIELDS}


def _stored(path: Path, name: str) -> StoredArray:
    try:
        return StoredArray.find(path, name)
    except ArrayFileError as error:
        raise ShardError(str(error)) from error


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
