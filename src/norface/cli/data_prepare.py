"""``norface data prepare``: the faces of a data set, found and aligned once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from norface.cli.console import FAILURE, SUCCESS, CommandError, messages, output, printable
from norface.cli.data import SetName, read_set
from norface.cli.data_told import data_faults_told
from norface.data.prepared import prepare_set, verify

_TEXT = tyro.conf.arg(metavar="TEXT", help_behavior_hint="")
_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_INT = tyro.conf.arg(metavar="INT", help_behavior_hint="")


def prepare(
    name: Annotated[SetName, tyro.conf.Positional],
    /,
    *,
    root: Path,
    out: Path,
    variant: Annotated[str | None, _TEXT] = None,
    crop: Literal[64, 128, 256] = 256,
    normalization: Annotated[Path | None, _PATH] = None,
    workers: Annotated[int | None, _INT] = None,
    skip_missing: bool = False,
    check: bool = False,
) -> int:
    """Find and align the faces of a data set once, to train and to evaluate on.

    Run again, it goes on where it was interrupted, and does nothing when nothing is new. Labels are
    not kept: they are read from the set each time. Pictures without a face are in OUT/skipped.csv.

    Args:
        name: The data set.
        root: Folder in which the parts of the set lie; for table the file.
        out: Folder for the faces: at crop 256 307 kB a face, at 128 77 kB, at 64 19 kB.
        variant: Of sets that have several, such as the camera of disfa; else the first.
        crop: Side of the faces that networks read: 256 for the presets small, base and large, 128
            for tiny; 64 keeps all that pictures of 48 pixels have.
        normalization: Checkpoint of F_nor: its normalized faces are kept beside the originals.
        workers: Processes; the machine's cores by default.
        skip_missing: Count labelled pictures that are missing, instead of stopping at the first.
        check: Compare the files of OUT with their hashes at the end.
    """
    if workers is not None and workers < 1:
        raise CommandError("--workers must be at least 1.")
    data = read_set(name, root, variant, skip_missing=skip_missing)

    def say(text: str) -> None:
        output().print(printable(text), soft_wrap=True)

    with data_faults_told():
        counts = prepare_set(data, out, crop=crop, workers=workers, say=say)
        fixed = f" ({counts.fixed} of them not found: a fixed crop)" if counts.fixed else ""
        say(
            f"{counts.faces} faces of {counts.pictures} pictures{fixed}, {counts.skipped} without "
            f"one -> {out}"
        )
        if normalization is not None:
            # Needs torch, which the faces alone do not.
            from norface.cli.told import faults_told
            from norface.training.normalized_faces import normalize_prepared

            with faults_told():
                say(f"normalized -> {normalize_prepared(out, normalization, say=say)}")
        damaged = verify(out) if check else []
    for file in damaged:
        messages().print(f"{out / file} is missing or not as it was made", style="red")
    return FAILURE if damaged else SUCCESS
