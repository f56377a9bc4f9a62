"""Which pictures and videos a command line names, and what the files made from each are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from norface.cli.free_names import name_key, take_free
from norface.media import images, video_source
from norface.media.images import ImageError, list_images
from norface.media.remote import RemoteError, RemoteFile, fetched, is_remote, list_remote, shown
from norface.media.video import VideoError, is_video
from norface.media.video_source import find_source

EVENTS: Final = "_events"
"""What the name of a table of events ends in, after that of its video."""

_LONGEST_NAME: Final = 200
"""Bytes; file systems allow 255, of which the suffixes need some."""

_RESERVED: Final = ("faces", "errors")
"""Names of tables that no video's may take."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One picture or video to analyze.

    Attributes:
        path: the file.
        name: of the files made from it: relative, without a suffix, and no other's of its kind.
        source: a stream's address or the number of a camera, in place of a file; else empty.
        called: what tables call such a source, or a remote file: never with its password.
        remote: a file to be fetched, in place of one that is here.
    """

    path: Path
    name: PurePosixPath
    source: str = ""
    called: str = ""
    remote: RemoteFile | None = None

    @property
    def input(self) -> str:
        """What tables call it: its path as the user gave it."""
        return self.called or self.path.as_posix()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command line comes to.

    Attributes:
        pictures, videos: to analyze, each once.
        problems: (input, reason) of what was named and is not there.
        live: the one camera or stream, which is among the videos.
    """

    pictures: Sequence[Planned] = ()
    videos: Sequence[Planned] = ()
    problems: Sequence[tuple[str, str]] = ()
    live: Planned | None = None


@dataclass(slots=True)
class _Found:
    path: Path
    root: Path
    """The folder that the user named, or that holds the file that the user named."""
    remote: RemoteFile | None = None
    relative: PurePosixPath = field(init=False)

    def __post_init__(self) -> None:
        if self.remote is None:
            self.relative = PurePosixPath(self.path.relative_to(self.root).as_posix())
        else:
            # What lies elsewhere may be called what no folder here can be.
            *folders, name = self.remote.below.parts
            self.relative = PurePosixPath(*map(_short, folders), name)

    @property
    def root_name(self) -> str:
        return (self.root if self.remote is not None else self.root.resolve()).name or "root"

    def planned(self, name: PurePosixPath) -> Planned:
        called = "" if self.remote is None else self.remote.name
        return Planned(self.path, name, called=called, remote=self.remote)


def plan(inputs: Iterable[str | Path], *, outputs: Sequence[Path] = ()) -> Plan:
    """Find the pictures and videos that inputs name.

    Args:
        inputs: files, folders, which are searched to the bottom, addresses of both and of streams,
            and the number of a camera, unless a file has that name.
        outputs: folders of pictures made by norface, not taken as input when they lie in a folder
            that is searched.

    Raises:
        UnavailableError: a package is missing that an address needs.
    """
    pictures: list[_Found] = []
    videos: list[_Found] = []
    streams: list[Planned] = []
    lives: list[Planned] = []
    problems: list[tuple[str, str]] = []
    seen: set[Path | tuple[str, str]] = set()
    made = [folder.resolve() for folder in outputs]
    for given in inputs:
        path = Path(given)
        if isinstance(given, str) and is_remote(given):
            try:
                for each in _remote(given):
                    assert each.remote is not None
                    key = (each.remote.name, each.remote.path)
                    if key not in seen:
                        seen.add(key)
                        (videos if _is_remote_video(each.remote) else pictures).append(each)
            except RemoteError as error:
                problems.append((shown(given), str(error)))
            continue
        if isinstance(given, str) and _is_no_file(given):
            try:
                source = find_source(given)
            except VideoError as error:
                problems.append((given, str(error)))
                continue
            if all(given != other.source for other in streams):
                name = PurePosixPath(_plain(source.name))
                if any(name_key(name) == name_key(other.name) for other in streams):
                    name = take_free(
                        name, {name_key(other.name) for other in streams}, before_suffix=False
                    )
                stream = Planned(path, name, given, source.name)
                streams.append(stream)
                lives += [stream] if source.live else []
            continue
        if not path.exists():
            problems.append((path.as_posix(), "There is no such file or folder."))
            continue
        root, files = path.parent, [path]
        if path.is_dir():
            try:
                root, files = path, list_images([path], suffixes=_SUFFIXES)
            except (ImageError, OSError) as error:
                problems.append((path.as_posix(), str(error)))
                continue
            files = [file for file in files if not _is_below(file.resolve(), made)]
            if not files:
                problems.append((path.as_posix(), _EMPTY))
                continue
        for file in files:
            absolute = file.absolute()
            if absolute not in seen:
                seen.add(absolute)
                (videos if is_video(file) else pictures).append(_Found(file, root))
    names = _unique_names(pictures, set())
    taken = {*_RESERVED, *(name_key(stream.name) for stream in streams)}
    of_videos = _unique_names(videos, taken, reserved=EVENTS)
    return Plan(
        [each.planned(name) for each, name in zip(pictures, names, strict=True)],
        [
            *(each.planned(name) for each, name in zip(videos, of_videos, strict=True)),
            *streams,
        ],
        problems,
        lives[0] if lives else None,
    )


_SUFFIXES: Final = images.SUFFIXES | video_source.SUFFIXES


_EMPTY: Final = "The folder holds no pictures and no videos."


def _remote(address: str) -> list[_Found]:
    """What lies at an address; nothing of it is fetched.

    Raises:
        RemoteError: nothing does, or it cannot be listed.
        UnavailableError: as `plan`.
    """
    listing = list_remote(address, _SUFFIXES)
    if not listing.files:
        raise RemoteError(_EMPTY)
    root = Path(listing.folder)
    return [_Found(Path(file.name), root, file) for file in listing.files]


def _is_remote_video(file: RemoteFile) -> bool:
    """Whether a file elsewhere is a video; where its name does not say, its content is fetched."""
    suffix = file.below.suffix.lower()
    if suffix in _SUFFIXES:
        return suffix in video_source.SUFFIXES
    with fetched(file) as path:
        return is_video(path)


def _is_no_file(given: str) -> bool:
    return video_source.is_address(given) or (given.isdecimal() and not Path(given).exists())


def _plain(name: str) -> str:
    """A name for files, from an address or "Camera 0"."""
    return _short(re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower() or "stream")


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder in path.parents for folder in folders)


def _unique_names(
    found: Sequence[_Found], taken: set[str], *, reserved: str = ""
) -> list[PurePosixPath]:
    """A name for each: the stem, in the folders it was found in, and more where that is taken.

    Args:
        found: what needs names.
        taken: names that are given already, as of `name_key`.
        reserved: no stem that ends in this is a name.
    """
    ways: tuple[Callable[[_Found], PurePosixPath], ...] = (
        lambda f: f.relative.with_name(_short(f.relative.stem)),
        lambda f: f.relative.with_name(_short(f.relative.name.replace(".", "_"))),
        lambda f: PurePosixPath(
            f.root_name,
            *f.relative.parts[:-1],
            _short(f.relative.name.replace(".", "_")),
        ),
    )
    names: list[PurePosixPath | None] = [None] * len(found)
    for way in ways:
        tried = {i: way(each) for i, each in enumerate(found) if names[i] is None}
        times: dict[str, int] = {}
        for name in tried.values():
            times[name_key(name)] = times.get(name_key(name), 0) + 1
        for i, name in tried.items():
            is_free = times[name_key(name)] == 1 and name_key(name) not in taken
            if is_free and not (reserved and name.name.casefold().endswith(reserved)):
                names[i] = name
        taken.update(name_key(name) for name in names if name is not None)
    return [
        name if name is not None else take_free(ways[-1](each), taken, before_suffix=False)
        for each, name in zip(found, names, strict=True)
    ]


def _short(name: str) -> str:
    encoded = name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME]
    return encoded.decode("utf-8", "ignore") or "picture"
