"""``norface analyze``: pictures and videos in, tables and normalized faces out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

import tyro

from norface.cli.console import WRONG_COMMAND, CommandError
from norface.cli.plan import Plan, plan
from norface.cli.results_folder import ResultsFolder
from norface.cli.work.folder import WorkFolder
from norface.cli.work.run import Run
from norface.cli.work.unit import close_analyzer
from norface.cli.work.units import Columns, Engine, Normalized, WorkSettings, cut_into_units
from norface.faces.find import FaceFinder
from norface.faces.identity import IdentityEmbedder, MissingExtraError
from norface.faces.smoothing import Mode
from norface.media.remote import UnavailableError
from norface.runtime.corrections import BaselineMode
from norface.runtime.following import People
from norface.runtime.providers import Device
from norface.runtime.video_reading import Selection

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:/")
"""What a path makes of one."""

_INPUTS = tyro.conf.arg(metavar="INPUT ...", help_behavior_hint="")
_NO_DEFAULT = tyro.conf.arg(help_behavior_hint="")
_OPTIONAL_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_WEIGHTS = tyro.conf.arg(metavar="NAME|PATH", help_behavior_hint="")
_SECONDS = tyro.conf.arg(metavar="SECONDS", help_behavior_hint="")
_CLUSTER = tyro.conf.arg(metavar="ADDRESS", help_behavior_hint="")
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
    engine: Engine = "local",
    ray_address: Annotated[str | None, _CLUSTER] = None,
    device: Device = "auto",
) -> int:
    """Read action units and emotions from every face in pictures and videos.

    Writes into the folder for the results: faces.csv, a row a face of a picture; NAME.csv for each
    video, a row a frame and face; normalized/NAME_face0.png, each face as the common identity;
    errors.csv, what could not be read, if anything. A run that was stopped or killed goes on when
    the command is repeated.

    Args:
        inputs: Pictures, videos, folders of both, a webcam's number, addresses (s3://, rtsp://).
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
        engine: Where these run: on this machine, or on a Ray cluster (needs the extra ray).
        ray_address: Of the cluster: auto, HOST:PORT or ray://...; none: this machine alone.
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
    if not out.exists() and _ADDRESS.match(out.as_posix()):
        raise CommandError(
            f"{out} is an address: --out must be a folder of this machine, or a shared one. Copy "
            "the results afterwards.",
            code=WRONG_COMMAND,
        )
    try:
        planned = plan(inputs, outputs=(results.normalized, results.pictures))
    except UnavailableError as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    if ray_address is not None and engine != "ray":
        raise CommandError("--ray-address is for --engine ray.", code=WRONG_COMMAND)
    _check(planned, settings, workers=workers, engine=engine)
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
    units = cut_into_units(planned)
    run = Run(planned, settings, work, units, workers, engine, ray_address)
    with results.opened():
        try:
            return run.carry_out(anew=overwrite)
        except OSError as error:
            raise CommandError(f"{_reason(error)} {run.kept()}") from error
        finally:
            close_analyzer()
            if work.lock.is_held and (run.complete or work.is_empty):
                work.remove()
            work.lock.release()


def _check(planned: Plan, settings: WorkSettings, *, workers: int, engine: Engine) -> None:
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
    if len(planned.videos) + len(planned.pictures) > 1 or workers > 1 or engine != "local":
        raise CommandError(
            f"{name} has no end of its own: analyze it alone, without --workers and --engine.",
            code=WRONG_COMMAND,
        )
    if settings.baseline == "file":
        raise CommandError(
            f"{name} has no whole file: take --baseline running.", code=WRONG_COMMAND
        )


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
