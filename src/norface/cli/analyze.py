"""``norface analyze``: pictures in, tables and normalized faces out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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
from norface.cli.faces_table import faces_table, units_legend
from norface.cli.plan import Planned, plan
from norface.cli.results_folder import ResultsFolder
from norface.media.images import ImageError, read_image, write_image
from norface.pictures import annotate
from norface.results import FaceAnalysis, UInt8Image
from norface.runtime.analyzer import Norface
from norface.runtime.sessions import Weights
from norface.tables.columns import ERROR_COLUMNS, FACE_COLUMNS, face_columns, face_row
from norface.tables.writers import CsvTable

_ROWS_SHOWN: Final = 40
_PATHS = tyro.conf.arg(metavar="PATH ...", help_behavior_hint="")
_NO_DEFAULT = tyro.conf.arg(help_behavior_hint="")
_OPTIONAL_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_WEIGHTS = tyro.conf.arg(metavar="NAME|PATH", help_behavior_hint="")


def analyze(
    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, _PATHS],
    /,
    *,
    out: Path = Path("results"),
    pictures: Annotated[bool, _NO_DEFAULT] = False,
    overwrite: Annotated[bool, _NO_DEFAULT] = False,
    target: Annotated[Path | None, _OPTIONAL_PATH] = None,
    minimum_face_width: Annotated[float, tyro.conf.arg(metavar="PIXELS")] = 32.0,
    minimum_confidence: float = 0.5,
    weights: Annotated[str | None, _WEIGHTS] = None,
) -> int:
    """Read action units and emotions from every face in pictures, and normalize the faces.

    Writes into the folder for the results: faces.csv, a row a face; normalized/NAME_face0.png,
    each face as the common identity; errors.csv, what could not be read, if anything.

    Args:
        paths: Pictures, and folders of pictures.
        out: Folder for the results.
        pictures: Also draw pictures/NAME.png, a slide of the photo and its faces.
        overwrite: Replace the results of an earlier run.
        target: Picture of another face to normalize to; scores stay the same.
        minimum_face_width: Smaller faces are left out.
        minimum_confidence: Of the face finder, between 0 and 1.
        weights: Folder of other weights, or a name: default, or a folder in $NORFACE_WEIGHTS.

    Returns:
        The exit code: 0, or 3 when something could not be read.
    """
    if not paths:
        raise CommandError("Name at least one picture or folder.", code=WRONG_COMMAND)
    results = ResultsFolder(out)
    results.check(pictures=pictures, overwrite=overwrite)
    planned = plan(paths, outputs=(results.normalized, results.pictures))
    results.spare_inputs(planned, pictures=pictures)
    err = messages()
    columns = FACE_COLUMNS
    if planned.pictures:
        columns = face_columns(Weights(weights).manifest.units)
    run = _Run(results=results, pictures=pictures, total=len(planned.pictures), columns=columns)
    try:
        with (
            results.opened(),
            CsvTable(results.faces, columns) as faces,
            CsvTable(results.errors, ERROR_COLUMNS) as errors,
        ):
            run.faces, run.errors = faces, errors
            for name, reason in planned.problems:
                run.fail(err, name, reason)
            if planned.pictures:
                try:
                    norface = Norface.load(
                        weights=weights,
                        target=target,
                        minimum_confidence=minimum_confidence,
                        minimum_face_width=minimum_face_width,
                    )
                except ValueError as error:
                    raise CommandError(str(error), code=WRONG_COMMAND) from error
                with norface:
                    _tell_what_is_missing(norface, err)
                    _analyze_all(norface, planned.pictures, run, err)
    except KeyboardInterrupt:
        run.report()
        err.print(
            f"Stopped after {run.done} of {run.total} pictures. {run.kept()}", style="bold yellow"
        )
        return INTERRUPTED
    except OSError as error:
        raise CommandError(f"{_reason(error)} {run.kept()}") from error
    run.report()
    return SOME_FAILED if run.failed else SUCCESS


@dataclass(slots=True)
class _Run:
    """What has been done so far."""

    results: ResultsFolder
    pictures: bool
    total: int
    columns: tuple[str, ...]
    faces: CsvTable = field(init=False)
    errors: CsvTable = field(init=False)
    done: int = 0
    found: int = 0
    without_face: int = 0
    failed: int = 0
    shown: list[tuple[str, FaceAnalysis | None]] = field(default_factory=list)

    def fail(self, err: Console, name: str, reason: str) -> None:
        """Note what could not be analyzed."""
        self.failed += 1
        self.errors.write({"input": name, "reason": reason})
        said = reason if name in reason else f"{name}: {reason}"
        err.print(printable(said), style="red")

    def add(self, picture: Planned, found: Sequence[FaceAnalysis]) -> None:
        """Note what was read from a picture."""
        for face in found or (None,):
            self.faces.write(face_row(picture.input, face, columns=self.columns))
            if len(self.shown) < _ROWS_SHOWN:
                self.shown.append((picture.input, face))
        self.found += len(found)
        self.without_face += not found

    def kept(self) -> str:
        """Where what was computed lies."""
        if not self.found + self.without_face:
            return "Nothing was written to a table."
        return f"What was read until then is in {self.results.faces}."

    def report(self) -> None:
        """Print the table of faces and what lies where."""
        out = output()
        if self.shown:
            out.print(faces_table(self.shown, out.width))
            legend = units_legend(self.shown)
            if legend:
                out.print(legend, style="dim")
        left_out = self.found + self.without_face - len(self.shown)
        if left_out:
            out.print(f"... and {left_out} more in {self.results.faces}", soft_wrap=True)
        words = [_count(self.done, "picture"), _count(self.found, "face")]
        if self.without_face:
            words.append(f"{self.without_face} without a face")
        summary = ", ".join(words) + f" -> {self.results.folder}{os.sep}"
        out.print(printable(summary), soft_wrap=True)
        if self.failed:
            out.print(
                printable(f"{self.failed} could not be read: see {self.results.errors}"),
                style="red",
                soft_wrap=True,
            )


def _tell_what_is_missing(norface: Norface, err: Console) -> None:
    missing = []
    if not norface.reads_action_units:
        missing.append("action units")
    if not norface.reads_emotions:
        missing.append("emotions")
    if missing:
        err.print(f"These weights hold no network for {' and '.join(missing)}.", style="yellow")


def _analyze_all(norface: Norface, pictures: Sequence[Planned], run: _Run, err: Console) -> None:
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal or len(pictures) == 1,
    )
    with progress:
        task = progress.add_task("Analyzing", total=len(pictures))
        for picture in pictures:
            try:
                image = read_image(picture.path)
                found = norface.analyze(image)
                drawn = annotate(image, found) if run.pictures else None
            except ImageError as error:
                run.fail(progress.console, picture.input, str(error))
            except (Exception, MemoryError) as error:
                # Whatever one picture does to a library must not stop the others.
                run.fail(progress.console, picture.input, f"Failed: {_reason(error)}")
            else:
                run.add(picture, found)
                for face in found:
                    _save(run.results.normalized_face(picture, face), face.normalized)
                if drawn is not None:
                    _save(run.results.picture(picture), drawn)
            run.done += 1
            progress.advance(task)


def _save(path: Path, image: UInt8Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, image)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
