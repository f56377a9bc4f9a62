"""What the training commands share: how they end, and what users are told of their faults."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, output
from norface.cli.data_told import data_faults_told
from norface.data.skins import SkinError
from norface.models.checkpoint import CheckpointError
from norface.training.config import RunConfig
from norface.training.run import TrainingError

_C = TypeVar("_C", bound=RunConfig)


def run_training(train: Callable[[_C], Path], config: _C) -> int:
    """Train, and say where the checkpoint is."""
    with faults_told():
        checkpoint = train(config)
    # Of several processes the first one speaks. A dry run leaves no checkpoint.
    if os.environ.get("RANK", "0") == "0" and not config.dry_run:
        output().print(f"-> {checkpoint}", soft_wrap=True)
    return SUCCESS


@contextmanager
def faults_told() -> Iterator[None]:
    """Say what is wrong with the data or the checkpoints that the user named."""
    try:
        with data_faults_told():
            yield
    except (SkinError, CheckpointError) as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    except TrainingError as error:
        raise CommandError(str(error)) from error
