"""``norface analyze``: pictures and videos in, tables and normalized faces out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

import tyro
from rich.console import Console

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
from norface.cli.plan import Plan, plan
from norface.cli.results_folder import ResultsFolder
from norface.cli.work_engine import do_here, do_in_processes
from norface.cli.work_folder import WorkFolder
from norface.cli.work_join import Joiner
from norface.cli.work_progress import WorkProgress
from norface.cli.work_unit import analyzer, close_analyzer
from norface.cli.work_units import Columns, Normalized, Unit, WorkSettings, cut_into_units
from norface.faces.find import FaceFinder
from norface.faces.identity import IdentityEmbedder, MissingExtraError
from norface.faces.smoothing import Mode
from norface.results import FaceAnalysis
from norface.runtime.corrections import BaselineMode
from norface.runtime.following import People
from norface.runtime.providers import Device
from norface.runtime.sessions import Weights
from norface.runtime.video_reading import Selection
from norface.tables.part_file import TableError

_ROWS_SHOWN: Final = 40
_INPUTS = tyro.conf.arg(metavar="INPUT ...", help_behavior_hint="")
_NO_DEFAULT = tyro.conf.arg(help_behavior_hint="")
_OPTIONAL_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_WEIGHTS = tyro.conf.arg(metavar="NAME|PATH", help_behavior_hint="")
_SECONDS = tyro.conf.arg(metavar="SECONDS", help_behavior_hint="")
_RATE = tyro.conf.arg(metavar="RATE", help_behavior_hint="")


def analyze(
    inputs: Annotated[tuple[str, ...], tyro.conf.Positional, _INPUTS],
    /,
    *,
    out: Path = Path("results"),
    pictures: Annotated[bool, _NO_DEFAULT] = False,
    overwrite: Annotated[bool, _NO_DEFAULT] = False,
    target: Annotated[Path | None, _OPTIONAL_PATH] = None,
    minimum_face_width: Annotated[float, tyro.conf.arg(metavar="PIXELS")] = 32.0,
    minimum_confidence: float = 0.5,
    weights: Annotated[str | None, _WEIGHTS] = None,
    table: Literal["csv", "parquet", "jsonl"] = "csv",
    columns: Columns = "norface",
    normalized: Normalized = "pictures",
    every: Annotated[int, tyro.conf.arg(metavar="FRAMES")] = 1,
    start: Annotated[float | None, _SECONDS] = None,
    stop: Annotated[float | None, _SECONDS] = None,
    fps: Annotated[float | None, _RATE] = None,
    people: People = "track",
    smoothing: Mode = "off",
    baseline: BaselineMode = "off",
    events: Annotated[bool, _NO_DEFAULT] = False,
    workers: int = 1,
    device: Device = "auto",
) -> int:
    """Read action units and emotions from every face in pictures and videos.

    Writes into the folder for the results: faces.csv, a row a face of a picture; NAME.csv for each
    video, a row a frame and face; normalized/NAME_face0.png, each face as the common identity;
    errors.csv, what could not be read, if anything. A run that was stopped or killed goes on when
    the command is repeated.

    Args:
        inputs: Pictures, videos, folders of both, a webcam's number, an address (rtsp://...).
        out: Folder for the results.
        pictures: Also draw pictures/NAME.png, a slide of the photo and its faces, or, of a video,
            pictures/NAME.mp4: boxes, and a card for each person.
        overwrite: Replace the results of an earlier run, or begin an unfinished one anew.
        target: Picture of another face to normalize to; scores stay the same.
        minimum_face_width: Smaller faces are left out.
        minimum_confidence: Of the face finder, between 0 and 1.
        weights: Folder of other weights, or a name: default, or a folder in $NORFACE_WEIGHTS.
        table: Format of the tables; parquet needs the extra of that name.
        columns: Their columns: norface's own, or OpenFace's or Py-Feat's names and order.
        normalized: Whose normalized faces are saved.
        every: Of so many frames of a video take one.
        start: Of a video, leave out what is earlier.
        stop: Of a video, leave out what is later.
        fps: Of a video, take at most so many frames a second.
        people: In a video, number people within a shot, link them across cuts as well (biometric;
            needs the extra people), or number the faces of each frame.
        smoothing: Of a video's readings: from the past alone, or from both sides.
        baseline: Take each person's resting face away: that of the frames so far, or of the video.
        events: Also write NAME_events.csv: onset, apex and offset of each action unit.
        workers: Processes that share the work and the cores.
        device: What the networks run on; auto is CUDA where ONNX Runtime can use it.

    Returns:
        The exit code: 0, or 3 when something could not be read.
    """
    if not inputs:
        raise CommandError("Name at least one picture, video or folder.", code=WRONG_COMMAND)
    results = ResultsFolder(out, f".{table}")
    try:
        settings = WorkSettings(
            results=results,
            weights=weights,
            target=target,
            minimum_face_width=minimum_face_width,
            minimum_confidence=minimum_confidence,
            device=device,
            selection=Selection(start=start, stop=stop, every=every, rate=fps),
            people=people,
            smoothing=smoothing,
            baseline=baseline,
            columns=columns,
            events=events,
            normalized=normalized,
            pictures=pictures,
        )
        # It checks its own, long before it loads anything.
        FaceFinder(minimum_confidence=minimum_confidence, minimum_face_width=minimum_face_width)
    except ValueError as error:
        raise CommandError(f"{error}.", code=WRONG_COMMAND) from error
    planned = plan(inputs, outputs=(results.normalized, results.pictures))
    _check(planned, settings, workers=workers)
    work = WorkFolder(results.work)
    if planned.live is not None and work.exists and not overwrite:
        raise CommandError(
            f"{out} holds what was seen of {planned.live.input} until a run was killed. Choose "
            "another folder with --out, or replace it with --overwrite.",
            code=WRONG_COMMAND,
        )
    if not overwrite and not work.exists:
        results.check(planned, pictures=pictures)
    results.spare_inputs(planned, pictures=pictures)
    run = _Run(planned, settings, work, cut_into_units(planned), workers)
    with results.opened():
        try:
            return run.carry_out(anew=overwrite)
        except OSError as error:
            raise CommandError(f"{_reason(error)} {run.kept()}") from error
        finally:
            close_analyzer()
            if work.is_held and (run.complete or work.is_empty):
                work.remove()
            work.release()


def _check(planned: Plan, settings: WorkSettings, *, workers: int) -> None:
    """Refuse what cannot be done before anything is."""
    if workers < 1:
        raise CommandError(f"--workers must be 1 or more: {workers}", code=WRONG_COMMAND)
    if settings.people == "link" and planned.videos:
        try:
            IdentityEmbedder()
        except MissingExtraError as error:
            raise CommandError(str(error), code=WRONG_COMMAND) from error
    if planned.live is None:
        return
    name = planned.live.input
    if len(planned.videos) + len(planned.pictures) > 1 or workers > 1:
        raise CommandError(
            f"{name} has no end of its own: analyze it alone, without --workers.",
            code=WRONG_COMMAND,
        )
    if settings.baseline == "file":
        raise CommandError(
            f"{name} has no whole file: take --baseline running.", code=WRONG_COMMAND
        )


@dataclass(slots=True)
class _Run:
    """One run of the command."""

    planned: Plan
    settings: WorkSettings
    work: WorkFolder
    units: list[Unit]
    workers: int
    complete: bool = False
    shown: list[tuple[str, FaceAnalysis | None]] = field(default_factory=list)
    joined: Joiner | None = None
    err: Console = field(default_factory=messages)

    def carry_out(self, *, anew: bool) -> int:
        """Do what is left to do; the exit code."""
        units: tuple[str, ...] = ()
        if self.units:
            units = Weights(self.settings.weights).manifest.units
        try:
            with Joiner(
                units=self.units,
                settings=self.settings,
                work=self.work,
                columns=units,
                fail=self._fail,
                show=self._show,
            ) as joined:
                self.joined = joined
                for name, reason in self.planned.problems:
                    joined.problem(name, reason)
                try:
                    if self.units:
                        self._work(joined, anew=anew)
                except KeyboardInterrupt:
                    joined.end_early()
                    raise
                except OSError:
                    joined.end_early()
                    raise
        except KeyboardInterrupt:
            self.report()
            self.err.print(f"Stopped after {self._how_far()}. {self.kept()}", style="bold yellow")
            return INTERRUPTED
        except TableError as error:
            raise CommandError(str(error), code=WRONG_COMMAND) from error
        self.complete = True
        self.report()
        return SOME_FAILED if joined.totals.errors else SUCCESS

    def _work(self, joined: Joiner, *, anew: bool) -> None:
        inputs = [*self.planned.pictures, *self.planned.videos]
        goes_on = self.work.begin(self.settings, inputs, anew=anew)
        done = [unit for unit in self.units if self.work.done(unit) is not None]
        if goes_on:
            self.settings.results.sweep()
            self.err.print(
                f"Going on with the unfinished run in {self.settings.results.folder}: "
                f"{len(done)} of {len(self.units)} parts are done."
            )
        numbers = {unit.index for unit in done}
        left = [unit for unit in self.units if unit.index not in numbers]
        with WorkProgress(units=self.units, done=done, console=self.err) as progress:
            self.err = progress.console
            joined.go_on()
            for unit in self._engine(left, progress):
                progress.finished(unit)
                joined.go_on()

    def _engine(self, units: list[Unit], progress: WorkProgress) -> Iterator[Unit]:
        if not units:
            return iter(())
        if self.workers > 1:
            # Even for a single unit: what kills a worker must not kill the run.
            count = min(self.workers, len(units))
            return do_in_processes(units, self.settings, count, progress.tell)
        try:
            norface = analyzer(self.settings)
        except ValueError as error:
            raise CommandError(str(error), code=WRONG_COMMAND) from error
        missing = [] if norface.reads_action_units else ["action units"]
        missing += [] if norface.reads_emotions else ["emotions"]
        if missing:
            said = f"These weights hold no network for {' and '.join(missing)}."
            self.err.print(said, style="yellow")
        return do_here(units, self.settings, progress.tell)

    def _fail(self, name: str, reason: str) -> None:
        said = reason if name in reason else f"{name}: {reason}"
        self.err.print(printable(said), style="red")

    def _show(self, name: str, face: FaceAnalysis | None) -> None:
        if len(self.shown) < _ROWS_SHOWN:
            self.shown.append((name, face))

    def _how_far(self) -> str:
        words = []
        assert self.joined is not None
        if self.planned.pictures:
            count = self.joined.totals.pictures
            words.append(f"{count} of {_count(len(self.planned.pictures), 'picture')}")
        if self.planned.videos:
            count = len(self.joined.videos)
            words.append(f"{count} of {_count(len(self.planned.videos), 'video')}")
        return " and ".join(words)

    def kept(self) -> str:
        """Where what was computed lies."""
        if self.work.is_empty:
            return "Nothing was written to a table."
        return (
            f"What was read until then is in {self.settings.results.folder}{os.sep}; the same "
            "command goes on from there."
        )

    def report(self) -> None:
        """Print the table of faces and what lies where."""
        assert self.joined is not None
        out, results, totals = output(), self.settings.results, self.joined.totals
        if self.shown:
            out.print(faces_table(self.shown, out.width))
            legend = units_legend(self.shown)
            if legend:
                out.print(legend, style="dim")
        of_videos = [done for _, done in self.joined.videos]
        faces = totals.faces - sum(done.faces for done in of_videos)
        without = totals.without_face - sum(done.without_face for done in of_videos)
        left_out = faces + without - len(self.shown)
        if left_out:
            out.print(f"... and {left_out} more in {results.faces}", soft_wrap=True)
        for unit, done in self.joined.videos[:_ROWS_SHOWN]:
            assert unit.video is not None
            said = f"{unit.video.input}: {_count(done.frames, 'frame')}"
            if done.people:
                said += f", {done.people} {'person' if done.people == 1 else 'people'}"
            if done.without_face:
                said += f", {done.without_face} without a face"
            said += f" -> {results.table(unit.video)}" if done.frames else ""
            out.print(printable(said), soft_wrap=True)
        words = []
        if self.planned.pictures or not self.planned.videos:
            words += [_count(totals.pictures, "picture"), _count(faces, "face")]
            words += [f"{without} without a face"] if without else []
        if self.planned.videos:
            words += [_count(len(of_videos), "video"), _count(totals.frames, "frame")]
        out.print(printable(f"{', '.join(words)} -> {results.folder}{os.sep}"), soft_wrap=True)
        if totals.errors:
            said = f"{len(totals.errors)} could not be read: see {results.errors}"
            out.print(printable(said), style="red", soft_wrap=True)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
