"""``norface normalize``: faces replaced by the common face, in pictures, videos and folders."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import tyro

from norface.cli.console import (
    INTERRUPTED,
    SOME_FAILED,
    SUCCESS,
    WRONG_COMMAND,
    CommandError,
    messages,
)
from norface.cli.normalize_folder import NormalizeFolder
from norface.cli.normalize_plan import plan_normalize
from norface.cli.normalize_run import NormalizeRun
from norface.cli.normalize_task import NormalizeTask
from norface.runtime.sessions import Weights

_NO_DEFAULT = tyro.conf.arg(help_behavior_hint="")
_PATHS = tyro.conf.arg(metavar="PATH ...", help_behavior_hint="")
_OPTIONAL_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_WEIGHTS = tyro.conf.arg(metavar="NAME|PATH", help_behavior_hint="")
_PEOPLE = tyro.conf.arg(metavar="PEOPLE", help_behavior_hint="")

_MOST_PLACES: Final = 8


def normalize(
    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, _PATHS],
    /,
    *,
    out: Path = Path("normalized"),
    target: Annotated[Path | None, _OPTIONAL_PATH] = None,
    side_by_side: Annotated[int | None, _PEOPLE] = None,
    no_sound: Annotated[bool, _NO_DEFAULT] = False,
    workers: int = 1,
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
        workers: Processes that share the work and the cores.
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
    if workers < 1:
        raise CommandError(f"--workers must be 1 or more: {workers}", code=WRONG_COMMAND)
    folder = NormalizeFolder(out)
    plan = plan_normalize(paths, out)
    folder.spare_inputs(plan)
    err = messages()
    task = NormalizeTask(
        folder=folder,
        mark=plan.mark,
        places=side_by_side,
        sound=not no_sound,
        weights=weights,
        target=target,
        minimum_confidence=minimum_confidence,
        minimum_face_width=minimum_face_width,
    )
    with ExitStack() as stack:
        try:
            norface = stack.enter_context(task.load())
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
        lock = folder.lock
        stack.callback(lock.release)
        taken_up = folder.open(options, overwrite=overwrite, lock=lock)
        run = NormalizeRun(task, plan, err)
        try:
            run.carry_out(norface, workers, taken_up=taken_up)
            folder.finish(plan)
        except KeyboardInterrupt:
            run.report()
            err.print("Stopped. Repeat the command to go on.", style="bold yellow")
            return INTERRUPTED
        except OSError as error:
            raise CommandError(f"{error} Repeat the command to go on.") from error
    run.report()
    return SOME_FAILED if run.failed else SUCCESS


def _identity(weights: Weights) -> str:
    return hashlib.sha256(repr(list(weights.manifest.hashes.items())).encode()).hexdigest()
