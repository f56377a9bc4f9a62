"""``norface train``: one command per network. Their options are those of `norface.training`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import tyro

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, output
from norface.data.shards import ShardError
from norface.models.checkpoint import CheckpointError
from norface.training.classification import train_classification
from norface.training.config import ClassificationConfig, NormalizationConfig, RunConfig
from norface.training.normalization import train_normalization

_C = TypeVar("_C", bound=RunConfig)
# Options are named as in the configuration, without the name of the function's argument.
_Normalization: TypeAlias = Annotated[NormalizationConfig, tyro.conf.arg(name="")]
_Classification: TypeAlias = Annotated[ClassificationConfig, tyro.conf.arg(name="")]


def normalization(config: _Normalization) -> int:
    """Train F_nor, which renders any face's expression on a target face.

    Run again with the same options, an interrupted training goes on.
    """
    return _train(train_normalization, config)


def classification(config: _Classification) -> int:
    """Train F_cla, which reads action units from the original and the normalized face.

    Run again with the same options, an interrupted training goes on.
    """
    return _train(train_classification, config)


def _train(train: Callable[[_C], Path], config: _C) -> int:
    try:
        checkpoint = train(config)
    except (ShardError, CheckpointError) as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    output().print(f"-> {checkpoint}", soft_wrap=True)
    return SUCCESS
