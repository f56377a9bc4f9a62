"""``norface synth``: rendered faces and their truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, output
from norface.synthesis.generate import generate
from norface.synthesis.shards import write_training_shards


def synth(
    *,
    count: int,
    out: Path,
    seed: int = 0,
    size: int = 256,
    yaw: float = 30.0,
    overwrite: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False,
    shards: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False,
) -> int:
    """Render faces of people who do not exist, with the exact truth of each.

    Writes face_000000.png and so on, and truth.csv.

    Args:
        count: How many faces.
        out: Folder for them.
        seed: The same seed gives the same faces, another seed other people.
        size: Side of the pictures in pixels.
        yaw: Largest turn of the head in degrees.
        overwrite: Replace an earlier truth.csv and its pictures.
        shards: Write shards to train on instead; those that exist are kept.
    """
    try:
        if shards:
            write_training_shards(out, count, seed, yaw=yaw)
            output().print(f"{count} faces -> {out}", soft_wrap=True)
        else:
            table = generate(
                count=count, seed=seed, size=size, out=out, yaw=yaw, overwrite=overwrite
            )
            output().print(f"{count} faces -> {table}", soft_wrap=True)
    except (ValueError, FileExistsError) as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    return SUCCESS
