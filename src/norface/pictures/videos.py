"""Videos of what was read: the original with boxes and cards, or the common face alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from norface.media.video_source import VideoError
from norface.media.video_writer import VideoWriter
from norface.pictures.common_face import Layout
from norface.pictures.frames import annotate_frame, annotated_size
from norface.results import FrameAnalysis


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
        path: of the new video, as for `VideoWriter`.
        rate: frames a second of the original, where known.
        sound_from: the original, if its sound is to go along.
        start: seconds at which the analysis began; the new video begins there.
        stop: seconds at which it ended.

    Raises:
        VideoError: the video cannot be written, or there is no frame.
        ValueError: a frame has no image.
    """
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise VideoError(f"{path} would hold no frame; it is not written.")
    width, height = annotated_size(*first.size)
    written = Written()
    with VideoWriter(
        path, width=width, height=height, rate=rate, sound_from=sound_from, start=start, stop=stop
    ) as writer:
        for frame in chain([first], rest):
            if frame.image is None:
                raise ValueError("frames to be annotated need their images: keep_images=True")
            writer.write(annotate_frame(frame.image, frame.faces), frame.time)
            written.add(frame)
        written.damage = writer.damage
    return written


def write_deidentified(
    frames: Iterable[FrameAnalysis],
    path: Path,
    *,
    layout: Layout,
    rate: float | None = None,
    sound_from: Path | None = None,
) -> Written:
    """Write a video that shows normalized faces on a plain ground and nothing else.

    No pixel of the original is used: of it come the times of the frames and, where the layout puts
    the faces where they were, their places and sizes.

    Args:
        frames: of a video, analyzed, in order.
        path: of the new video, as for `VideoWriter`.
        layout: where the faces go.
        rate: frames a second of the original, where known.
        sound_from: the original, if its sound is to go along. Voices identify people.

    Raises:
        VideoError: it cannot be written, or there is no frame.
    """
    written = Written()
    width, height = layout.size
    with VideoWriter(path, width=width, height=height, rate=rate, sound_from=sound_from) as writer:
        for frame in frames:
            writer.write(layout.draw(frame), frame.time)
            written.add(frame)
        written.damage = writer.damage
    return written
