"""The work of ``norface normalize``: file by file, noted in a table as each is done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from norface.cli.console import output, printable
from norface.cli.normalize_folder import COLUMNS, NormalizeFolder
from norface.cli.normalize_plan import Item, NormalizePlan
from norface.cli.normalize_video import normalize_video
from norface.cli.work.pictures import reason
from norface.media.images import write_image
from norface.media.video_source import VideoError
from norface.results import FaceAnalysis
from norface.runtime.analyzer import Norface
from norface.tables.writers import CsvTable

_VOICES: Final = (
    "The sound of videos is kept, and voices identify people: --no-sound leaves it out."
)


@dataclass(slots=True)
class NormalizeRun:
    """What is to be done, and what has been done so far."""

    folder: NormalizeFolder
    plan: NormalizePlan
    places: int | None
    sound: bool
    table: CsvTable = field(init=False)
    err: Console = field(init=False)
    pictures: int = 0
    videos: int = 0
    faces: int = 0
    without_face: int = 0
    failed: int = 0
    earlier: int = 0

    def fail(self, name: str, reason: str) -> None:
        """Note what could not be normalized."""
        self.failed += 1
        self.table.write({**dict.fromkeys(COLUMNS, ""), "input": name, "note": reason})
        said = reason if name in reason else f"{name}: {reason}"
        self.err.print(printable(said), style="red")

    def add_picture(self, item: Item, faces: Sequence[FaceAnalysis]) -> None:
        """Write the faces of a picture."""
        for number, face in enumerate(faces):
            path = self.folder.folder / self.plan.face_file(item, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, face.normalized)
        self.pictures += 1
        self.faces += len(faces)
        self.without_face += not faces
        written = item.output.as_posix() if faces else ""
        self._note(item, output=written, faces=len(faces))

    def add_video(self, norface: Norface, item: Item, progress: Progress, task: TaskID) -> None:
        """Write a video of the common face."""
        path = self.folder.folder / item.output
        path.parent.mkdir(parents=True, exist_ok=True)
        written, notes = normalize_video(
            norface,
            item.path,
            path,
            work=self.folder.work(item),
            places=self.places,
            sound=self.sound,
            tell=lambda done, total: progress.update(task, completed=done, total=total),
        )
        self.videos += 1
        self.faces += written.faces
        for note in notes:
            self.err.print(printable(f"{item.input}: {note}"), style="yellow")
        self._note(
            item,
            output=item.output.as_posix(),
            faces=written.faces,
            frames=written.frames,
            frames_without_face=written.without_face,
            note="; ".join(notes),
        )

    def _note(self, item: Item, **values: object) -> None:
        # One row a file, written at once: after a kill a file is done or not begun.
        self.table.write({**dict.fromkeys(COLUMNS, ""), "input": item.input, **values})

    def report(self) -> None:
        """Print what was done."""
        words = []
        if self.earlier:
            words.append(f"{self.earlier} done before")
        words += [
            _count(n, what) for n, what in ((self.pictures, "picture"), (self.videos, "video")) if n
        ]
        words.append(_count(self.faces, "face"))
        if self.without_face:
            words.append(f"{self.without_face} without a face")
        summary = ", ".join(words) + f" -> {self.folder.folder}{os.sep}"
        output().print(printable(summary), soft_wrap=True)
        if self.failed:
            said = f"{self.failed} could not be normalized: see {self.folder.table}"
            output().print(printable(said), style="red", soft_wrap=True)


def normalize_all(norface: Norface, run: NormalizeRun, err: Console, *, taken_up: bool) -> None:
    """Do what is not done yet: pictures first, then videos.

    Args:
        norface: finds and normalizes the faces.
        run: what is to be done.
        err: takes progress and problems.
        taken_up: whether an earlier run is gone on with.

    Raises:
        CommandError: an original has changed since it was done.
        OSError: the results cannot be written.
    """
    done = run.folder.done() if taken_up else {}
    run.folder.refuse_changed(run.plan, done)
    items = [item for item in run.plan.items if item.input not in done]
    run.earlier = len(run.plan.items) - len(items)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal or not items,
    )
    with CsvTable(run.folder.table, COLUMNS, append=taken_up) as table, progress:
        run.table, run.err = table, progress.console
        for name, reason in run.plan.problems:
            if name not in done:
                run.fail(name, reason)
        pictures = [item for item in items if not item.is_video]
        videos = [item for item in items if item.is_video]
        if run.sound and videos:
            run.err.print(_VOICES, style="yellow")
        if pictures:
            _normalize_pictures(norface, run, pictures, progress)
        for item in videos:
            _normalize_video(norface, run, item, progress)


def _normalize_pictures(
    norface: Norface, run: NormalizeRun, items: Sequence[Item], progress: Progress
) -> None:
    task = progress.add_task("Pictures", total=len(items), rate="")
    with closing(norface.outcomes(item.path for item in items)) as outcomes:
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome.faces, Exception):
                run.fail(item.input, reason(outcome.faces))
            else:
                run.add_picture(item, outcome.faces)
            progress.advance(task)
            _tell_rate(progress, task)


def _normalize_video(norface: Norface, run: NormalizeRun, item: Item, progress: Progress) -> None:
    task = progress.add_task(printable(item.path.name), total=None, rate="")
    try:
        run.add_video(norface, item, progress, task)
    except VideoError as error:
        run.fail(item.input, str(error))
    except OSError:
        raise
    except (Exception, MemoryError) as error:
        # Whatever one video does to a library must not stop the others.
        run.fail(item.input, reason(error))
    finally:
        progress.remove_task(task)


def _tell_rate(progress: Progress, task: TaskID) -> None:
    speed = progress.tasks[progress.task_ids.index(task)].speed
    if speed:
        progress.update(task, rate=f"{speed:.1f}/s")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
