"""What becomes of each file of ``norface normalize``, wherever that is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from norface.cli.folder_lock import FolderLock
from norface.cli.normalize_folder import NormalizeFolder
from norface.cli.normalize_plan import Item, face_file
from norface.cli.normalize_video import normalize_video
from norface.cli.work.crew import Order
from norface.cli.work.pictures import reason
from norface.media.images import write_image
from norface.media.video_source import VideoError
from norface.results import FaceAnalysis
from norface.runtime.analyzer import Norface

PICTURES_A_UNIT: Final = 64
"""Some seconds of work."""


@dataclass(frozen=True, slots=True)
class NormalizeUnit:
    """Pictures that follow each other in the list, or one video."""

    index: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """What became of a file: a row of the table.

    Attributes:
        item: the file.
        output: empty if nothing was written.
        faces, frames, frames_without_face: how many; the last two of videos alone.
        note: what is to be said of it.
        failed: whether that is why nothing was written.
    """

    item: Item
    output: str = ""
    faces: int | None = None
    frames: int | None = None
    frames_without_face: int | None = None
    note: str = ""
    failed: bool = False

    def row(self) -> dict[str, object]:
        """Of the table."""
        cells = {
            "faces": self.faces,
            "frames": self.frames,
            "frames_without_face": self.frames_without_face,
        }
        known = {name: "" if value is None else value for name, value in cells.items()}
        return {"input": self.item.input, "output": self.output, **known, "note": self.note}


def cut_into_units(items: Sequence[Item]) -> list[NormalizeUnit]:
    """Units of work: pictures first, then videos."""
    pictures = [item for item in items if not item.is_video]
    starts = range(0, len(pictures), PICTURES_A_UNIT)
    parts = [tuple(pictures[start : start + PICTURES_A_UNIT]) for start in starts]
    parts += [(item,) for item in items if item.is_video]
    return [NormalizeUnit(i, part) for i, part in enumerate(parts)]


@dataclass(slots=True, kw_only=True)
class NormalizeTask:
    """Makes the normalized files of a unit, and tells of each as it is done.

    What is told is a `Normalized`, or of a video how many frames are done and, where that is known,
    of how many.

    Attributes:
        folder: for the results.
        mark: see `NormalizePlan`.
        places: how many faces of a video stand side by side; None to leave them where they were.
        sound: whether that of videos goes along.
        weights, target, minimum_confidence, minimum_face_width, threads: see `Norface.load`.
    """

    folder: NormalizeFolder
    mark: str
    places: int | None
    sound: bool
    weights: str | None
    target: Path | None
    minimum_confidence: float
    minimum_face_width: float
    threads: int | None = None
    _norface: Norface | None = field(default=None, init=False)
    _lock: FolderLock | None = field(default=None, init=False)

    def load(self) -> Norface:
        """The networks.

        Raises:
            ValueError: they cannot be loaded as asked.
        """
        return Norface.load(
            weights=self.weights,
            target=self.target,
            minimum_confidence=self.minimum_confidence,
            minimum_face_width=self.minimum_face_width,
            threads=self.threads,
            scores=False,
        )

    def begin(self) -> None:
        """Make a worker ready."""
        self._lock = self.folder.lock
        self._lock.join_in()
        self._norface = self.load()

    def do(self, order: Order[NormalizeUnit], tell: Callable[..., None]) -> None:
        """Do a unit in a worker."""
        assert self._norface is not None
        items: Sequence[Item] = order.unit.items
        if not order.careful:
            self.normalize(self._norface, items, tell)
            return
        # A worker died of this unit: one at a time, and what has a row in the table is done.
        done = self.folder.done()
        for item in items:
            if item.input not in done:
                self.normalize(self._norface, [item], tell)

    def normalize(self, norface: Norface, items: Sequence[Item], tell: Callable[..., None]) -> None:
        """Make the files of a unit.

        Raises:
            OSError: they cannot be written.
        """
        if items[0].is_video:
            for item in items:
                tell(self._video(norface, item, tell))
        else:
            for made in self._pictures(norface, items):
                tell(made)

    def _pictures(self, norface: Norface, items: Sequence[Item]) -> Iterator[Normalized]:
        with closing(norface.outcomes(item.path for item in items)) as outcomes:
            for item, outcome in zip(items, outcomes, strict=True):
                if isinstance(outcome.faces, Exception):
                    yield Normalized(item=item, note=reason(outcome.faces), failed=True)
                else:
                    yield self._picture(item, outcome.faces)

    def _picture(self, item: Item, faces: Sequence[FaceAnalysis]) -> Normalized:
        for number, face in enumerate(faces):
            path = self.folder.folder / face_file(item, number, self.mark)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, face.normalized)
        written = item.output.as_posix() if faces else ""
        return Normalized(item=item, output=written, faces=len(faces))

    def _video(self, norface: Norface, item: Item, tell: Callable[..., None]) -> Normalized:
        path = self.folder.folder / item.output
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            written, notes = normalize_video(
                norface,
                item.path,
                path,
                work=self.folder.work(item),
                places=self.places,
                sound=self.sound,
                tell=tell,
            )
        except VideoError as error:
            return Normalized(item=item, note=str(error), failed=True)
        except OSError:
            raise
        except (Exception, MemoryError) as error:
            # Whatever one video does to a library must not stop the others.
            return Normalized(item=item, note=reason(error), failed=True)
        return Normalized(
            item=item,
            output=item.output.as_posix(),
            faces=written.faces,
            frames=written.frames,
            frames_without_face=written.without_face,
            note="; ".join(notes),
        )
