"""Hashes of files, read block by block."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, Protocol

_BLOCK: Final = 1 << 20


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes in."""


def add_file(digest: Digest, path: Path) -> None:
    """Take a file's content into a digest.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content in hexadecimal digits; raises as `add_file`."""
    digest = hashlib.sha256()
    add_file(digest, path)
    return digest.hexdigest()
