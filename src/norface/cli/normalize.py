"""``norface normalize``: faces replaced by the common face, in pictures, videos and folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import tyro
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from norface.cli.console import (
    INTERRUPTED,
    SOME_FAILED,
    SUCCESS,
    WRONG_COMMAND,
    CommandError,
    messages,
    output,
    printable,
)
from norface.cli.normalize_folder import COLUMNS, NormalizeFolder
from norface.cli.normalize_plan import Item, NormalizePlan, plan_normalize
from norface.cli.normalize_video import normalize_video
from norface.media.images import ImageError, write_image
from norface.media.video_source import VideoError
from norface.results import FaceAnalysis
from norface.runtime.analyzer import Norface
from norface.runtime.sessions import Weights
from norface.tables.writers import CsvTable

_NO_DEFAULT = tyro.conf.arg(help_behavior_hint="")
_PATHS = tyro.conf.arg(metavar="PATH ...", help_behavior_hint="")
_OPTIONAL_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_WEIGHTS = tyro.conf.arg(metavar="NAME|PATH", help_behavior_hint="")
_PEOPLE = tyro.conf.arg(metavar="PEOPLE", help_behavior_hint="")

_MOST_PLACES: Final = 8
_VOICES: Final = (
    "The sound of videos is kept, and voices identify people: --no-sound leaves it out."
)


def normalize(
    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, _PATHS],
    /,
    *,
    out: Path = Path("normalized"),
    target: Annotated[Path | None, _OPTIONAL_PATH] = None,
    side_by_side: Annotated[int | None, _PEOPLE] = None,
    no_sound: Annotated[bool, _NO_DEFAULT] = False,
    overwrite: Annotated[bool, _NO_DEFAULT] = False,
    minimum_face_width: Annotated[float, tyro.conf.arg(metavar="PIXELS")] = 32.0,
    minimum_confidence: float = 0.5,
    weights: Annotated[str | None, _WEIGHTS] = None,
) -> int:
    """Replace faces by the common face with the same expression.

    The tree and the names of the files are kept. A picture becomes its largest face, normalized;
    further faces get files of their own, NAME_face1.png and so on. A video becomes one in which
    only the common face shows, at the same times, on a plain ground. Nothing else of the originals
    is carried over, but the sound of videos. normalized.csv says what became of each file.

    A run that was stopped goes on when the command is repeated.

    Args:
        paths: Pictures, videos, and folders of them.
        out: Folder for the results.
        target: Picture of another face to normalize to.
        side_by_side: In videos, set the faces of so many people side by side; else they are where
            they were.
        no_sound: Leave the sound of videos out.
        overwrite: Replace the results of an earlier run.
        minimum_face_width: Smaller faces are left out.
        minimum_confidence: Of the face finder, between 0 and 1.
        weights: Folder of other weights, or a name: default, or a folder in $NORFACE_WEIGHTS.

    Returns:
        The exit code: 0, or 3 when something could not be normalized.
    """
    if not paths:
        raise CommandError("Name at least one file or folder.", code=WRONG_COMMAND)
    if side_by_side is not None and not 1 <= side_by_side <= _MOST_PLACES:
        raise CommandError(
            f"--side-by-side takes 1 to {_MOST_PLACES} people, not {side_by_side}.",
            code=WRONG_COMMAND,
        )
    folder = NormalizeFolder(out)
    plan = plan_normalize(paths, out)
    folder.spare_inputs(plan)
    err = messages()
    with ExitStack() as stack:
        try:
            norface = stack.enter_context(
                Norface.load(
                    weights=weights,
                    target=target,
                    minimum_confidence=minimum_confidence,
                    minimum_face_width=minimum_face_width,
                    scores=False,
                )
            )
        except ValueError as error:
            raise CommandError(str(error), code=WRONG_COMMAND) from error
        options = {
            "PATH": [path.as_posix() for path in paths],
            "target": hashlib.sha256(norface.target.tobytes()).hexdigest(),
            "weights": _identity(Weights(weights)),
            "side-by-side": side_by_side,
            "no-sound": no_sound,
            "minimum-face-width": minimum_face_width,
            "minimum-confidence": minimum_confidence,
        }
        taken_up = folder.open(options, overwrite=overwrite)
        run = _Run(folder=folder, plan=plan, places=side_by_side, sound=not no_sound)
        try:
            _normalize_all(norface, run, err, taken_up=taken_up)
        except KeyboardInterrupt:
            run.report()
            err.print("Stopped. Repeat the command to go on.", style="bold yellow")
            return INTERRUPTED
        except OSError as error:
            raise CommandError(f"{_reason(error)} Repeat the command to go on.") from error
    folder.finish()
    run.report()
    return SOME_FAILED if run.failed else SUCCESS


@dataclass(slots=True)
class _Run:
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


def _normalize_all(norface: Norface, run: _Run, err: Console, *, taken_up: bool) -> None:
    done = run.folder.done() if taken_up else {}
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
            _normalize_one_video(norface, run, item, progress)


def _normalize_pictures(
    norface: Norface, run: _Run, items: Sequence[Item], progress: Progress
) -> None:
    task = progress.add_task("Pictures", total=len(items), rate="")
    with closing(norface.outcomes(item.path for item in items)) as outcomes:
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome.faces, ImageError):
                run.fail(item.input, str(outcome.faces))
            elif isinstance(outcome.faces, Exception):
                run.fail(item.input, f"Failed: {_reason(outcome.faces)}")
            else:
                run.add_picture(item, outcome.faces)
            progress.advance(task)
            _tell_rate(progress, task)


def _normalize_one_video(norface: Norface, run: _Run, item: Item, progress: Progress) -> None:
    task = progress.add_task(printable(item.path.name), total=None, rate="")
    try:
        run.add_video(norface, item, progress, task)
    except VideoError as error:
        run.fail(item.input, str(error))
    except OSError:
        raise
    except (Exception, MemoryError) as error:
        # Whatever one video does to a library must not stop the others.
        run.fail(item.input, f"Failed: {_reason(error)}")
    finally:
        progress.remove_task(task)


def _tell_rate(progress: Progress, task: TaskID) -> None:
    speed = progress.tasks[progress.task_ids.index(task)].speed
    if speed:
        progress.update(task, rate=f"{speed:.1f}/s")


def _identity(weights: Weights) -> str:
    hashes = sorted((name, file.sha256) for name, file in weights.manifest.files.items())
    return hashlib.sha256(repr(hashes).encode()).hexdigest()


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
