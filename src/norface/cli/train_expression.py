"""``norface train expression``."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import tyro

from norface.cli.told import run_training
from norface.training.expression_config import ExpressionConfig
from norface.training.expression_embedding import train_expression

# Options are named as in the configuration, without the name of the function's argument.
_Expression: TypeAlias = Annotated[ExpressionConfig, tyro.conf.arg(name="")]


def expression(config: _Expression) -> int:
    """Train the embedding that compares expressions, for the unpaired training of F_nor.

    With `--subject identity` one that compares identities, for who has no face recognizer. Run
    again with the same options, an interrupted training goes on.
    """
    return run_training(train_expression, config)
