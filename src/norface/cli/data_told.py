"""Faults of the data that a user named, told in a line; needs nothing that trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from norface.cli.console import WRONG_COMMAND, CommandError
from norface.data.face_finding import FaceFolderError
from norface.data.protocols import LeakError
from norface.data.sample import DataError
from norface.data.shards import ShardError


@contextmanager
def data_faults_told() -> Iterator[None]:
    """Say what is wrong with the data that the user named."""
    try:
        yield
    except (DataError, FaceFolderError, LeakError, ShardError, FileNotFoundError) as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
