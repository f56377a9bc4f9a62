"""The folder that ``norface analyze`` writes into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from norface.cli.console import WRONG_COMMAND, CommandError, unwritable
from norface.cli.plan import EVENTS, Plan, Planned
from norface.media.half_written import half_written
from norface.results import FaceAnalysis, FrameAnalysis
from norface.tables.columns import ERROR_COLUMNS
from norface.tables.writers import part_of


@dataclass(frozen=True, slots=True)
class ResultsFolder:
    """Where the results go.

    Attributes:
        folder: it.
        suffix: of the tables.
    """

    folder: Path
    suffix: str = ".csv"

    @property
    def faces(self) -> Path:
        """The table of the faces of pictures."""
        return self.folder / f"faces{self.suffix}"

    @property
    def work(self) -> Path:
        """The ledger of a run that is not complete."""
        return self.folder / ".norface-work"

    def table(self, video: Planned) -> Path:
        """The table of a video."""
        return self.folder / f"{video.name}{self.suffix}"

    def events(self, video: Planned) -> Path:
        """The table of a video's events."""
        return self.folder / f"{video.name}{EVENTS}{self.suffix}"

    def video(self, video: Planned) -> Path:
        """The annotated video."""
        return self.pictures / f"{video.name}.mp4"

    def face_of_frame(self, video: Planned, frame: FrameAnalysis, face: FaceAnalysis) -> Path:
        """The file of a face of a frame of a video."""
        name = f"frame{frame.number:06d}_person{face.face_id}.png"
        return self.normalized / f"{video.name}" / name

    @property
    def errors(self) -> Path:
        """The table of what could not be read."""
        return self.folder / "errors.csv"

    @property
    def normalized(self) -> Path:
        """The folder of normalized faces."""
        return self.folder / "normalized"

    @property
    def pictures(self) -> Path:
        """The folder of slides."""
        return self.folder / "pictures"

    def normalized_face(self, picture: Planned, face: FaceAnalysis) -> Path:
        """The file of a face of a picture."""
        return self.normalized / f"{picture.name}_face{face.face_id}.png"

    def picture(self, picture: Planned) -> Path:
        """The file of a picture's slide."""
        return self.pictures / f"{picture.name}.png"

    def sweep(self) -> None:
        """Remove what a run that was killed left half written."""
        for folder in (self.normalized, self.pictures):
            for path in half_written(folder):
                path.unlink(missing_ok=True)

    def check(self, planned: Plan, *, pictures: bool) -> None:
        """Refuse to replace results."""
        tables = [self.faces] if planned.pictures else []
        for video in planned.videos:
            tables += [self.table(video), self.events(video)]
        there = [path for table in tables for path in (table, part_of(table)) if path.exists()]
        there += [self.errors] if self._is_foreign(self.errors) else []
        folders = (self.normalized, self.pictures) if pictures else (self.normalized,)
        there += [path for path in folders if path.is_dir() and any(path.iterdir())]
        if there:
            raise CommandError(
                f"{there[0]} exists. Choose another folder with --out, or replace the earlier "
                "results with --overwrite.",
                code=WRONG_COMMAND,
            )

    @staticmethod
    def _is_foreign(errors: Path) -> bool:
        """Whether a file of that name is not norface's own, which is always out of date."""
        if not errors.exists():
            return False
        with errors.open("rb") as file:
            return file.readline().decode("utf-8", "replace").strip() != ",".join(ERROR_COLUMNS)

    def spare_inputs(self, planned: Plan, *, pictures: bool) -> None:
        """Refuse to write a picture over one that is to be read."""
        if not pictures:
            return
        inputs = {each.path.resolve() for each in (*planned.pictures, *planned.videos)}
        drawn = [self.picture(each) for each in planned.pictures]
        for path in (*drawn, *map(self.video, planned.videos)):
            if path.resolve() in inputs:
                raise CommandError(
                    f"{path} would be written over a picture or video that is to be read. "
                    "Choose another folder with --out.",
                    code=WRONG_COMMAND,
                )

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder; leave none behind that nothing was written to."""
        made = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".norface"
            probe.touch()
            probe.unlink()
            # The problems of an earlier run are not this one's.
            self.errors.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        try:
            yield
        finally:
            for path in made:
                try:
                    path.rmdir()
                except OSError:
                    break
