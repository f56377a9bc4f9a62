"""The pixels of samples: pictures, frames of videos, and rows of FER2013's table."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import cv2
import numpy as np

from norface.data.sample import Sample
from norface.media.images import ImageError, UInt8Image, read_image, to_rgb_array

TABLE_SIDE: Final = 48
"""Of the pictures in FER2013's table."""


class SamplePictures:
    """Reads the pictures of samples, as a context manager.

    The video that was read last stays open and goes on from where it is: samples in the order of
    their frames are read once from beginning to end. A frame is counted from the beginning, never
    searched by its time, as videos of the data sets are not exact about that.
    """

    def __init__(self) -> None:
        self._video: Path | None = None
        self._capture: Any = None
        self._next = 0

    def read(self, sample: Sample) -> UInt8Image:
        """The picture of a sample.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            ImageError: it is missing or damaged.
        """
        if sample.frame is None:
            return read_image(sample.path)
        if sample.path.suffix.lower() == ".csv":
            return self._table_picture(sample.path, sample.frame)
        return self._video_frame(sample.path, sample.frame)

    def close(self) -> None:
        """Close the video that is open."""
        if self._capture is not None:
            self._capture.release()
        self._video, self._capture = None, None

    def __enter__(self) -> SamplePictures:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _video_frame(self, path: Path, frame: int) -> UInt8Image:
        if path != self._video or frame < self._next:
            self.close()
            self._capture = cv2.VideoCapture(str(path))
            if not self._capture.isOpened():
                self.close()
                raise ImageError(f"{path} cannot be opened as a video.")
            self._video, self._next = path, 0
        while self._next <= frame:
            if not self._capture.grab():
                end = self._next
                self.close()
                raise ImageError(f"{path} ends after {end} frames; frame {frame} was asked for.")
            self._next += 1
        read, image = self._capture.retrieve()
        if not read:
            raise ImageError(f"{path}: frame {frame} is damaged.")
        return to_rgb_array(np.asarray(image)[:, :, ::-1])

    def _table_picture(self, path: Path, row: int) -> UInt8Image:
        """A picture in a CSV; no cell holds a line break, so that rows are lines."""
        try:
            about = path.stat()
            with path.open("rb") as file:
                file.seek(_row_starts(path, about.st_size, about.st_mtime_ns)[row])
                cells = file.readline().decode("ascii").replace('"', "").split(",")
        except (OSError, IndexError, UnicodeDecodeError) as error:
            raise ImageError(f"{path}: row {row} cannot be read ({error}).") from error
        # The pixels are the longest cell, whichever column they are in.
        try:
            pixels = np.array(max(cells, key=len).split(), np.uint8)
            return to_rgb_array(pixels.reshape(TABLE_SIDE, TABLE_SIDE))
        except (ValueError, OverflowError) as error:
            raise ImageError(f"{path}: row {row} does not hold 48 x 48 pixels.") from error


@lru_cache(maxsize=4)
def _row_starts(path: Path, size: int, changed: int) -> list[int]:
    """Where each row of a CSV but the first begins; read once by a process while it stays.

    Args:
        path: the file.
        size: in bytes.
        changed: when; with the size it tells whether the file is still the same.
    """
    starts = []
    with path.open("rb") as file:
        place = len(file.readline())
        for line in file:
            starts.append(place)
            place += len(line)
    return starts
