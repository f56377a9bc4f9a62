"""Videos of what was read: the original with boxes and cards, or the common face alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from norface.media.video_source import VideoError
from norface.media.video_writer import VideoWriter
from norface.pictures.common_face import Layout
from norface.pictures.frames import annotate_frame, annotated_size
from norface.results import FrameAnalysis, UInt8Image

_Self = TypeVar("_Self", bound="_DrawnVideo")


@dataclass(slots=True)
class Written:
    """What a video came to.

    Attributes:
        frames: how many were written.
        faces: how many faces they show.
        without_face: how many show none.
        damage: what of the sound could not be read; None where all was.
    """

    frames: int = 0
    faces: int = 0
    without_face: int = 0
    damage: str | None = None

    def add(self, frame: FrameAnalysis) -> None:
        """Count a frame."""
        self.frames += 1
        self.faces += len(frame.faces)
        self.without_face += not frame.faces


class _DrawnVideo:
    """A video of frames that are drawn; a context manager.

    Leaving the ``with`` block in order finishes the file; leaving it with an error removes it.

    Attributes:
        written: what was written so far.
    """

    def __init__(self, writer: VideoWriter) -> None:
        self.written = Written()
        self._writer = writer

    def write(self, frame: FrameAnalysis) -> None:
        """Draw a frame.

        Raises:
            VideoError: it cannot be written.
            ValueError: it has no image, and needs one.
        """
        self._writer.write(self._drawn(frame), frame.time)
        self.written.add(frame)

    def _drawn(self, frame: FrameAnalysis) -> UInt8Image:
        raise NotImplementedError

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, traceback)
        self.written.damage = self._writer.damage


class AnnotatedVideo(_DrawnVideo):
    """Frames with what was read from them (`frames.annotate_frame`)."""

    def __init__(
        self,
        path: Path,
        *,
        size: tuple[int, int],
        rate: float | None = None,
        sound_from: Path | None = None,
        start: float = 0.0,
        stop: float | None = None,
    ) -> None:
        """Begin a file.

        Args:
            path: of the new video, as for `VideoWriter`.
            size: width and height of the frames that will come, upright. They need their images.
            rate: frames a second of the original, where known.
            sound_from: the original, if its sound is to go along.
            start: seconds of the original at which the new video begins.
            stop: seconds at which its sound ends.

        Raises:
            VideoError: it cannot be written.
        """
        width, height = annotated_size(*size)
        super().__init__(
            VideoWriter(
                path,
                width=width,
                height=height,
                rate=rate,
                sound_from=sound_from,
                start=start,
                stop=stop,
            )
        )

    def _drawn(self, frame: FrameAnalysis) -> UInt8Image:
        if frame.image is None:
            raise ValueError("frames to be annotated need their images: keep_images=True")
        return annotate_frame(frame.image, frame.faces)


class DeidentifiedVideo(_DrawnVideo):
    """Normalized faces on a plain ground and nothing else.

    No pixel of the original is used: of it come the times of the frames and, where the layout puts
    the faces where they were, their places and sizes.
    """

    def __init__(
        self,
        path: Path,
        *,
        layout: Layout,
        rate: float | None = None,
        sound_from: Path | None = None,
        start: float = 0.0,
    ) -> None:
        """Begin a file.

        Args:
            path: of the new video, as for `VideoWriter`.
            layout: where the faces go.
            rate: frames a second of the original, where known.
            sound_from: the original, if its sound is to go along. Voices identify people.
            start: seconds of the original at which the new video begins.

        Raises:
            VideoError: it cannot be written.
        """
        self._layout = layout
        width, height = layout.size
        super().__init__(
            VideoWriter(
                path, width=width, height=height, rate=rate, sound_from=sound_from, start=start
            )
        )

    def _drawn(self, frame: FrameAnalysis) -> UInt8Image:
        return self._layout.draw(frame)


def write_annotated(
    frames: Iterable[FrameAnalysis],
    path: Path,
    *,
    rate: float | None = None,
    sound_from: Path | None = None,
    start: float = 0.0,
    stop: float | None = None,
) -> Written:
    """Write a video whose frames show what was read from them (`frames.annotate_frame`).

    Args:
        frames: analyzed, in order, each with its image (``keep_images``).
        path: and the other arguments: as for `AnnotatedVideo`.
        rate: of the original.
        sound_from: the original.
        start: of the analysis.
        stop: of the analysis.

    Raises:
        VideoError: the video cannot be written, or there is no frame.
        ValueError: a frame has no image.
    """
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise VideoError(f"{path} would hold no frame; it is not written.")
    with AnnotatedVideo(
        path, size=first.size, rate=rate, sound_from=sound_from, start=start, stop=stop
    ) as video:
        for frame in chain([first], rest):
            video.write(frame)
    return video.written


def write_deidentified(
    frames: Iterable[FrameAnalysis],
    path: Path,
    *,
    layout: Layout,
    rate: float | None = None,
    sound_from: Path | None = None,
) -> Written:
    """Write a video that shows normalized faces and nothing else, see `DeidentifiedVideo`.

    Args:
        frames: of a video, analyzed, in order.
        path: of the new video, as for `VideoWriter`.
        layout: where the faces go.
        rate: frames a second of the original, where known.
        sound_from: the original, if its sound is to go along.

    Raises:
        VideoError: it cannot be written, or there is no frame.
    """
    with DeidentifiedVideo(path, layout=layout, rate=rate, sound_from=sound_from) as video:
        for frame in frames:
            video.write(frame)
    return video.written
