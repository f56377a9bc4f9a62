"""The sound of a file, into a video that is being written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.error
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from norface.media.video_source import VideoError, find_source, origin

_COPIED: Final = {
    # What players of each format can be trusted to play; FFmpeg would write more.
    "matroska": frozenset({"aac", "ac3", "eac3", "flac", "mp3", "opus", "vorbis"}),
    "mov": frozenset({"aac", "ac3", "alac", "eac3", "mp3"}),
    "mp4": frozenset({"aac", "ac3", "alac", "eac3", "mp3"}),
    "webm": frozenset({"opus", "vorbis"}),
}
_ENCODERS: Final = {"matroska": "aac", "mov": "aac", "mp4": "aac", "webm": "libopus"}
_RATES: Final = {
    "aac": (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 8_000),
    "libopus": (48_000,),
}
"""Samples a second that an encoder takes."""


class Sound:
    """Packets of sound in the order of their times, copied or encoded anew.

    Attributes:
        copied: whether the packets are the file's own.
        damage: what of the sound could not be read; None where all was.
    """

    def __init__(
        self,
        *,
        source: InputContainer,
        stream: AudioStream,
        into: OutputContainer,
        kind: str,
        start: float,
        stop: float | None,
    ) -> None:
        """Take a stream of an open file; `open` is for others."""
        self.damage: str | None = None
        self._source = source
        self._stream = stream
        self._into = into
        self._origin = origin(source)
        codec = stream.codec_context.codec.canonical_name
        self.copied = codec in _COPIED[kind]
        # What comes before 0 warms up the decoder and is not played. Matroska cannot say so, but of
        # Opus, and would shift all else instead.
        keeps_warming = kind != "matroska" or codec == "opus" or not self.copied
        self._start = -math.inf if start <= 0.0 and keeps_warming else start
        self._shift = self._origin + Fraction(start)
        self._stop = math.inf if stop is None else stop
        if self.copied:
            self._out = into.add_stream_from_template(stream)
            self._packets = self._copied()
        else:
            name = _ENCODERS[kind]
            rates = _RATES[name]
            rate = next((r for r in rates if r <= stream.rate), rates[-1])
            layout = "mono" if stream.channels == 1 else "stereo"
            self._out = into.add_stream(name, rate=rate, layout=layout)  # type: ignore[assignment]
            self._packets = self._encoded()
        self._next = next(self._packets, None)

    @classmethod
    def open(
        cls, path: Path, *, into: OutputContainer, kind: str, start: float, stop: float | None
    ) -> Sound | None:
        """Open the sound of a file; None where it has none.

        Args:
            path: a video, or sound alone.
            into: the video that is being written, to which nothing was written yet.
            kind: FFmpeg's name of its format.
            start: seconds of the file.
            stop: seconds of the file; None for its end.

        Raises:
            VideoError: the file cannot be read.
        """
        source = find_source(path)
        try:
            container = av.open(source.address, "r", options=source.options)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise VideoError(
                f"{path} cannot be read for its sound ({error}). Give a file that plays."
            ) from error
        try:
            streams = [s for s in container.streams.audio if s.codec_context is not None]
            if not streams:
                container.close()
                return None
            return cls(
                source=container, stream=streams[0], into=into, kind=kind, start=start, stop=stop
            )
        except BaseException:
            container.close()
            raise

    def write_until(self, time: float) -> None:
        """Write the packets that begin before a time, in seconds of the new video."""
        while self._next is not None:
            base = self._next.time_base
            if self._next.pts is not None and float(self._next.pts * base) >= time:
                return
            self._into.mux(self._next)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the file; again is harmless."""
        self._source.close()

    def _read(self) -> Iterator[Packet[AudioStream]]:
        """The packets from the start to the stop."""
        try:
            for packet in self._source.demux(self._stream):
                if packet.pts is None:
                    continue
                time = float(packet.pts * packet.time_base - self._origin)
                if time >= self._stop:
                    return
                if time >= self._start:
                    yield packet
        except (av.error.FFmpegError, OSError) as error:
            self.damage = f"reading the sound stopped: {error}"

    def _copied(self) -> Iterator[Packet[AudioStream]]:
        for packet in self._read():
            shift = round(self._shift / packet.time_base)
            assert packet.pts is not None
            packet.pts -= shift
            if packet.dts is not None:
                packet.dts -= shift
            packet.stream = self._out
            yield packet

    def _encoded(self) -> Iterator[Packet[AudioStream]]:
        context = self._out.codec_context
        context.open()
        resampler = AudioResampler(
            format=context.format, layout=context.layout, rate=context.rate,
            frame_size=context.frame_size,
        )  # fmt: skip
        failed = 0
        for packet in self._read():
            try:
                frames = self._stream.decode(packet)
            except (av.error.FFmpegError, ValueError):
                failed += 1
                continue
            for frame in frames:
                if frame.pts is not None:
                    assert self._stream.time_base is not None
                    frame.time_base = self._stream.time_base
                    frame.pts -= round(self._shift / self._stream.time_base)
                for part in resampler.resample(frame):
                    yield from self._out.encode(part)
        for part in resampler.resample(None):
            yield from self._out.encode(part)
        yield from self._out.encode(None)
        if failed:
            self.damage = f"{failed} pieces of the sound could not be read"
