"""Faces to learn from without labels, read from disk one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from norface.data.augment import centre
from norface.data.face_cache import face_files, read_settings
from norface.data.face_finding import FaceFolderError
from norface.data.shards import ShardError, shard_paths
from norface.media.arrays import ArrayFileError, StoredArray


class Framed(NamedTuple):
    """A picture of a face.

    Attributes:
        image: (S, S, 3) uint8 RGB, the frame of `norface.faces.align` and what is around it.
        room: pixels around the frame at every side.
    """

    image: NDArray[np.uint8]
    room: int

    def frame(self, size: int) -> NDArray[np.uint8]:
        """The frame alone, (size, size, 3) uint8."""
        side = self.image.shape[0]
        inside = self.image[self.room : side - self.room, self.room : side - self.room]
        return centre(np.ascontiguousarray(inside), size)


class FacePictures:
    """The faces of caches and of shards, as if they were one list.

    Args:
        caches: folders made by `norface.data.face_folder.prepare_faces`.
        shards: folders made by ``norface synth --shards``, of which the originals are taken.
        chosen: (N,) numbers of the faces to take; by default all.

    Raises:
        FaceFolderError: a cache is missing or damaged, or there is no face at all.
        ShardError: the same of a folder of shards.
    """

    def __init__(
        self,
        *,
        caches: Sequence[Path] = (),
        shards: Sequence[Path] = (),
        chosen: NDArray[np.int64] | None = None,
    ) -> None:
        self._chosen = chosen
        self._stored: list[tuple[StoredArray, int]] = []
        try:
            for folder in caches:
                room = read_settings(folder).room
                self._stored += [(StoredArray.find(p, "face"), room) for p in face_files(folder)]
        except ArrayFileError as error:
            raise FaceFolderError(
                f"{error}: delete the file and run `norface train prepare-faces` again"
            ) from error
        try:
            for folder in shards:
                self._stored += [(StoredArray.find(p, "original"), 0) for p in shard_paths(folder)]
        except ArrayFileError as error:
            raise ShardError(str(error)) from error
        self._ends = np.cumsum([len(stored) for stored, _ in self._stored], dtype=np.int64)
        if not len(self):
            raise FaceFolderError(
                f"there is no face in {', '.join(map(str, [*caches, *shards])) or 'no folder'}"
            )

    def __len__(self) -> int:
        if self._chosen is not None:
            return len(self._chosen)
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> Framed:
        """Face ``index``, 0 to the length - 1, from the disk; for any number of threads at once."""
        if not 0 <= index < len(self):
            raise IndexError(f"face {index} of {len(self)}")
        if self._chosen is not None:
            index = int(self._chosen[index])
        part = int(np.searchsorted(self._ends, index, side="right"))
        stored, room = self._stored[part]
        return Framed(stored.row(int(index - (self._ends[part] - len(stored)))), room)
