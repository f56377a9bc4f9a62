"""What a file is called until it is whole."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"\..*-[0-9a-f]{12}\.part")


def part_beside(path: Path) -> Path:
    """A hidden file in the same folder, whose name nobody else has, to be renamed to `path`."""
    return path.with_name(f".{path.stem[:40]}-{secrets.token_hex(6)}.part")


def half_written(folder: Path) -> Iterator[Path]:
    """The files below a folder that a killed process left with such a name."""
    return (path for path in folder.rglob(".*.part") if _NAME.fullmatch(path.name))
