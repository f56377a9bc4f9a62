"""Videos out: frames at their own times, in step with the sound of another file."""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final

import av
import av.error
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from norface.media.half_written import part_beside
from norface.media.images import UInt8Image
from norface.media.video_sound import Sound
from norface.media.video_source import VideoError

_TICKS: Final = 90_000
"""A second, in units of time that hold 24, 25, 30 and 30000 / 1001 frames a second evenly."""

_H264: Final = ("libx264", "libopenh264", "mpeg4")
_VP9: Final = ("libvpx-vp9",)
_ENCODERS: Final = {
    # suffix: FFmpeg's name of the format, encoders of which the first that is there is taken
    ".mkv": ("matroska", _H264),
    ".mov": ("mov", _H264),
    ".mp4": ("mp4", _H264),
    ".webm": ("webm", _VP9),
}

FORMATS: Final = {suffix: name for suffix, (name, _) in _ENCODERS.items()}
"""What a video's name may end in, and what FFmpeg calls that format."""

_OPTIONS: Final = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "libopenh264": {"b": "6000000"},
    "mpeg4": {"qscale": "3"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "crf": "30", "b": "0"},
}


class VideoWriter:
    """Writes a video whole or not at all; a context manager.

    Leaving the ``with`` block in order finishes the file; leaving it with an error removes it.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        rate: float | None = None,
        sound_from: Path | None = None,
        start: float = 0.0,
        stop: float | None = None,
    ) -> None:
        """Begin a file.

        Args:
            path: ends in .mp4, .mov or .mkv (H.264 and AAC) or .webm (VP9 and Opus); its folder
                must exist, and an existing file is replaced at the end.
            width: pixels.
            height: pixels. An odd last column or row is written twice, since these codecs want
                even sizes.
            rate: frames a second on average, where known. It guides the encoder alone: each frame
                keeps its time.
            sound_from: a file whose sound, if it has any, goes with the pictures.
            start: seconds of `write` and of that file at which this one begins.
            stop: seconds at which the sound ends; None for its own end.

        Raises:
            VideoError: the suffix names no such format, there is no encoder, or ``sound_from``
                cannot be read.
            OSError: the folder cannot be written to.
        """
        path = Path(path)
        if path.suffix.lower() not in _ENCODERS:
            raise VideoError(f"{path} must end in {', '.join(_ENCODERS)}.")
        if width < 1 or height < 1:
            raise ValueError(f"a video of {width} x {height} pixels")
        kind, encoders = _ENCODERS[path.suffix.lower()]
        self._path = path
        self._size = width, height
        self._start = start
        self._last = -1
        self._sound: Sound | None = None
        self._part = part_beside(path)
        self._part.open("xb").close()
        options = {"movflags": "+faststart"} if kind in ("mov", "mp4") else {}
        self._container: OutputContainer = av.open(
            f"file:{self._part.absolute()}", "w", format=kind, container_options=options
        )
        try:
            self._stream = self._add_pictures(encoders, rate)
            if sound_from is not None:
                self._sound = Sound.open(
                    sound_from, into=self._container, start=start, stop=stop, kind=kind
                )
        except BaseException:
            self.discard()
            raise

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    @property
    def damage(self) -> str | None:
        """What of the sound could not be read, so far; None where all was."""
        return None if self._sound is None else self._sound.damage

    def write(self, image: UInt8Image, time: float) -> None:
        """Write a frame.

        Args:
            image: (H, W, 3) uint8 RGB; one of another size is fitted in, with black beside it.
            time: seconds, more than those of the frame before by a ten-thousandth or more.

        Raises:
            ValueError: the time does not grow, or the image has another shape or type.
            VideoError: it cannot be encoded or written.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"a frame of shape {image.shape} and type {image.dtype}")
        ticks = round((time - self._start) * _TICKS)
        if ticks <= self._last:
            raise ValueError(f"frame at {time} s does not come after the one before")
        self._last = ticks
        frame = VideoFrame.from_ndarray(self._fitted(image), format="rgb24")
        # swscale would take the colours of old television.
        frame = frame.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = ticks, Fraction(1, _TICKS)
        try:
            if self._sound is not None:
                self._sound.write_until(ticks / _TICKS)
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as error:
            raise VideoError(f"{self._path} cannot be written: {error}") from error

    def close(self) -> None:
        """Finish the file and put it in its place.

        Raises:
            VideoError: nothing was written, or the file cannot be finished.
        """
        if self._last < 0:
            self.discard()
            raise VideoError(f"{self._path} would hold no frame; it is not written.")
        try:
            self._container.mux(self._stream.encode(None))
            if self._sound is not None:
                self._sound.write_until(math.inf)
                self._sound.close()
            self._container.close()
            self._part.replace(self._path)
        except (av.error.FFmpegError, OSError) as error:
            self.discard()
            raise VideoError(f"{self._path} cannot be written: {error}") from error
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Give the file up; nothing of it stays."""
        if self._sound is not None:
            self._sound.close()
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()
        self._part.unlink(missing_ok=True)

    def _add_pictures(self, encoders: tuple[str, ...], rate: float | None) -> VideoStream:
        there = [name for name in encoders if name in av.codecs_available and _encodes(name)]
        if not there:
            raise VideoError(
                f"{self._path} cannot be written: FFmpeg has none of the encoders "
                f"{', '.join(encoders)}. Install PyAV's own package: pip install av."
            )
        name = there[0]
        guide = Fraction(rate).limit_denominator(1001) if rate else Fraction(30)
        stream = self._container.add_stream(name, rate=guide, options=_OPTIONS[name])
        assert isinstance(stream, VideoStream)
        width, height = self._size
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = Fraction(1, _TICKS)
        context.color_range = ColorRange.MPEG
        context.colorspace = context.color_primaries = context.color_trc = Colorspace.ITU709
        return stream

    def _fitted(self, image: UInt8Image) -> UInt8Image:
        width, height = self._size
        if image.shape[:2] != (height, width):
            scale = min(width / image.shape[1], height / image.shape[0])
            size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
            smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            image = np.zeros((height, width, 3), np.uint8)
            left, top = (width - size[0]) // 2, (height - size[1]) // 2
            image[top : top + size[1], left : left + size[0]] = smaller
        if width % 2 or height % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return image


def _encodes(name: str) -> bool:
    try:
        av.Codec(name, "w")
    except ValueError:
        return False
    return True
