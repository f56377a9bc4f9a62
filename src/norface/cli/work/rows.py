"""From what was read to the rows of the tables, the same for pictures and videos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from norface.cli.work.units import WorkSettings
from norface.results import FrameAnalysis
from norface.tables.styles import FramePlace, video_row


def rows(
    frame: FrameAnalysis, name: str, settings: WorkSettings, units: Sequence[str]
) -> Iterator[dict[str, str]]:
    """A row for each face of a frame or picture; one where there is none.

    Args:
        frame: of a picture, the time is NaN, and the number is its place in the list.
        name: what the table calls the input.
        settings: name the style.
        units: the action units that the weights read.
    """
    is_picture = frame.time != frame.time
    # In our own tables a picture is its own first frame; the others have no names to tell it by.
    number = 0 if is_picture and settings.columns == "norface" else frame.number
    place = FramePlace(
        name=name,
        frame=number,
        time=None if is_picture else frame.time,
        size=frame.size,
        units=tuple(units),
    )
    for face in frame.faces or (None,):
        yield video_row(settings.columns, place, face)
