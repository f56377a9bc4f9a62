"""The faces of one file of a cache: found in its pictures and aligned; see `face_folder`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from norface.faces.align import framing, warp
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.faces.pose import fit_head
from norface.media.arrays import write_arrays
from norface.media.images import ImageError, read_image

MARGIN: Final = 0.125
"""Around the frame at every side, as a share of it: room to augment in."""


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
class FaceJob:
    """A file of a cache to be made.

    Attributes:
        pictures: paths of what it is made from.
        path: of the file.
        settings: what its faces look like.
    """

    pictures: tuple[str, ...]
    path: Path
    settings: FaceSettings


@cache
def _finder(minimum_width: float) -> FaceFinder:
    return FaceFinder(minimum_face_width=minimum_width)


def write_faces(job: FaceJob) -> list[tuple[str, str]]:
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
