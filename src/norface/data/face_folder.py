"""Folders of pictures, without any labels, made into a cache of aligned faces.

Finding faces takes a hundred times longer than reading them, so it is done once. The cache::

    DIR/cache.json                      the settings
    DIR/faces_000000.npz, ...           faces, and the pictures that they are from
    DIR/skipped.csv                     which pictures gave no face, and why

Each ``faces_*.npz`` holds, uncompressed, for the N faces of P pictures

- ``face`` (N, S, S, 3) uint8: framed by `norface.faces.align`, with a margin around the frame;
- ``picture`` (N,) int32: the number of its picture in
- ``pictures`` (P,) text: their paths;
- ``reason`` (P,) text: empty where a face was found, or why there is none.

A file is written when its pictures are done. So what was interrupted goes on, pictures that are
added later join in, and a run with nothing new does nothing. A picture is known by its path: one
that changes under the same name is not looked at again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from norface.faces.align import framing, warp
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.faces.pose import fit_head
from norface.media.arrays import write_arrays
from norface.media.images import ImageError, list_images, read_image
from norface.synthesis.parallel import in_processes
from norface.synthesis.parts import write_rows

SETTINGS: Final = "cache.json"
SKIPPED: Final = "skipped.csv"
MARGIN: Final = 0.125
"""Around the frame at every side, as a share of it: room to augment in."""

_PATTERN: Final = "faces_*.npz"
_PICTURES_A_FILE: Final = 256
_NAMED: Final = 20
"""Skipped pictures that are named one by one; `SKIPPED` lists all."""


class FaceFolderError(ValueError):
    """No cache of faces can be made or read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """What the faces in a cache look like.

    Attributes:
        size: side of the frame in pixels.
        margin: what is kept around it at every side, as a share of the frame.
        take: all faces of a picture, or the largest.
        minimum_width: narrower faces are left out, pixels of the picture.
    """

    size: int = 256
    margin: float = MARGIN
    take: Literal["largest", "all"] = "largest"
    minimum_width: float = 32.0

    def __post_init__(self) -> None:
        if not 32 <= self.size <= 1024:
            raise FaceFolderError(f"size must lie in 32..1024, not {self.size}")
        if not 0.0 <= self.margin <= 1.0:
            raise FaceFolderError(f"margin must lie in 0..1, not {self.margin}")
        if not self.minimum_width >= 1.0:
            raise FaceFolderError(
                f"minimum_width must be at least 1 pixel, not {self.minimum_width}"
            )

    @property
    def room(self) -> int:
        """The margin in pixels."""
        return round(self.size * self.margin)

    @property
    def stored(self) -> int:
        """Side of the stored pictures in pixels."""
        return self.size + 2 * self.room


@dataclass(frozen=True, slots=True)
class FaceCounts:
    """What a cache holds.

    Attributes:
        pictures: looked at, in all runs.
        faces: found in them.
        skipped: pictures that gave none.
    """

    pictures: int
    faces: int
    skipped: int


@dataclass(frozen=True, slots=True)
class _Job:
    pictures: tuple[str, ...]
    path: Path
    settings: FaceSettings


def is_face_cache(folder: Path) -> bool:
    """Whether a folder is a cache made by `prepare_faces`."""
    return (folder / SETTINGS).is_file()


def face_files(folder: Path) -> list[Path]:
    """The ``faces_*.npz`` of a cache, sorted by name."""
    return sorted(folder.glob(_PATTERN))


def read_settings(folder: Path) -> FaceSettings:
    """What the faces of a cache look like.

    Raises:
        FaceFolderError: the folder is no cache.
    """
    try:
        return FaceSettings(**json.loads((folder / SETTINGS).read_text()))
    except (OSError, TypeError, ValueError) as error:
        raise FaceFolderError(
            f"{folder} is no cache of faces ({error}): make one with "
            "`norface train prepare-faces PICTURES --out DIR`"
        ) from error


def missing_pictures(pictures: Sequence[Path], out: Path) -> list[str]:
    """Which pictures of files and folders a cache has not looked at, as paths in their order.

    Raises:
        FaceFolderError: the pictures cannot be listed, or there is none.
    """
    try:
        # Absolute, so that the same command from another folder means the same pictures.
        paths = [str(path.absolute()) for path in list_images(pictures)]
    except OSError as error:
        raise FaceFolderError(f"the pictures cannot be listed: {error}") from error
    if not paths:
        raise FaceFolderError(f"there is no picture in {', '.join(map(str, pictures))}")
    done = {path for path, _ in _looked_at(out)}
    return [path for path in dict.fromkeys(paths) if path not in done]


def prepare_faces(
    pictures: Sequence[Path],
    out: Path,
    settings: FaceSettings | None = None,
    *,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> FaceCounts:
    """Find and align the faces of pictures, those left out that an earlier run has done.

    Args:
        pictures: files, and folders, which are searched with their subfolders.
        out: folder of the cache.
        settings: what the faces look like; the same in every run.
        workers: processes; the machine's cores when None.
        say: told which pictures are skipped.

    Raises:
        FaceFolderError: there is no picture, none has a face, or the cache has other settings.
    """
    settings = settings or FaceSettings()
    _keep_settings(out, settings)
    missing = missing_pictures(pictures, out)
    for number, path, reason in _find_all(missing, out, settings, workers):
        if number < _NAMED:
            say(f"skipped: {reason if path in reason else f'{path}: {reason}'}")
    looked_at = list(_looked_at(out))
    skipped = [{"input": path, "reason": reason} for path, reason in looked_at if reason]
    if missing:
        write_rows(out / SKIPPED, skipped, columns=("input", "reason"))
    counts = FaceCounts(len(looked_at), _face_count(out), len(skipped))
    if not counts.faces:
        raise FaceFolderError(
            f"no face was found in {counts.pictures} pictures: see {out / SKIPPED}"
        )
    return counts


def _find_all(
    missing: Sequence[str], out: Path, settings: FaceSettings, workers: int | None
) -> Iterator[tuple[int, str, str]]:
    """Write the files of missing pictures; yields a number, the path and the reason of a skip."""
    processes = workers or os.cpu_count() or 1
    # Small jobs for few pictures, so that every process has some.
    size = min(_PICTURES_A_FILE, max(16, -(-len(missing) // (4 * processes))))
    used = [int(path.stem.split("_")[1]) for path in face_files(out)]
    first = max(used, default=-1) + 1
    jobs = [
        _Job(tuple(missing[start : start + size]), out / f"faces_{first + i:06d}.npz", settings)
        for i, start in enumerate(range(0, len(missing), size))
    ]
    if not jobs:
        return
    number = 0
    try:
        for skipped in in_processes(_prepare, jobs, "finding faces", workers):
            for path, reason in skipped:
                yield number, path, reason
                number += 1
    except (OSError, BrokenProcessPool) as error:
        # A full disk, or a process that was killed, as happens when memory runs out.
        raise FaceFolderError(
            f"{out}: {error}. What is done is kept: run the same command again, perhaps with "
            "fewer processes (--workers)"
        ) from error


@cache
def _finder(minimum_width: float) -> FaceFinder:
    return FaceFinder(minimum_face_width=minimum_width)


def _prepare(job: _Job) -> list[tuple[str, str]]:
    """Write one file; returns the pictures skipped and why."""
    faces: list[NDArray[np.uint8]] = []
    picture: list[int] = []
    reasons = []
    for number, path in enumerate(job.pictures):
        found, reason = _faces_of(path, job.settings)
        faces += found
        picture += [number] * len(found)
        reasons.append(reason)
    side = job.settings.stored
    write_arrays(
        job.path,
        {
            "face": np.array(faces, np.uint8).reshape(len(faces), side, side, 3),
            "picture": np.array(picture, np.int32),
            "pictures": np.array(job.pictures),
            "reason": np.array(reasons),
        },
    )
    return [(path, reason) for path, reason in zip(job.pictures, reasons, strict=True) if reason]


def _faces_of(path: str, settings: FaceSettings) -> tuple[list[NDArray[np.uint8]], str]:
    """The aligned faces of a picture, or why there is none."""
    try:
        image = read_image(path)
        faces = _finder(settings.minimum_width).find(image)
        if not faces:
            return [], "no face found"
        chosen = faces if settings.take == "all" else faces[:1]
        return [_with_margin(image, face, settings) for face in chosen], ""
    except ImageError as error:
        return [], str(error)
    except (Exception, MemoryError) as error:
        # Whatever one of a million pictures does to a library must not stop the others.
        return [], f"failed with {type(error).__name__}: {error}"


def _with_margin(
    image: NDArray[np.uint8], face: FaceLandmarks, settings: FaceSettings
) -> NDArray[np.uint8]:
    matrix = framing(fit_head(face.points), settings.size)
    matrix[:, 2] += settings.room
    return warp(image, matrix, settings.stored)


def _keep_settings(out: Path, settings: FaceSettings) -> None:
    if is_face_cache(out):
        other = asdict(read_settings(out))
        differing = {k: v for k, v in asdict(settings).items() if other[k] != v}
        if differing:
            said = ", ".join(f"{k} {other[k]}, not {v}" for k, v in differing.items())
            raise FaceFolderError(
                f"{out} holds faces made otherwise ({said}): choose another folder"
            )
        return
    out.mkdir(parents=True, exist_ok=True)
    part = out / f".{SETTINGS}.part"
    part.write_text(json.dumps(asdict(settings)))
    part.replace(out / SETTINGS)


def _looked_at(out: Path) -> Iterator[tuple[str, str]]:
    """(path, reason for a skip or "") of every picture in a cache."""
    for file in face_files(out):
        pictures, reasons = (_read(file, name) for name in ("pictures", "reason"))
        yield from zip(pictures.tolist(), reasons.tolist(), strict=True)


def _face_count(out: Path) -> int:
    return sum(len(_read(file, "picture")) for file in face_files(out))


def _read(file: Path, name: str) -> NDArray[Any]:
    try:
        with np.load(file, allow_pickle=False) as content:
            return np.asarray(content[name])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise FaceFolderError(
            f"{file} cannot be read ({error}): delete it and run the same command again"
        ) from error
