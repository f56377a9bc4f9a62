"""One video of ``norface normalize``, written minute by minute and joined at the end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from norface.media.video import Video, VideoError
from norface.media.video_joining import join_videos
from norface.pictures.common_face import Layout, Row, Scene, ground_color
from norface.pictures.videos import DeidentifiedVideo, Written
from norface.results import FrameAnalysis
from norface.runtime.analyzer import Norface
from norface.runtime.video_reading import Checkpoint, Selection

Tell = Callable[[int, "int | None"], None]

_STATE: Final = "state.json"


def normalize_video(
    norface: Norface,
    source: Path,
    path: Path,
    *,
    work: Path,
    places: int | None,
    sound: bool,
    tell: Tell,
) -> tuple[Written, list[str]]:
    """Write a video in which only the common face shows, or go on with one.

    Args:
        norface: finds and normalizes the faces.
        source: the original.
        path: of the new video.
        work: a folder for the pieces of this video, removed at the end; what an earlier run left
            there is gone on with.
        places: how many faces stand side by side; None to leave them where they were.
        sound: whether the sound goes along.
        tell: called with the frames done, and how many there are where that is known.

    Returns:
        What was written, and what is to be said of it.

    Raises:
        VideoError: the original cannot be read, or the new one not written.
        OSError: the folder cannot be written to.
    """
    with Video.open(source) as video:
        layout = _layout(norface, video, places)
        pieces = _Pieces(work, layout, suffix=".webm" if path.suffix.lower() == ".webm" else ".mp4")
        try:
            _write_pieces(norface, video, pieces, tell, people=places is not None)
            damage = join_videos(
                pieces.begins(), path, sound_from=source if sound and video.has_sound else None
            )
        except VideoError:
            # Another try must not fail for the same pieces.
            shutil.rmtree(work, ignore_errors=True)
            raise
        notes = [note for note in (video.damage, damage) if note is not None]
    if isinstance(layout, Row) and layout.left_out:
        notes.append(f"{layout.left_out} faces had no place beside others: raise --side-by-side")
    shutil.rmtree(work)
    return pieces.written, notes


def _layout(norface: Norface, video: Video, places: int | None) -> Layout:
    ground = ground_color(norface.target)
    if places is None:
        return Scene(width=video.width, height=video.height, ground=ground)
    return Row(places=places, side=norface.target.shape[0], ground=ground)


def _write_pieces(
    norface: Norface, video: Video, pieces: _Pieces, tell: Tell, *, people: bool
) -> None:
    # Places in a scene do not depend on who is who.
    with (
        pieces,
        closing(
            norface.segments(
                video, Selection(), "track" if people else "none", after=pieces.checkpoint
            )
        ) as items,
    ):
        for item in items:
            if isinstance(item, Checkpoint):
                pieces.end(item)
            else:
                pieces.add(item, video.average_rate)
                tell(pieces.written.frames, video.frame_count)


class _Pieces:
    """The pieces of a video so far, and all that the next one depends on.

    A piece is whole before the state that counts it is written; so after a kill the state says
    which pieces are there, and from where to go on.

    Attributes:
        written: what the pieces hold.
        checkpoint: where the last one ends; None before the first.
    """

    def __init__(self, folder: Path, layout: Layout, *, suffix: str) -> None:
        """Take up what is in the folder."""
        self.written = Written()
        self.checkpoint: Checkpoint | None = None
        self._folder = folder
        self._layout = layout
        self._suffix = suffix
        self._begins: list[float] = []
        self._open: DeidentifiedVideo | None = None
        self._stack = ExitStack()
        folder.mkdir(parents=True, exist_ok=True)
        state = self._state()
        if state is not None:
            self.written = Written(**state["written"])
            self.checkpoint = Checkpoint(**state["checkpoint"])
            self._begins = state["begins"]
            layout.restore(state["layout"])

    def __enter__(self) -> _Pieces:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def begins(self) -> list[tuple[Path, float]]:
        """Each piece and the time of its first frame."""
        return [(self._path(number), begin) for number, begin in enumerate(self._begins)]

    def add(self, frame: FrameAnalysis, rate: float | None) -> None:
        """Draw a frame into the piece that is being written."""
        if self._open is None:
            path = self._path(len(self._begins))
            self._begins.append(frame.time)
            self._open = self._stack.enter_context(
                DeidentifiedVideo(path, layout=self._layout, rate=rate, start=frame.time)
            )
        self._open.write(frame)
        self.written.add(frame)

    def end(self, checkpoint: Checkpoint) -> None:
        """Finish the piece, and note that it is there."""
        self._stack.close()
        self._open = None
        state = {
            "written": asdict(self.written),
            "checkpoint": {name: getattr(checkpoint, name) for name in checkpoint.__slots__},
            "begins": self._begins,
            "layout": self._layout.state(),
        }
        part = self._folder / f"{_STATE}.part"
        part.write_text(json.dumps(state), encoding="utf-8")
        part.replace(self._folder / _STATE)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:04d}{self._suffix}"

    def _state(self) -> Mapping[str, Any] | None:
        try:
            state: Mapping[str, Any] = json.loads(
                (self._folder / _STATE).read_text(encoding="utf-8")
            )
        except (FileNotFoundError, ValueError):
            return None
        there = all(self._path(number).exists() for number in range(len(state["begins"])))
        return state if there else None
