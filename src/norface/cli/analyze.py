"""``norface analyze``: pictures in, tables and normalized faces out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import tyro
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

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
from norface.cli.plan import Plan, Planned, plan
from norface.facs import ACTION_UNITS
from norface.media.images import ImageError, read_image, write_image
from norface.pictures import annotate
from norface.results import FaceAnalysis, UInt8Image
from norface.runtime.analyzer import Norface
from norface.tables.columns import ERROR_COLUMNS, FACE_COLUMNS, face_row
from norface.tables.writers import CsvTable, part_of

_ROWS_SHOWN: Final = 40
_UNITS_SHOWN: Final = 5
_UNITS_WIDTH: Final = 28
_SPACE: Final = 2
_PATHS = tyro.conf.arg(metavar="PATH ...", help_behavior_hint="")
_NO_DEFAULT = tyro.conf.arg(help_behavior_hint="")
_OPTIONAL_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")


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
    weights: Annotated[Path | None, _OPTIONAL_PATH] = None,
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
        weights: Folder of other weights.

    Returns:
        The exit code: 0, or 3 when something could not be read.
    """
    if not paths:
        raise CommandError("Name at least one picture or folder.", code=WRONG_COMMAND)
    results = _Results(out)
    results.check(pictures=pictures, overwrite=overwrite)
    planned = plan(paths, outputs=(results.normalized, results.pictures))
    results.spare_inputs(planned, pictures=pictures)
    err = messages()
    run = _Run(results=results, pictures=pictures, total=len(planned.pictures))
    try:
        with (
            results.opened(),
            CsvTable(results.faces, FACE_COLUMNS) as faces,
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


@dataclass(frozen=True, slots=True)
class _Results:
    """Where the results go."""

    folder: Path

    @property
    def faces(self) -> Path:
        return self.folder / "faces.csv"

    @property
    def errors(self) -> Path:
        return self.folder / "errors.csv"

    @property
    def normalized(self) -> Path:
        return self.folder / "normalized"

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    def normalized_face(self, picture: Planned, face: FaceAnalysis) -> Path:
        return self.normalized / f"{picture.name}_face{face.face_id}.png"

    def picture(self, picture: Planned) -> Path:
        return self.pictures / f"{picture.name}.png"

    def check(self, *, pictures: bool, overwrite: bool) -> None:
        """Refuse to replace results unless told to."""
        if overwrite:
            return
        there = [path for path in (self.faces, part_of(self.faces)) if path.exists()]
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
        inputs = {each.path.resolve() for each in planned.pictures}
        for each in planned.pictures:
            if self.picture(each).resolve() in inputs:
                raise CommandError(
                    f"{self.picture(each)} would be written over a picture that is to be read. "
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
            reason = error.strerror or str(error)
            raise CommandError(
                f"Cannot write into the folder {self.folder} ({reason}). Choose another with "
                "--out.",
                code=WRONG_COMMAND,
            ) from error
        try:
            yield
        finally:
            for path in made:
                try:
                    path.rmdir()
                except OSError:
                    break


@dataclass(slots=True)
class _Run:
    """What has been done so far."""

    results: _Results
    pictures: bool
    total: int
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
            self.faces.write(face_row(picture.input, face))
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
            out.print(_table(self.shown, out.width))
            legend = _legend(self.shown)
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


def _table(rows: Sequence[tuple[str, FaceAnalysis | None]], width: int) -> Table:
    """Rows of one line each: names lose their beginning, and the weakest units are left out."""
    emotions = [_emotion(face) for _, face in rows]
    rest = width - max(4, *(len(str(face.face_id)) for _, face in rows if face)) - 3 * _SPACE
    rest -= max(len("emotion"), *map(len, emotions))
    names = [printable(name) for name, _ in rows]
    name_width = max(len("picture"), min(max(map(cell_len, names)), rest - _UNITS_WIDTH))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _SPACE, 0, 0))
    table.add_column("picture", no_wrap=True)
    table.add_column("face", justify="right", no_wrap=True)
    table.add_column("emotion", no_wrap=True)
    table.add_column("strongest action units", no_wrap=True)
    before = None
    for (name, face), shown, emotion in zip(rows, names, emotions, strict=True):
        first = "" if name == before else _tail(shown, name_width)
        before = name
        if face is None:
            table.add_row(first, "-", "", "no face found")
            continue
        units = [f"{unit} {intensity:.1f}" for unit, intensity in _strongest(face)]
        while len(", ".join(units)) > rest - name_width:
            units.pop()
        table.add_row(first, str(face.face_id), emotion, ", ".join(units) or "none present")
    return table


def _emotion(face: FaceAnalysis | None) -> str:
    if face is None or face.emotion is None:
        return ""
    return f"{face.emotion} {face.emotions[face.emotion]:.0%}"


def _tail(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    while cell_len(text) > width - 3:
        text = text[1:]
    return "..." + text


def _strongest(face: FaceAnalysis) -> list[tuple[str, float]]:
    present = [(name, unit.intensity) for name, unit in face.action_units.items() if unit.present]
    return sorted(present, key=lambda item: -item[1])[:_UNITS_SHOWN]


def _legend(rows: Sequence[tuple[str, FaceAnalysis | None]]) -> str:
    shown = {name for _, face in rows if face is not None for name, _ in _strongest(face)}
    names = (f"{unit.name} {unit.description}" for unit in ACTION_UNITS if unit.name in shown)
    return ", ".join(names)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
