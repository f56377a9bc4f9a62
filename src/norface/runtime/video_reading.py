"""A video read from its first frame to its last: decoding, following and reading overlap."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from norface.media.video import Frame, Video
from norface.media.video_threads import read_ahead
from norface.results import FrameAnalysis, UInt8Image
from norface.runtime.batching import in_batches
from norface.runtime.following import Follower
from norface.runtime.networks import FACES_AT_ONCE, Crop, FaceNetworks

SECONDS_A_SEGMENT: Final = 60.0
"""Of the video: how much is done again, at most, after a kill."""

_DECODED_AHEAD: Final = 3
_FOLLOWED_AHEAD: Final = 3
"""Frames that are held between the stages; of 4K, each takes 25 MB until its faces are cut out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which frames of a video are read; see `norface.media.video.Video.frames`.

    Attributes:
        start, stop: seconds; None for the beginning and the end.
        every: of n frames one.
        rate: at most so many frames a second; None for all.
    """

    start: float | None = None
    stop: float | None = None
    every: int = 1
    rate: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("start", "stop"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be 0 seconds or more: {value}")
        if self.start is not None and self.stop is not None and self.start >= self.stop:
            raise ValueError(f"start {self.start} must be before stop {self.stop}")
        if self.every < 1:
            raise ValueError(f"every must be 1 frame or more: {self.every}")
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"the rate must be above 0 frames a second: {self.rate}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The end of a segment, between two frames: from here the rest can be read another time.

    Attributes:
        number, time: of the last frame.
        state: of the follower.
        in_order: whether all frames so far could be read and had times, so that a seek to this
            place finds the same frames.
    """

    number: int
    time: float
    state: dict[str, Any]
    in_order: bool


def read_video(
    video: Video,
    networks: FaceNetworks,
    follower: Follower,
    selection: Selection,
    *,
    after: Checkpoint | None = None,
    keep_images: bool = False,
) -> Generator[FrameAnalysis | Checkpoint, None, None]:
    """Every frame that is selected, with its faces; a `Checkpoint` behind each segment.

    What is in memory does not depend on how long the video is.

    Args:
        video: open.
        networks: read the faces.
        follower: new; it is put into the state of ``after``.
        selection: which frames.
        after: where an earlier reading of the same file stopped; None to begin.
        keep_images: give the frames themselves as well.

    Raises:
        VideoError: the source is gone, or live and read already.
    """
    start = selection.start
    if after is not None:
        follower.restore(after.state)
        start = after.time if after.in_order else start
    decoded = read_ahead(
        video.frames(start, selection.stop, selection.every, selection.rate), _DECODED_AHEAD
    )
    followed = read_ahead(
        _followed(decoded, video, networks, follower, after, keep_images), _FOLLOWED_AHEAD
    )
    # In a live video what is seen counts more than what a batch saves.
    at_once = 1 if video.live else FACES_AT_ONCE // 2 if keep_images else FACES_AT_ONCE
    with closing(followed):
        for item, faces in in_batches(followed, networks.read, faces=at_once):
            if isinstance(faces, Exception):
                raise faces
            if isinstance(item, Checkpoint):
                yield item
            else:
                yield FrameAnalysis(item.number, item.time, item.size, faces, item.image)


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    number: int
    time: float
    size: tuple[int, int]
    image: UInt8Image | None


def _followed(
    frames: Generator[Frame, None, None],
    video: Video,
    networks: FaceNetworks,
    follower: Follower,
    after: Checkpoint | None,
    keep_images: bool,
) -> Generator[tuple[_Followed | Checkpoint, list[Crop]], None, None]:
    last: tuple[int, float] | None = None
    if after is not None:
        last = after.number, after.time
    is_new = False
    with closing(frames):
        for frame in frames:
            if last is not None and frame.number <= last[0]:
                continue
            if is_new and last is not None and _segment(frame.time) != _segment(last[1]):
                yield _checkpoint(last, video, follower), []
            faces, numbers = follower.follow(frame)
            last, is_new = (frame.number, frame.time), True
            size = frame.image.shape[1], frame.image.shape[0]
            image = frame.image if keep_images else None
            yield (
                _Followed(frame.number, frame.time, size, image),
                networks.crops(frame.image, faces, numbers),
            )
            del frame, image
    if is_new and last is not None:
        yield _checkpoint(last, video, follower), []


def _checkpoint(last: tuple[int, float], video: Video, follower: Follower) -> Checkpoint:
    in_order = not video.unreadable and not video.untimed
    return Checkpoint(number=last[0], time=last[1], state=follower.state(), in_order=in_order)


def _segment(time: float) -> int:
    return math.floor(time / SECONDS_A_SEGMENT)
