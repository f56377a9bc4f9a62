"""Which pictures a command line names, and what the files made from each are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from norface.media.images import ImageError, list_images

_LONGEST_NAME: Final = 200
"""Bytes; file systems allow 255, of which the suffixes need some."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One picture to analyze.

    Attributes:
        path: the file.
        name: of the files made from it: relative, without a suffix, and no other picture's.
    """

    path: Path
    name: PurePosixPath

    @property
    def input(self) -> str:
        """What tables call the picture: its path as the user gave it."""
        return self.path.as_posix()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command line comes to.

    Attributes:
        pictures: to analyze, each once.
        problems: (input, reason) of what was named and is not there.
    """

    pictures: Sequence[Planned] = ()
    problems: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class _Found:
    path: Path
    root: Path
    """The folder that the user named, or that holds the file that the user named."""
    relative: PurePosixPath = field(init=False)

    def __post_init__(self) -> None:
        self.relative = PurePosixPath(self.path.relative_to(self.root).as_posix())


def plan(paths: Iterable[Path], *, outputs: Sequence[Path] = ()) -> Plan:
    """Find the pictures that paths name.

    Args:
        paths: files and folders, which are searched to the bottom.
        outputs: folders of pictures made by norface, not taken as input when they lie in a folder
            that is searched.
    """
    found: list[_Found] = []
    problems: list[tuple[str, str]] = []
    seen: set[Path] = set()
    made = [folder.resolve() for folder in outputs]
    for path in paths:
        if not path.exists():
            problems.append((path.as_posix(), "There is no such file or folder."))
            continue
        root, files = path.parent, [path]
        if path.is_dir():
            try:
                root, files = path, list_images([path])
            except (ImageError, OSError) as error:
                problems.append((path.as_posix(), str(error)))
                continue
            files = [file for file in files if not _is_below(file.resolve(), made)]
            if not files:
                problems.append((path.as_posix(), "The folder holds no pictures."))
                continue
        for file in files:
            absolute = file.absolute()
            if absolute not in seen:
                seen.add(absolute)
                found.append(_Found(file, root))
    names = _unique_names(found)
    return Plan(
        [Planned(each.path, name) for each, name in zip(found, names, strict=True)], problems
    )


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder in path.parents for folder in folders)


def _unique_names(found: Sequence[_Found]) -> list[PurePosixPath]:
    """A name for each: the stem, in the folders it was found in, and more where that is taken."""
    ways: tuple[Callable[[_Found], PurePosixPath], ...] = (
        lambda f: f.relative.with_name(_short(f.relative.stem)),
        lambda f: f.relative.with_name(_short(f.relative.name.replace(".", "_"))),
        lambda f: PurePosixPath(
            f.root.resolve().name or "root",
            *f.relative.parts[:-1],
            _short(f.relative.name.replace(".", "_")),
        ),
    )
    names: list[PurePosixPath | None] = [None] * len(found)
    taken: set[str] = set()
    for way in ways:
        tried = {i: way(each) for i, each in enumerate(found) if names[i] is None}
        times: dict[str, int] = {}
        for name in tried.values():
            times[_key(name)] = times.get(_key(name), 0) + 1
        for i, name in tried.items():
            if times[_key(name)] == 1 and _key(name) not in taken:
                names[i] = name
        taken.update(_key(name) for name in names if name is not None)
    return [
        name if name is not None else _numbered(ways[-1](each), taken)
        for each, name in zip(found, names, strict=True)
    ]


def _numbered(name: PurePosixPath, taken: set[str]) -> PurePosixPath:
    """The name with the first number that makes it free; it is taken from then on."""
    number = 1
    numbered = name
    while _key(numbered) in taken:
        number += 1
        numbered = name.with_name(f"{name.name}_{number}")
    taken.add(_key(numbered))
    return numbered


def _key(name: PurePosixPath) -> str:
    # Some file systems do not tell upper from lower case.
    return str(name).casefold()


def _short(name: str) -> str:
    encoded = name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME]
    return encoded.decode("utf-8", "ignore") or "picture"
