"""Videos in: frames with their true times, from files, cameras and addresses."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final

import av
import av.error

from norface.media.images import UInt8Image
from norface.media.video_decoding import Decoder
from norface.media.video_deinterlacing import Numbered
from norface.media.video_pixels import Pixels
from norface.media.video_source import Source, VideoError, find_source, is_video
from norface.media.video_threads import read_ahead

__all__ = ["Frame", "Video", "VideoError", "is_video", "read_ahead"]

_STATE_THEIR_LENGTH: Final = frozenset({"asf", "avi", "flv", "matroska", "mov", "mxf"})
"""Formats whose header says how long they are; of others FFmpeg guesses it."""

_TOLERANCE_SECONDS: Final = 0.5
"""A file that ends this much before its stated length is not called cut short."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a video.

    Attributes:
        number: in the source, from 0; one that cannot be read has its number, too.
        time: seconds since the beginning of the source as it is played; grows with every frame.
        image: (H, W, 3) uint8 RGB, upright, pixels square; in memory of its own.
    """

    number: int
    time: float
    image: UInt8Image


class Video:
    """A video that is open for reading; a context manager.

    Attributes:
        name: the file, address or camera, as messages show it.
        width, height: pixels of the first frame, upright. The size may change within a stream.
        frame_count: frames as the file states or its length suggests; None where unknown.
        duration: seconds as the file states; None where it does not.
        average_rate: frames a second; None where unknown.
        has_sound: whether there is sound as well.
        live: a camera, a stream or a pipe: read once, from its beginning.
        unreadable: frames of the last iteration, so far, that could not be read.
        untimed: frames of it whose time was missing or did not grow; each was set one frame after
            the one before.
        damage: after an iteration to the end, what could not be read; None where all was read.
    """

    def __init__(self, *, source: Source) -> None:
        """Open a source and read its first frame; users call `open`.

        Raises:
            VideoError: it cannot be opened, holds no video, or none that can be read.
        """
        self._source = source
        self.name = source.name
        self.live = source.live
        self.unreadable = 0
        self.untimed = 0
        self.damage: str | None = None
        decoder = Decoder(source=source)
        try:
            frames = decoder.frames()
            first = next(frames, None)
            if first is None:
                why = decoder.stopped or "no frame can be decoded"
                raise VideoError(f"{self.name} cannot be read ({why}). Copy or convert it again.")
            self._read_from(decoder, first)
        except BaseException:
            decoder.close()
            raise
        self._fresh: tuple[Decoder, Iterator[Numbered]] | None
        self._fresh = decoder, itertools.chain([first], frames)

    @classmethod
    def open(cls, source: str | os.PathLike[str] | int) -> Video:
        """Open a video.

        Args:
            source: a file; an address (``rtsp://...``, ``http://...``); or the number of a camera,
                0 for the first, as text as well where no file has that name.

        Raises:
            VideoError: it cannot be opened, holds no video, or none that can be read.
        """
        return cls(source=find_source(source))

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the source; again is harmless."""
        if self._fresh is not None:
            self._fresh[0].close()
            self._fresh = None

    def frames(
        self,
        start: float | None = None,
        stop: float | None = None,
        every: int = 1,
        rate: float | None = None,
    ) -> Iterator[Frame]:
        """Read frames, in the order of their display; one at a time is in memory.

        Args:
            start: seconds; earlier frames are left out.
            stop: seconds; this and later frames are left out.
            every: of n frames one: those whose number it divides.
            rate: at most so many frames a second: of each interval of ``1 / rate`` seconds the
                first frame. What is chosen does not depend on ``start``.

        Raises:
            ValueError: an argument is out of its range.
            VideoError: a live source is read a second time, or a file is gone.
        """
        if every < 1 or (rate is not None and not (rate > 0 and math.isfinite(rate))):
            raise ValueError(f"every {every} must be 1 or more, rate {rate} more than 0")
        if start is not None and stop is not None and not start < stop:
            raise ValueError(f"start {start} must be before stop {stop}")
        return self._frames(start, stop, every, rate)

    def _frames(
        self, start: float | None, stop: float | None, every: int, rate: float | None
    ) -> Iterator[Frame]:
        decoder, numbered = self._begin(start)
        pixels = Pixels(aspect=decoder.stream.sample_aspect_ratio)
        self.damage, failed = None, 0
        last_interval = -1
        end = 0.0
        try:
            for number, time, frame in numbered:
                self.unreadable, self.untimed = decoder.unreadable + failed, decoder.untimed
                if stop is not None and time >= stop:
                    return
                end = time
                if start is not None and time < start:
                    continue
                if rate is not None:
                    # The least bit more: a time of 0.3 s is often 0.29999.
                    interval = math.floor(time * rate + 1e-6)
                    if interval <= last_interval:
                        continue
                    last_interval = interval
                if number % every:
                    continue
                try:
                    image = pixels.read(frame)
                except (av.error.FFmpegError, ValueError):
                    failed += 1
                    continue
                yield Frame(number, time, image)
            self.unreadable, self.untimed = decoder.unreadable + failed, decoder.untimed
            self.damage = self._damage(decoder, end)
        finally:
            decoder.close()

    def _begin(self, start: float | None) -> tuple[Decoder, Iterator[Numbered]]:
        fresh, self._fresh = self._fresh, None
        if fresh is not None and (self.live or start is None):
            return fresh
        if fresh is not None:
            fresh[0].close()
        if self.live:
            raise VideoError(f"{self.name} can be read only once. Open it again.")
        decoder = Decoder(source=self._source)
        return decoder, decoder.frames(start)

    def _read_from(self, decoder: Decoder, first: Numbered) -> None:
        container, stream = decoder.container, decoder.stream
        try:
            image = Pixels(aspect=stream.sample_aspect_ratio).read(first[2])
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoError(
                f"{self.name} has pixels that cannot be read ({first[2].format.name}). "
                "Convert it to H.264."
            ) from error
        self.height, self.width = image.shape[:2]
        self.has_sound = bool(container.streams.audio)
        self.average_rate = None if decoder.rate is None else float(decoder.rate)
        length = None if self.live else container.duration
        self.duration = None if length is None or length <= 0 else length / av.time_base
        if container.format.name == "avi" and stream.frames and self.average_rate:
            # FFmpeg shortens what an AVI states to what the size of its file allows.
            self.duration = max(self.duration or 0.0, stream.frames / self.average_rate)
        self.frame_count: int | None = stream.frames or None
        if self.frame_count is None and self.duration and self.average_rate:
            self.frame_count = max(1, round(self.duration * self.average_rate))

    def _damage(self, decoder: Decoder, end: float) -> str | None:
        parts = []
        if self.unreadable:
            count = "1 frame" if self.unreadable == 1 else f"{self.unreadable} frames"
            parts.append(f"{count} could not be read")
        names = decoder.container.format.name.split(",")
        stated = None if _STATE_THEIR_LENGTH.isdisjoint(names) else self.duration
        whole = "" if stated is None else f" of {stated:.1f} s"
        if decoder.stopped is not None:
            parts.append(f"reading stopped at {end:.1f} s{whole}: {decoder.stopped}")
        elif stated is not None and decoder.reached < stated - _TOLERANCE_SECONDS:
            parts.append(f"cut short at {end:.1f} s{whole}")
        return "; ".join(parts) or None
