"""Videos of what was read: the original with boxes and cards, or the common face alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from norface.media.video import Frame, Video, VideoError
from norface.media.video_writer import VideoWriter
from norface.pictures.common_face import Layout
from norface.pictures.frames import annotate_frame, annotated_size
from norface.results import FaceAnalysis


class Analyzed(Protocol):
    """A frame of a video that was analyzed."""

    @property
    def number(self) -> int:
        """Of the frame in its video, from 0."""

    @property
    def time(self) -> float:
        """In seconds."""

    @property
    def faces(self) -> Sequence[FaceAnalysis]:
        """What was read from it; their ``face_id`` is the person."""


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

    def add(self, faces: int) -> None:
        """Count a frame."""
        self.frames += 1
        self.faces += faces
        self.without_face += not faces


def write_annotated(
    source: str | Path,
    analyses: Iterable[Analyzed],
    path: Path,
    *,
    start: float | None = None,
    stop: float | None = None,
    sound: bool = True,
) -> Written:
    """Write a video whose frames show what was read from them (`frames.annotate_frame`).

    The source is decoded a second time beside the analysis, so that no frame has to be kept; the
    frames of the new video are those that were analyzed, at their times.

    Args:
        source: the video that was analyzed; not a camera or a stream, which can be read only once.
        analyses: of its frames, in order, each used before the next is asked for.
        path: of the new video, as for `VideoWriter`.
        start: seconds at which the analysis began; the new video begins there.
        stop: seconds at which it ended.
        sound: whether the sound of the source goes with it.

    Raises:
        VideoError: the source cannot be read, the new one not written, or no frame was analyzed.
    """
    with Video.open(source) as video:
        if video.live:
            raise VideoError(f"{video.name} can be read only once. Record it to a file first.")
        width, height = annotated_size(video.width, video.height)
        written = Written()
        with VideoWriter(
            path,
            width=width,
            height=height,
            rate=video.average_rate,
            sound_from=Path(source) if sound else None,
            start=start or 0.0,
            stop=stop,
        ) as writer:
            frames = video.frames(start=start, stop=stop)
            for frame, analysis in _together(frames, analyses):
                writer.write(annotate_frame(frame.image, analysis.faces), analysis.time)
                written.add(len(analysis.faces))
        written.damage = writer.damage
    return written


def write_deidentified(
    analyses: Iterable[Analyzed],
    path: Path,
    *,
    layout: Layout,
    rate: float | None = None,
    sound_from: Path | None = None,
) -> Written:
    """Write a video that shows normalized faces on a plain ground and nothing else.

    No pixel of the original comes this far: all that is used of it are the times of the frames
    and, where the layout puts the faces where they were, their places and sizes.

    Args:
        analyses: of the frames of a video, in order.
        path: of the new video, as for `VideoWriter`.
        layout: where the faces go.
        rate: frames a second of the original, where known.
        sound_from: the original, if its sound is to go along. Voices identify people.

    Raises:
        VideoError: it cannot be written, or no frame was analyzed.
    """
    written = Written()
    width, height = layout.size
    with VideoWriter(path, width=width, height=height, rate=rate, sound_from=sound_from) as writer:
        for analysis in analyses:
            writer.write(layout.draw(analysis.time, analysis.faces), analysis.time)
            written.add(len(analysis.faces))
    written.damage = writer.damage
    return written


def _together(
    frames: Iterator[Frame], analyses: Iterable[Analyzed]
) -> Iterator[tuple[Frame, Analyzed]]:
    """Each analysis with its frame; what has no partner is left out."""
    frame = next(frames, None)
    for analysis in analyses:
        while frame is not None and frame.number < analysis.number:
            frame = next(frames, None)
        if frame is None:
            return
        if frame.number == analysis.number:
            yield frame, analysis
