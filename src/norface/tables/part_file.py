"""The file behind a table that is being written: whole records only, appendable after a kill."""

from __future__ import annotations

from io import FileIO
from pathlib import Path
from typing import Final

import numpy as np

_CHUNK: Final = 1 << 20


class TableError(ValueError):
    """A table cannot be read or written; the message names the file and what to do."""


def part_of(path: Path) -> Path:
    """The file in which a table's rows are kept until it is finished."""
    return path.with_name(path.name + ".part")


def complete(path: Path) -> bool:
    """Whether the table was finished: it lies there whole, and nothing is being added to it."""
    return path.exists() and not part_of(path).exists()


class PartFile:
    """``NAME.part``, to which each record is added in one write.

    Whoever reads it in the meantime sees whole records, or at worst, for a moment or after a kill,
    a last one that has no end yet. A write that fails is taken back.

    Args:
        path: the finished file's name; one that exists is replaced by `finish`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = 0
        self._file: FileIO | None = None

    @property
    def part(self) -> Path:
        """Where the records are until the file is finished."""
        return part_of(self.path)

    @property
    def empty(self) -> bool:
        """Whether there is no record yet."""
        return not self._size

    def take_up(self, *, quotes: bool, keep: int | None) -> tuple[int, bytes]:
        """Go on with what an earlier run left, finished or not.

        Args:
            quotes: a line's end between double quotes does not end a record (CSV).
            keep: how many records to keep; None for every whole one.

        Returns:
            How many there are now, and the bytes that the file starts with (up to 1 MB).

        Raises:
            TableError: there are fewer than were to be kept.
            OSError: the file cannot be changed.
        """
        if not self.part.exists():
            if not self.path.exists():
                self._refuse(0, keep)
                return 0, b""
            self.path.replace(self.part)
        file = FileIO(str(self.part), "r+")
        try:
            count, size = _whole(file, quotes=quotes, most=keep)
            self._refuse(count, keep)
            file.truncate(size)
            file.seek(0)
            start = file.read(min(size, _CHUNK))
            file.seek(size)
        except BaseException:
            file.close()
            raise
        self._file, self._size = file, size
        return count, start

    def add(self, record: bytes) -> None:
        """Add one whole record, or several."""
        if self._file is None:
            # Unbuffered, so that a record reaches the file in one piece.
            self._file = FileIO(str(self.part), "w")
        try:
            left = memoryview(record)
            while left:
                left = left[self._file.write(left) :]
        except BaseException:
            self._file.truncate(self._size)
            self._file.seek(self._size)
            raise
        self._size += len(record)

    def close(self) -> bool:
        """Stop writing and leave the part as it is; whether there is one."""
        if self._file is None:
            return False
        self._file.close()
        self._file = None
        return True

    def finish(self) -> None:
        """Give the file its final name; without records there is none."""
        if self.close():
            self.part.replace(self.path)

    def _refuse(self, count: int, keep: int | None) -> None:
        if keep is not None and count < keep:
            raise TableError(
                f"{self.path} holds fewer rows than were noted, it was changed or cut: start anew "
                "in another folder"
            )


def _whole(file: FileIO, *, quotes: bool, most: int | None) -> tuple[int, int]:
    """How many whole records a file starts with, at most so many, and in how many bytes."""
    count = end = at = quoted = 0
    while (most is None or count < most) and (chunk := file.read(_CHUNK)):
        data = np.frombuffer(chunk, np.uint8)
        ends = data == ord("\n")
        if quotes:
            inside = np.cumsum(data == ord('"')) + quoted
            ends &= inside % 2 == 0
            quoted = int(inside[-1])
        places = np.flatnonzero(ends)
        if most is not None:
            places = places[: most - count]
        if places.size:
            count, end = count + places.size, at + int(places[-1]) + 1
        at += len(chunk)
    return count, end
