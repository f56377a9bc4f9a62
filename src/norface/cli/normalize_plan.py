"""Which pictures and videos are normalized, and where each goes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from norface.cli.free_names import name_key, take_free
from norface.media import images, video_source, video_writer

_PICTURES_KEPT: Final = frozenset(
    {".bmp", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Kinds of pictures that are written as they came; others become PNG."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file to normalize.

    Attributes:
        path: of the original.
        output: of what is made of it, below the folder for the results.
        is_video: whether it is one.
    """

    path: Path
    output: PurePosixPath
    is_video: bool

    @property
    def input(self) -> str:
        """What tables call it: its path as the user gave it."""
        return self.path.as_posix()


@dataclass(frozen=True, slots=True)
class NormalizePlan:
    """What a command line comes to.

    Attributes:
        items: to normalize, each once.
        problems: (input, reason) of what was named and is not there.
        mark: what stands in a name between that of a picture and the number of a further face.
    """

    items: Sequence[Item]
    problems: Sequence[tuple[str, str]]
    mark: str


def face_file(item: Item, face: int, mark: str) -> PurePosixPath:
    """The file of a face of a picture; the first, which is the largest, has its name."""
    if face == 0:
        return item.output
    return item.output.with_name(f"{item.output.stem}{mark}{face}{item.output.suffix}")


def plan_normalize(paths: Iterable[Path], out: Path) -> NormalizePlan:
    """Find the files that paths name.

    One folder's tree is kept as it is; of several, each has a folder of its name. What lies in the
    folder for the results is not taken as input.

    Args:
        paths: files, taken whatever their names are, and folders, searched to the bottom.
        out: the folder for the results.
    """
    problems: list[tuple[str, str]] = []
    found: list[tuple[Path, PurePosixPath]] = []
    seen: set[str] = set()
    named = list(dict.fromkeys(paths))
    folders = _folder_names([path for path in named if path.is_dir()])
    for path in named:
        files: Iterable[Path] = [path]
        if not path.exists():
            problems.append((path.as_posix(), "There is no such file or folder."))
            continue
        if path.is_dir():
            try:
                files = list(_files_below(path, leave_out=out.resolve()))
            except OSError as error:
                reason = error.strerror or str(error)
                problems.append((path.as_posix(), f"The folder cannot be read: {reason}."))
                continue
            if not files:
                problems.append((path.as_posix(), "The folder holds no pictures and no videos."))
        for file in files:
            absolute = os.path.normcase(file.absolute())
            if absolute in seen:
                continue
            seen.add(absolute)
            tree = folders.get(path)
            below = PurePosixPath(file.name)
            if tree is not None:
                below = tree / file.relative_to(path).as_posix()
            found.append((file, below))
    items = _placed(found)
    return NormalizePlan(items, problems, _mark(items))


def _folder_names(folders: Sequence[Path]) -> dict[Path, PurePosixPath]:
    """Where the tree of each folder begins."""
    if len(folders) == 1:
        return {folders[0]: PurePosixPath()}
    names: dict[Path, PurePosixPath] = {}
    taken: set[str] = set()
    for folder in folders:
        name = take_free(PurePosixPath(folder.resolve().name or "root"), taken, before_suffix=True)
        names[folder] = name
    return names


def _files_below(folder: Path, *, leave_out: Path) -> Iterator[Path]:
    """Pictures and videos in the order of their names, without hidden ones."""

    def fail(error: OSError) -> None:
        raise error

    wanted = images.SUFFIXES | video_source.SUFFIXES
    for here, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and Path(here, name).resolve() != leave_out
        )
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in wanted:
                yield Path(here, name)


def _placed(found: Sequence[tuple[Path, PurePosixPath]]) -> list[Item]:
    """A place for each; who can keep the name has the first choice."""
    taken: set[str] = set()
    items: dict[int, Item] = {}
    is_video = [_is_video(path) for path, _ in found]
    suffixes = [_suffix(below, video) for (_, below), video in zip(found, is_video, strict=True)]
    order = sorted(range(len(found)), key=lambda i: suffixes[i] != found[i][1].suffix)
    for i in order:
        path, below = found[i]
        output = below.with_suffix(suffixes[i])
        if suffixes[i] != below.suffix and name_key(output) in taken:
            # photo.gif beside photo.png
            output = below.with_name(below.name + suffixes[i])
        items[i] = Item(path, take_free(output, taken, before_suffix=True), is_video[i])
    return [items[i] for i in range(len(found))]


def _is_video(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix in images.SUFFIXES:
        return False
    return suffix in video_source.SUFFIXES or video_source.is_video(path)


def _suffix(name: PurePosixPath, is_video: bool) -> str:
    kept = frozenset(video_writer.FORMATS) if is_video else _PICTURES_KEPT
    return name.suffix if name.suffix.lower() in kept else ".mp4" if is_video else ".png"


def _mark(items: Iterable[Item]) -> str:
    """A mark after which no file's own name ends in a number: no two files can have one name."""
    marks = (re.search(r"(_+)face\d+$", item.output.stem, re.IGNORECASE) for item in items)
    longest = max((len(found[1]) for found in marks if found), default=0)
    return "_" * (longest + 1) + "face"
