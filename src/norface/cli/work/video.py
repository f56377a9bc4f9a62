"""A unit that is a video: read minute by minute, recorded, and its table made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from norface.cli.plan import Planned
from norface.cli.work.drawn import DrawnPieces
from norface.cli.work.folder import Done, WorkFolder
from norface.cli.work.originals import OriginalVideo
from norface.cli.work.pictures import reason
from norface.cli.work.rows import rows
from norface.cli.work.units import Unit, WorkSettings
from norface.media.images import write_image
from norface.media.video import Video, VideoError
from norface.results import FrameAnalysis
from norface.runtime.analyzer import Norface
from norface.runtime.corrections import Corrections, Rest, corrected
from norface.runtime.records import load_record, without_images
from norface.runtime.video_reading import Checkpoint, Selection
from norface.tables.events import write_events
from norface.tables.opening import open_table
from norface.tables.styles import style_columns
from norface.tables.tracks import read_tracks

Tell = Callable[[int, "int | None"], None]


def analyze_video(
    unit: Unit,
    settings: WorkSettings,
    norface: Norface,
    work: WorkFolder,
    *,
    tell: Tell,
    given_up: str = "",
) -> tuple[Done, list[Path]]:
    """Read what of a video is not recorded yet, and write its table.

    Args:
        unit: of a video.
        settings: what to do.
        norface: reads it.
        work: the ledger.
        tell: is told how many frames are done, and of about how many.
        given_up: why no more of it is to be read; the table holds what is recorded.

    Returns:
        What became of it, and the files that were written.

    Raises:
        OSError: the results cannot be written.
    """
    assert unit.video is not None
    with OriginalVideo(unit.video) as original:
        reading = _Reading(
            unit, unit.video, original, settings, norface, work, tell=tell, given_up=given_up
        )
        return _read(unit.video, reading, settings, norface)


def _read(
    video: Planned, reading: _Reading, settings: WorkSettings, norface: Norface
) -> tuple[Done, list[Path]]:
    done, files = Done(), list[Path]()
    corrections = Corrections(
        smoothing=settings.smoothing, baseline=settings.baseline, thresholds=norface.thresholds
    )
    table = settings.results.table(video)
    people: set[int] = set()
    try:
        with contextlib.ExitStack() as stack:
            rest = None
            frames = stack.enter_context(contextlib.closing(reading.frames()))
            if settings.baseline == "file":
                rest = Rest()
                for frame in frames:
                    rest.observe(frame)
                frames = stack.enter_context(contextlib.closing(reading.recorded()))
            table.parent.mkdir(parents=True, exist_ok=True)
            columns = style_columns(settings.columns, norface.action_units)
            made = stack.enter_context(open_table(table, columns))
            for frame in corrected(frames, corrections, rest):
                for row in rows(frame, video.input, settings, norface.action_units):
                    made.write(row)
                done.frames += 1
                done.faces += len(frame.faces)
                done.without_face += not frame.faces
                people.update(face.face_id for face in frame.faces)
    except VideoError as error:
        reading.problems.append(str(error))
    except KeyboardInterrupt:
        # So one ends a camera.
        if not reading.live:
            raise
    try:
        files += reading.drawn()
    except VideoError as error:
        reading.problems.append(str(error))
    done.people = len(people) if settings.people != "none" else 0
    done.errors = [(video.input, reading.named(problem)) for problem in reading.problems]
    if done.frames:
        files.append(table)
        if settings.events and done.faces and norface.reads_action_units:
            events = settings.results.events(video)
            write_events(read_tracks(table), events)
            files.append(events)
    return done, files


class _Reading:
    """The frames of a video, from the records as far as they go, then from the video itself."""

    def __init__(
        self,
        unit: Unit,
        video: Planned,
        original: OriginalVideo,
        settings: WorkSettings,
        norface: Norface,
        work: WorkFolder,
        *,
        tell: Tell,
        given_up: str,
    ) -> None:
        self.problems: list[str] = [given_up] if given_up else []
        self.live = False
        self._given_up = bool(given_up)
        self._unit = unit
        self._video = video
        self._original = original
        self._settings = settings
        self._norface = norface
        self._work = work
        self._tell = tell
        self._last: Checkpoint | None = None
        self._count = 0
        self._drawn = DrawnPieces(unit, settings, work)
        self._begins: list[float] = []
        for record in work.sound(unit):
            self._last = Checkpoint(**record.about["checkpoint"])
            self._begins.append(record.about["begins"])

    def frames(self) -> Generator[FrameAnalysis, None, None]:
        """All of them; what is new is recorded, minute by minute."""
        for frame in self.recorded():
            yield frame
            self._count += 1
        if self._given_up:
            return
        with Video.open(self._original.source()) as video:
            expected = _expected(video, self._settings.selection)
            self.live = video.live
            try:
                yield from self._new(video, expected)
            except Exception as error:
                if isinstance(error, (OSError, VideoError)):
                    raise
                # Whatever one video does to a library must not stop the others.
                self.problems.append(reason(error))
            if video.damage:
                self.problems.append(f"{video.name}: {video.damage}")

    def named(self, problem: str) -> str:
        """A problem, told of the video as the user called it."""
        return self._original.named(problem)

    def recorded(self) -> Generator[FrameAnalysis, None, None]:
        """Those that are recorded by now."""
        for path in self._work.parts(self._unit):
            yield from load_record(path).frames

    def drawn(self) -> list[Path]:
        """Make the annotated video, if that is asked for; the file."""
        if not self._settings.pictures or not self._begins:
            return []
        path, damage = self._drawn.join(self._video, self._begins, self._original.file())
        if damage:
            self.problems.append(f"{self._video.input}: sound: {damage}")
        return [path]

    def _new(self, video: Video, expected: int | None) -> Iterator[FrameAnalysis]:
        settings = self._settings
        kept: list[FrameAnalysis] = []
        items = self._norface.segments(
            video,
            settings.selection,
            settings.people,
            after=self._last,
            keep_images=settings.pictures,
        )
        try:
            with contextlib.closing(items):
                for item in items:
                    if isinstance(item, Checkpoint):
                        self._record(kept, item)
                        kept = []
                        continue
                    if settings.normalized == "all":
                        self._save_faces(item)
                    self._drawn.add(item, len(self._begins), video)
                    kept.append(without_images(item, landmarks=settings.keeps_landmarks))
                    self._count += 1
                    self._tell(self._count, expected)
                    yield item
        except BaseException as error:
            if video.live and kept and not isinstance(error, Exception):
                # Whoever stops a camera wants all that it saw.
                self._record(kept, None)
            else:
                self._drawn.drop(error)
            raise

    def _record(self, frames: list[FrameAnalysis], checkpoint: Checkpoint | None) -> None:
        said = None
        if checkpoint is not None:
            said = {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}
        self._drawn.end()
        about = {"begins": frames[0].time, "checkpoint": said}
        keeps = self._settings.keeps_landmarks
        self._work.save(self._unit, len(self._begins), frames, about, landmarks=keeps)
        self._begins.append(frames[0].time)

    def _save_faces(self, frame: FrameAnalysis) -> None:
        for face in frame.faces:
            path = self._settings.results.face_of_frame(self._video, frame, face)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, face.normalized)


def _expected(video: Video, selection: Selection) -> int | None:
    """About how many frames will be read; None where nobody knows."""
    if video.live or not video.frame_count:
        return None
    share = 1.0
    if video.duration:
        stop = min(selection.stop or video.duration, video.duration)
        share = max(0.0, stop - (selection.start or 0.0)) / video.duration
    count = video.frame_count * share / selection.every
    if selection.rate and video.duration:
        count = min(count, video.duration * share * selection.rate)
    return round(count) or None
