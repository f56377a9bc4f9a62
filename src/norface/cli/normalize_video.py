"""One video of ``norface normalize``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from norface.media.video import Video
from norface.pictures.common_face import Layout, Row, Scene, ground_color
from norface.pictures.videos import Written, write_deidentified
from norface.results import FrameAnalysis
from norface.runtime.analyzer import Norface
from norface.runtime.video_reading import Selection

Tell = Callable[[int, "int | None"], None]


def normalize_video(
    norface: Norface,
    source: Path,
    path: Path,
    *,
    places: int | None,
    sound: bool,
    tell: Tell,
) -> tuple[Written, list[str]]:
    """Write a video in which only the common face shows.

    Args:
        norface: finds and normalizes the faces.
        source: the original.
        path: of the new video.
        places: how many faces stand side by side; None to leave them where they were.
        sound: whether the sound goes along.
        tell: called with the frames done, and how many there are where that is known.

    Returns:
        What was written, and what is to be said of it.

    Raises:
        VideoError: the original cannot be read, or the new one not written.
    """
    with (
        Video.open(source) as video,
        # Places in a scene do not depend on who is who.
        closing(
            norface.segments(video, Selection(), "none" if places is None else "track")
        ) as items,
    ):
        ground = ground_color(norface.target)
        layout: Layout
        if places is None:
            layout = Scene(width=video.width, height=video.height, ground=ground)
        else:
            layout = Row(places=places, side=norface.target.shape[0], ground=ground)
        written = write_deidentified(
            _frames(items, tell, video.frame_count),
            path,
            layout=layout,
            rate=video.average_rate,
            sound_from=source if sound and video.has_sound else None,
        )
        notes = [note for note in (video.damage, written.damage) if note is not None]
        if isinstance(layout, Row) and layout.left_out:
            notes.append(
                f"{layout.left_out} faces had no place beside the others: raise --side-by-side"
            )
    return written, notes


def _frames(items: Iterable[object], tell: Tell, total: int | None) -> Iterator[FrameAnalysis]:
    done = 0
    for item in items:
        if isinstance(item, FrameAnalysis):
            yield item
            done += 1
            tell(done, total)
