"""The annotated video of a unit: drawn piece by piece beside the records, joined at the end."""

from __future__ import annotations

from pathlib import Path

from norface.cli.plan import Planned
from norface.cli.work.folder import WorkFolder
from norface.cli.work.units import Unit, WorkSettings
from norface.media.video import Video
from norface.media.video_joining import join_videos
from norface.pictures.videos import AnnotatedVideo
from norface.results import FrameAnalysis


class DrawnPieces:
    """One piece for each record of a video; a piece is whole before its record is there.

    Args:
        unit: of the video.
        settings: whether anything is drawn at all.
        work: the ledger, in whose folder the pieces are.
    """

    def __init__(self, unit: Unit, settings: WorkSettings, work: WorkFolder) -> None:
        self._unit = unit
        self._settings = settings
        self._work = work
        self._piece: AnnotatedVideo | None = None

    def add(self, frame: FrameAnalysis, number: int, video: Video) -> None:
        """Draw a frame, which has its image, into the piece of this number."""
        if not self._settings.pictures:
            return
        if self._piece is None:
            self._piece = AnnotatedVideo(
                self._path(number), size=frame.size, rate=video.average_rate, start=frame.time
            )
        self._piece.write(frame)

    def end(self) -> None:
        """Finish the piece."""
        piece, self._piece = self._piece, None
        if piece is not None:
            piece.__exit__(None, None, None)

    def drop(self, error: BaseException) -> None:
        """Remove the piece that is not finished, if there is one."""
        piece, self._piece = self._piece, None
        if piece is not None:
            piece.__exit__(type(error), error, None)

    def join(
        self, video: Planned, begins: list[float], sound_from: Path | None
    ) -> tuple[Path, str | None]:
        """Put the pieces together; the file, and what of the sound could not be read.

        Args:
            video: the original.
            begins: seconds of the first frame of each record.
            sound_from: the file whose sound goes along; None for a stream.

        Raises:
            VideoError: it cannot be written.
        """
        path = self._settings.results.video(video)
        path.parent.mkdir(parents=True, exist_ok=True)
        pieces = [(self._path(number), begin) for number, begin in enumerate(begins)]
        damage = join_videos(
            pieces,
            path,
            sound_from=sound_from,
            start=self._settings.selection.start or begins[0],
            stop=self._settings.selection.stop,
        )
        return path, damage

    def _path(self, number: int) -> Path:
        return self._work.part(self._unit, number).with_suffix(".mp4")
