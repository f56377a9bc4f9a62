"""The faces of one file of a cache: found in its pictures and aligned; see `face_folder`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.data.sample import Sample
from norface.data.sample_pictures import SamplePictures
from norface.faces.align import framing, geometry, warp
from norface.faces.bundle import LANDMARK_COUNT
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.faces.pose import fit_head
from norface.media.arrays import write_arrays
from norface.media.images import ImageError

MARGIN: Final = 0.125
"""Around the frame at every side, as a share of it: room to augment in."""
_SMALL: Final = 112
"""Pictures that are narrower, in pixels, are enlarged to find the face."""
_ENLARGED: Final = 192


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


class Picture(NamedTuple):
    """What is looked at.

    Attributes:
        name: by which a cache knows it.
        sample: its file and frame, and the face's box where it is known; labels play no part.
    """

    name: str
    sample: Sample


class FaceFile(NamedTuple):
    """A file of a cache to be made: of which pictures, and its path."""

    pictures: tuple[Picture, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class FaceJob:
    """Files of a cache to be made one after another.

    Attributes:
        files: all frames of a video lie in the files of one job, so that it is decoded once.
        settings: what their faces look like.
    """

    files: tuple[FaceFile, ...]
    settings: FaceSettings


@cache
def _finder(minimum_width: float) -> FaceFinder:
    return FaceFinder(minimum_face_width=minimum_width)


def write_faces(job: FaceJob) -> list[tuple[str, str]]:
    """Write the files of a job; returns the names of the pictures skipped and why."""
    skipped = []
    with SamplePictures() as reader:
        for pictures, path in job.files:
            reasons = _write_file(path, pictures, job.settings, reader)
            names = [picture.name for picture in pictures]
            skipped += [pair for pair in zip(names, reasons, strict=True) if pair[1]]
    return skipped


def _write_file(
    path: Path, pictures: Sequence[Picture], settings: FaceSettings, reader: SamplePictures
) -> list[str]:
    """Write one file; returns for each picture why it is skipped, or ""."""
    faces: list[_Face] = []
    owner: list[int] = []
    reasons = []
    for number, picture in enumerate(pictures):
        found, reason = _faces_of(picture, settings, reader)
        faces += found
        owner += [number] * len(found)
        reasons.append(reason)
    side, count = settings.stored, len(faces)
    write_arrays(
        path,
        {
            "face": np.array([f.image for f in faces], np.uint8).reshape(count, side, side, 3),
            "geometry": np.array([f.geometry for f in faces], np.float16).reshape(
                count, LANDMARK_COUNT, 3
            ),
            "pose": np.array([f.pose for f in faces], np.float16).reshape(count, 3),
            "picture": np.array(owner, np.int32),
            "pictures": np.array([picture.name for picture in pictures]),
            "reason": np.array(reasons),
        },
    )
    return reasons


class _Face(NamedTuple):
    image: NDArray[np.uint8]
    geometry: NDArray[np.float32]
    pose: tuple[float, float, float]


def _faces_of(
    picture: Picture, settings: FaceSettings, reader: SamplePictures
) -> tuple[list[_Face], str]:
    """The aligned faces of a picture, or why there is none."""
    try:
        image = reader.read(picture.sample)
        zoom = 1.0
        if min(image.shape[:2]) < _SMALL:
            image, zoom = _enlarged(image)
        finder = _finder(settings.minimum_width)
        faces = finder.find(image)
        if not faces and zoom > 1.0:
            # A picture this small is a face that fills it.
            alone = finder.landmark_crop(image)
            faces = [] if alone is None else [alone]
        if not faces:
            return [], "no face found"
        if settings.take == "all":
            chosen = faces
        elif picture.sample.box is not None and zoom == 1.0:
            chosen = [max(faces, key=partial(_overlap, box=picture.sample.box))]
        else:
            chosen = faces[:1]
        return [_aligned(image, face, settings) for face in chosen], ""
    except ImageError as error:
        return [], str(error)
    except (Exception, MemoryError) as error:
        # Whatever one of a million pictures does to a library must not stop the others.
        return [], f"failed with {type(error).__name__}: {error}"


def _enlarged(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The picture enlarged, with a margin: the finder expects a face with surroundings."""
    zoom = _ENLARGED / min(image.shape[:2])
    large = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    margin = (_ENLARGED // 6,) * 4
    return np.asarray(cv2.copyMakeBorder(large, *margin, cv2.BORDER_REPLICATE), np.uint8), zoom


def _overlap(face: FaceLandmarks, *, box: tuple[float, float, float, float]) -> float:
    """Intersection over union of a face's box and left, top, right, bottom."""
    own = face.box
    width = min(own.x + own.width, box[2]) - max(own.x, box[0])
    height = min(own.y + own.height, box[3]) - max(own.y, box[1])
    both = max(width, 0.0) * max(height, 0.0)
    return both / (own.width * own.height + (box[2] - box[0]) * (box[3] - box[1]) - both)


def _aligned(image: NDArray[np.uint8], face: FaceLandmarks, settings: FaceSettings) -> _Face:
    matrix = framing(fit_head(face.points), settings.size)
    matrix[:, 2] += settings.room
    pose = (face.pose.yaw, face.pose.pitch, face.pose.roll)
    return _Face(warp(image, matrix, settings.stored), geometry(face.points), pose)
