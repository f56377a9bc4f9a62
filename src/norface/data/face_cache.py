"""What a cache of faces holds: its settings, what was looked at, what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.data.face_finding import NO_FACE, FaceFolderError, FaceSettings

SETTINGS: Final = "cache.json"
PATTERN: Final = "faces_*.npz"
FIXED: Final = f"{NO_FACE}: a fixed crop was taken"


@dataclass(frozen=True, slots=True)
class FaceCounts:
    """What a cache holds.

    Attributes:
        pictures: looked at, in all runs.
        faces: in them.
        skipped: pictures that gave none.
        fixed: faces that were not found, but cut out as the others are.
    """

    pictures: int
    faces: int
    skipped: int
    fixed: int = 0


def is_face_cache(folder: Path) -> bool:
    """Whether a folder is a cache made by `prepare_faces`."""
    return (folder / SETTINGS).is_file()


def face_files(folder: Path) -> list[Path]:
    """The ``faces_*.npz`` of a cache, sorted by name."""
    return sorted(folder.glob(PATTERN))


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


def keep_settings(out: Path, settings: FaceSettings) -> None:
    """Make the folder of a cache, or see that it has these settings.

    Raises:
        FaceFolderError: it has others.
    """
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


def looked_at(out: Path) -> dict[str, str]:
    """Picture -> why it has no face, or "", of everything that a cache has looked at."""
    known: dict[str, str] = {}
    for file in face_files(out):
        pictures, reasons = _read(file, "pictures", "reason")
        for path, reason in zip(pictures.tolist(), reasons.tolist(), strict=True):
            if not reason or path not in known:
                known[path] = reason
    return known


def counted(out: Path) -> tuple[int, dict[str, str]]:
    """How many faces a cache has, and of which pictures they were not found."""
    count = 0
    fixed: dict[str, str] = {}
    for file in face_files(out):
        pictures, picture, found = _read(file, "pictures", "picture", "found")
        count += len(picture)
        fixed |= dict.fromkeys(pictures[picture[~found]].tolist(), FIXED)
    return count, fixed


def _read(file: Path, *names: str) -> list[NDArray[Any]]:
    try:
        with np.load(file, allow_pickle=False) as content:
            return [
                found_in(content) if name == "found" else np.asarray(content[name])
                for name in names
            ]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise FaceFolderError(
            f"{file} cannot be read ({error}): delete it and run the same command again"
        ) from error


def found_in(content: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """(N,) which faces of a file were found: all, in caches that do not say."""
    if "found" in content:
        return np.asarray(content["found"], bool)
    return np.ones(len(content["picture"]), bool)
