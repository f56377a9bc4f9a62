"""``norface train encoder`` and the preparation of its faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import tyro

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, output, printable
from norface.cli.told import faults_told, run_training
from norface.data.face_finding import MARGIN, FaceSettings
from norface.data.face_folder import prepare_faces as find_faces
from norface.training.pretraining import train_encoder
from norface.training.pretraining_config import PretrainingConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options(PretrainingConfig):
    # Named without an option: everything else is as in the configuration.
    pictures: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()


_Encoder: TypeAlias = Annotated[_Options, tyro.conf.arg(name="")]


def encoder(config: _Encoder) -> int:
    """Pre-train an encoder on faces without labels: most of each is hidden, and it guesses them.

    Run again with the same options, an interrupted training goes on.
    """
    return run_training(train_encoder, config)


def prepare_faces(
    pictures: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PICTURES")],
    /,
    *,
    out: Path,
    size: int = 256,
    margin: float = MARGIN,
    faces: Literal["largest", "all"] = "largest",
    minimum_face_width: float = 32.0,
    workers: int | None = None,
) -> int:
    """Find and align the faces of pictures once, for `norface train encoder`.

    A run that was cut off goes on where it stopped; pictures that were added later join in.

    Args:
        pictures: Pictures, and folders of pictures with their subfolders.
        out: Folder for the faces: three bytes a pixel, at the default size 307 kB a face.
        size: Side of the aligned faces in pixels: 256 for the presets small, base and large.
        margin: What is kept around them at every side, as a share of the size.
        faces: Which faces of a picture are taken.
        minimum_face_width: Smaller faces are left out.
        workers: Processes; the machine's cores by default.
    """
    if not pictures:
        raise CommandError("Name at least one picture or folder.", code=WRONG_COMMAND)
    with faults_told():
        settings = FaceSettings(
            size=size, margin=margin, take=faces, minimum_width=minimum_face_width
        )
        counts = find_faces(
            pictures,
            out,
            settings,
            workers=workers,
            say=lambda text: output().print(printable(text), soft_wrap=True),
        )
    output().print(
        f"{counts.faces} faces from {counts.pictures} pictures, {counts.skipped} without any "
        f"-> {out}",
        soft_wrap=True,
    )
    return SUCCESS
