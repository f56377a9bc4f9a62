"""What the commands share: how they talk, and how they end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from rich.console import Console

SUCCESS: Final = 0
FAILURE: Final = 1
WRONG_COMMAND: Final = 2
SOME_FAILED: Final = 3
INTERRUPTED: Final = 130
"""Exit codes. WRONG_COMMAND: nothing was done; SOME_FAILED: the rest was done."""

_WIDEST = 100


class CommandError(Exception):
    """A command cannot be carried out.

    Args:
        message: what is wrong and what to do.
        code: the exit code.
    """

    def __init__(self, message: str, *, code: int = FAILURE) -> None:
        super().__init__(message)
        self.code = code


def unwritable(folder: Path, error: OSError) -> CommandError:
    """That nothing can be written into a folder, and why."""
    reason = error.strerror or str(error)
    return CommandError(
        f"Cannot write into the folder {folder} ({reason}). Choose another with --out.",
        code=WRONG_COMMAND,
    )


def output() -> Console:
    """Results: on standard output, at most 100 columns wide."""
    console = Console(highlight=False, markup=False, soft_wrap=False)
    return Console(
        highlight=False, markup=False, soft_wrap=False, width=min(console.width, _WIDEST)
    )


def messages() -> Console:
    """Progress and problems: on standard error, lines never broken."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def printable(text: str) -> str:
    """The text without what an output's encoding lacks (file names may hold anything)."""
    encoding = sys.stdout.encoding or "utf-8"
    shown = text.encode(encoding, "replace").decode(encoding)
    return "".join(c if c.isprintable() else "?" for c in shown)


def counted(number: int, thing: str) -> str:
    """A number of things, in words."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def naming(name: str, reason: str) -> str:
    """What went wrong with an input, which is named once."""
    return reason if name in reason else f"{name}: {reason}"
