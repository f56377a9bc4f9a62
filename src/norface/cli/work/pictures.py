"""A unit of pictures: read, recorded, their normalized faces and slides saved."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from math import nan
from pathlib import Path

from norface.cli.plan import Planned
from norface.cli.work.folder import Done, WorkFolder
from norface.cli.work.originals import picture_to_read
from norface.cli.work.units import Unit, WorkSettings
from norface.media.images import ImageError, write_image
from norface.pictures import annotate
from norface.results import FrameAnalysis, UInt8Image
from norface.runtime.analyzer import Norface
from norface.runtime.picture_reading import Outcome
from norface.runtime.records import without_images


def analyze_pictures(
    unit: Unit,
    settings: WorkSettings,
    norface: Norface,
    work: WorkFolder,
    *,
    tell: Callable[[int], None],
    careful: bool = False,
) -> tuple[Done, list[Path]]:
    """Read the pictures of a unit that are not recorded yet.

    Args:
        unit: of pictures.
        settings: what to do.
        norface: reads them.
        work: the ledger.
        tell: is told how many of the unit's pictures are done.
        careful: record each at once, so that it is known which one ends the process.

    Returns:
        What became of all of them, and the files that were written.

    Raises:
        OSError: the results cannot be written; what was read until then is recorded.
    """
    earlier = work.sound(unit)
    whole, number = Done(), len(earlier)
    for record in earlier:
        whole.add(Done.of(record.about))
    tell(whole.pictures)
    files: list[Path] = []
    step = 1 if careful else len(unit.pictures)
    while whole.pictures < len(unit.pictures):
        first = whole.pictures
        part = _Part(settings, unit.pictures[first : first + step], unit.first + first)
        try:
            with contextlib.closing(
                norface.outcomes(
                    (picture_to_read(each) for each in part.pictures), keep_images=settings.pictures
                )
            ) as outcomes:
                for outcome in outcomes:
                    files += part.take(outcome)
                    tell(first + part.done.pictures)
        except BaseException:
            with contextlib.suppress(OSError):
                part.save(work, unit, number)
            raise
        files.append(part.save(work, unit, number))
        whole.add(part.done)
        number += 1
    return whole, files


class _Part:
    """Pictures that are recorded together."""

    def __init__(self, settings: WorkSettings, pictures: Sequence[Planned], first: int) -> None:
        self.done = Done()
        self.pictures = pictures
        self._settings = settings
        self._first = first
        self._frames: list[FrameAnalysis] = []

    def take(self, outcome: Outcome) -> list[Path]:
        """Keep what became of the next picture; the files that were made of it."""
        place = self.done.pictures
        picture = self.pictures[place]
        drawn, faces = None, outcome.faces
        if not isinstance(faces, Exception) and outcome.image is not None:
            try:
                drawn = annotate(outcome.image, faces)
            except Exception as error:
                faces = error
        if isinstance(faces, Exception):
            self.done.pictures += 1
            self.done.errors.append((picture.input, reason(faces)))
            return []
        results, files = self._settings.results, list[Path]()
        if self._settings.normalized != "none":
            files += [_save(results.normalized_face(picture, f), f.normalized) for f in faces]
        if drawn is not None:
            files.append(_save(results.picture(picture), drawn))
        # Only now: what is recorded is not done again.
        frame = FrameAnalysis(self._first + place, nan, outcome.size, faces)
        self._frames.append(without_images(frame, landmarks=self._settings.keeps_landmarks))
        self.done.pictures += 1
        self.done.faces += len(faces)
        self.done.without_face += not faces
        return files

    def save(self, work: WorkFolder, unit: Unit, number: int) -> Path:
        """Record what was taken."""
        keeps = self._settings.keeps_landmarks
        return work.save(unit, number, self._frames, self.done.plain(), landmarks=keeps)


def reason(error: BaseException) -> str:
    """Why something could not be read, as the table of errors says it."""
    if isinstance(error, ImageError):
        return str(error)
    name = type(error).__name__
    return f"Failed: {name}: {error}" if str(error) else f"Failed: {name}"


def _save(path: Path, image: UInt8Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, image)
    return path
