"""The faces of one file of a cache: found in its pictures and aligned; see `face_folder`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from norface.data.fixed_crop import Enlarged, FixedCrop, enlarge, find_in_crop, placement
from norface.data.sample import Sample
from norface.data.sample_pictures import SamplePictures
from norface.faces.align import framing, geometry, warp
from norface.faces.bundle import LANDMARK_COUNT
from norface.faces.detector import overlaps
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.faces.pose import fit_head
from norface.media.arrays import write_arrays
from norface.media.images import ImageError

MARGIN: Final = 0.125
"""Around the frame at every side, as a share of it: room to augment in."""
_SMALL: Final = 112
"""Pictures that are narrower, in pixels, are enlarged to find the face."""

NO_FACE: Final = "no face found"
"""Why a picture is skipped in which there is none."""


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
        face_crops: whether each picture is a crop of one face, see `norface.data.fixed_crop`.
    """

    size: int = 256
    margin: float = MARGIN
    take: Literal["largest", "all"] = "largest"
    minimum_width: float = 32.0
    face_crops: bool = False

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
        fixed: how each face is cut out without looking for it; None to find them.
    """

    files: tuple[FaceFile, ...]
    settings: FaceSettings
    fixed: FixedCrop | None = None


@cache
def _finder(minimum_width: float) -> FaceFinder:
    return FaceFinder(minimum_face_width=minimum_width)


def write_faces(job: FaceJob) -> list[tuple[str, str]]:
    """Write the files of a job; returns the names of the pictures skipped and why."""
    skipped = []
    with SamplePictures() as reader:
        for pictures, path in job.files:
            reasons = _write_file(path, pictures, job, reader)
            names = [picture.name for picture in pictures]
            skipped += [pair for pair in zip(names, reasons, strict=True) if pair[1]]
    return skipped


def _write_file(
    path: Path, pictures: Sequence[Picture], job: FaceJob, reader: SamplePictures
) -> list[str]:
    """Write one file; returns for each picture why it is skipped, or ""."""
    faces: list[_Face] = []
    owner: list[int] = []
    reasons = []
    for number, picture in enumerate(pictures):
        found, reason = _faces_of(picture, job, reader)
        faces += found
        owner += [number] * len(found)
        reasons.append(reason)
    side, count = job.settings.stored, len(faces)
    write_arrays(
        path,
        {
            "face": np.array([f.image for f in faces], np.uint8).reshape(count, side, side, 3),
            "geometry": np.array([f.geometry for f in faces], np.float16).reshape(
                count, LANDMARK_COUNT, 3
            ),
            "pose": np.array([f.pose for f in faces], np.float16).reshape(count, 3),
            "found": np.full(count, job.fixed is None),
            "placement": np.array([f.placement for f in faces], np.float32).reshape(count, 2, 3),
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
    placement: NDArray[np.float64]


def _faces_of(picture: Picture, job: FaceJob, reader: SamplePictures) -> tuple[list[_Face], str]:
    """The aligned faces of a picture, or why there is none."""
    settings = job.settings
    try:
        image = reader.read(picture.sample)
        if job.fixed is not None:
            return [_fixed(image, job.fixed, settings)], ""
        if settings.face_crops:
            alone = find_in_crop(_finder(settings.minimum_width), image)
            faces = [] if alone is None else [_aligned(*alone, settings)]
        else:
            faces = _searched(image, picture.sample, settings)
        return faces, "" if faces else NO_FACE
    except ImageError as error:
        return [], str(error)
    except (Exception, MemoryError) as error:
        # Whatever one of a million pictures does to a library must not stop the others.
        return [], f"failed with {type(error).__name__}: {error}"


def _searched(image: NDArray[np.uint8], sample: Sample, settings: FaceSettings) -> list[_Face]:
    """The aligned faces of a picture of any kind."""
    small = min(image.shape[:2]) < _SMALL
    large = enlarge(image) if small else enlarge(image, 0.0, least=0)
    finder = _finder(settings.minimum_width)
    faces = finder.find(large.image)
    if not faces and small:
        # A picture this small is a face that fills it.
        alone = finder.landmark_crop(large.image)
        faces = [] if alone is None else [alone]
    if settings.take == "largest" and faces:
        if sample.box is not None and not small:
            left, top, right, bottom = sample.box
            meant = np.array([left, top, right - left, bottom - top])
            faces = [faces[int(overlaps(meant, np.array([_box(f) for f in faces])).argmax())]]
        else:
            faces = faces[:1]
    return [_aligned(large, face, settings) for face in faces]


def _box(face: FaceLandmarks) -> tuple[float, float, float, float]:
    return face.box.x, face.box.y, face.box.width, face.box.height


def _aligned(large: Enlarged, face: FaceLandmarks, settings: FaceSettings) -> _Face:
    matrix = framing(fit_head(face.points), settings.size)
    pose = (face.pose.yaw, face.pose.pitch, face.pose.roll)
    shape = geometry(face.points)
    return _Face(_cut_out(large, matrix, settings), shape, pose, placement(large, face))


def _fixed(image: NDArray[np.uint8], fixed: FixedCrop, settings: FaceSettings) -> _Face:
    large = enlarge(image)
    yaw, pitch, roll = fixed.pose
    cut = _cut_out(large, fixed.framing(large, settings.size), settings)
    return _Face(cut, fixed.geometry, (yaw, pitch, roll), fixed.placement)


def _cut_out(
    large: Enlarged, matrix: NDArray[np.float64], settings: FaceSettings
) -> NDArray[np.uint8]:
    """The frame with its margin."""
    shifted = matrix.copy()
    shifted[:, 2] += settings.room
    return warp(large.image, shifted, settings.stored)
