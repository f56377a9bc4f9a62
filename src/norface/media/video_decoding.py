"""Frames out of a container, with their numbers and true times, whatever is wrong with it."""

from __future__ import annotations

import heapq
import math
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, cast

import av
import av.error
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from norface.media.video_deinterlacing import Deinterlacer, Numbered
from norface.media.video_source import Source, open_container, origin

_MOST_THREADS: Final = 4
"""More would hold more pictures in memory, and what comes after decoding is slower anyway."""

_INDEXED: Final = frozenset({"matroska", "mov"})
"""Formats whose index leads to the very key frame that is asked for."""

_HIDES_FRAMES: Final = frozenset({"vp8"})
"""Codecs with packets that show nothing, so that frames cannot be counted undecoded."""

_USUAL_RATE: Final = Fraction(25)
"""Frames a second where nothing says how many."""


class Decoder:
    """The frames of one source, in the order of their display.

    Attributes:
        container, stream: what is open.
        rate: frames a second, on average; None where unknown.
        unreadable: frames that could not be decoded so far.
        untimed: frames so far whose time was missing or did not grow, and was set one frame after
            the one before.
        stopped: why reading ended before the end of the source; None where it did not.
        reached: seconds up to which anything, pictures or sound, was read.
    """

    def __init__(self, *, source: Source) -> None:
        """Open it.

        Raises:
            VideoError: it cannot be opened, or holds no video.
        """
        self.container, self.stream = open_container(source)
        self._source = source
        self.rate = self.stream.average_rate or self.stream.guessed_rate or None
        self.unreadable = 0
        self.untimed = 0
        self.stopped: str | None = None
        self.reached = Fraction(0)
        self._base = self.stream.time_base or Fraction(1, av.time_base)
        self._origin = None if source.live else origin(self.container)
        self._last: Fraction | None = None
        self._failed = 0  # of which it is not known yet between which frames they belong
        self._sent: list[int] = []
        # Threads that decode several frames at once hold these back, which a camera must not.
        self.stream.thread_type = "SLICE" if source.live else "AUTO"
        self.stream.thread_count = min(_MOST_THREADS, os.cpu_count() or 1)

    def close(self) -> None:
        """Close the source; again is harmless."""
        self.container.close()

    def frames(self, start: float | None = None) -> Iterator[Numbered]:
        """Number, time in seconds and picture of each frame from ``start`` seconds on, once."""
        start = -math.inf if start is None else start
        number = self._jump(start)
        whole = Deinterlacer(stream=self.stream)
        for frame in self._decoded():
            number += self._failed_before(frame)
            time = self._time(frame)
            if frame.is_corrupt:
                self.unreadable += 1
            elif time >= start:
                yield from whole.put((number, time, frame))
            number += 1
        yield from whole.end()

    def _decoded(self) -> Iterator[VideoFrame]:
        # There each packet after a gap counts as damaged, and most are not.
        doubts = self.container.format.name == "mpegts"
        for packet in self._packets():
            if packet is not None and packet.pts is not None:
                heapq.heappush(self._sent, packet.pts)
            try:
                if packet is not None and packet.is_corrupt and not doubts:
                    raise ValueError("what a file that is cut short holds of its last picture")
                frames = self.stream.decode(packet)
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, ValueError):
                self.unreadable += 1
                self._failed += 1
                continue
            yield from frames

    def _failed_before(self, frame: VideoFrame) -> int:
        """How many frames that failed belong between the last one and this one.

        With several threads an error shows late; but what was sent for an earlier time than this
        frame's and has not come by now has failed.
        """
        missing = 0
        while self._sent and frame.pts is not None and self._sent[0] <= frame.pts:
            missing += heapq.heappop(self._sent) < frame.pts
        found = self._failed if frame.pts is None else min(missing, self._failed)
        self._failed -= found
        return found

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """The packets of the pictures, then None, at which the decoder gives what it holds.

        Those of sound are read as well: they tell how far a file reaches.
        """
        sound = () if self._source.live else self.container.streams.audio
        try:
            for packet in self.container.demux(self.stream, *sound):
                if packet.pts is not None and self._origin is not None:
                    end = packet.pts + (packet.duration or 0)
                    self.reached = max(self.reached, self._seconds(end, packet.time_base))
                if packet.stream_index == self.stream.index and packet.size:
                    yield cast("Packet[VideoStream]", packet)
        except (av.error.FFmpegError, OSError) as error:
            self.stopped = str(getattr(error, "strerror", None) or error)
        yield None

    def _seconds(self, ticks: int, base: Fraction) -> Fraction:
        seconds = ticks * base
        if self._origin is None:
            self._origin = seconds
        return seconds - self._origin

    def _time(self, frame: VideoFrame) -> float:
        """A frame's time, always after that of the frame before."""
        last, step = self._last, 1 / (self.rate or _USUAL_RATE)
        following = Fraction(0) if last is None else last + step
        time = following if frame.pts is None else self._seconds(frame.pts, self._base)
        if frame.pts is None or (last is not None and time <= last):
            self.untimed += 1
            time = following
        self._last = time
        return float(time)

    def _jump(self, start: float) -> int:
        """Go to the last key frame before ``start``; the number of the frame there.

        Formats that do not say where their key frames are, or whose packets are not their frames,
        are decoded from their beginning instead.
        """
        formats = self.container.format.name.split(",")
        is_counted = self.stream.codec.name not in _HIDES_FRAMES
        if start <= 0.0 or self._origin is None or not is_counted or _INDEXED.isdisjoint(formats):
            return 0
        wanted = int((Fraction(start) + self._origin) / self._base)
        step = 0
        while True:
            try:
                self.container.seek(wanted - step, stream=self.stream)
                first = next(p for p in self.container.demux(self.stream) if p.pts is not None)
                self.container.seek(wanted - step, stream=self.stream)
            except (av.error.FFmpegError, StopIteration):
                return self._rewind()
            assert first.pts is not None
            if first.pts <= wanted:
                break
            # An index may be ordered by when frames are decoded, which is earlier.
            step = max(int(1 / self._base), 2 * step)
            if step > wanted:
                return self._rewind()
        return count_frames(self._source, before=first.pts)

    def _rewind(self) -> int:
        self.container.close()
        self.container, self.stream = open_container(self._source)
        return 0


def count_frames(source: Source, *, before: int) -> int:
    """Frames of a file that are shown before a time, counted without decoding them.

    Args:
        source: a file in which each packet is a frame.
        before: time in the video stream's units.
    """
    container, stream = open_container(source)
    count = 0
    with container:
        for packet in container.demux(stream):
            # Packets come in the order of decoding, which is never later than the display.
            if packet.dts is not None and packet.dts >= before:
                break
            count += packet.pts is not None and packet.pts < before and not packet.is_discard
    return count
