"""Names of results that no other result has."""

from __future__ import annotations

from itertools import chain, count
from pathlib import PurePosixPath


def name_key(name: PurePosixPath) -> str:
    """Equal for names that are one file where upper and lower case are not told apart."""
    return str(name).casefold()


def take_free(name: PurePosixPath, taken: set[str], *, before_suffix: bool) -> PurePosixPath:
    """The name, with the first number from 2 that makes it free where it is not.

    Args:
        name: to be had.
        taken: keys of the names that are given; the result's joins them.
        before_suffix: whether the number goes before the suffix, or behind everything.
    """
    stem, suffix = (name.stem, name.suffix) if before_suffix else (name.name, "")
    numbered = (name.with_name(f"{stem}_{n}{suffix}") for n in count(2))
    free = next(each for each in chain([name], numbered) if name_key(each) not in taken)
    taken.add(name_key(free))
    return free
