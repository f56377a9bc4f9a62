"""Pictures that are crops of one face: found without a search, or cut out as the others are.

Sets such as FER2013 and RAF-DB consist of such crops. Where no landmarks are found in one, as in
about a tenth of FER2013, there is a face all the same, and where it lies is known from the others.
So it is cut out as alignment cuts out the others in the median, and gets their mean landmarks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.faces.align import framing, geometry
from norface.faces.bundle import canonical_face
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.faces.pose import fit_head

ENLARGED: Final = 192
"""Smaller side, in pixels, to which smaller pictures are enlarged."""

_MARGINS: Final = (1 / 6, 1 / 3, 0.0)
"""Around the picture at every side, in its smaller sides: the landmarker expects a face with
surroundings. The next is tried when one fails."""

_ZOOM: Final = (0.5, 2.6)
"""Plausible sides of a picture in sides of the frame; one far larger or smaller is no face."""

_YAW: Final = 60.0

_DEFAULT_PLACEMENT: Final = ((1.0, 0.0, 0.5), (0.0, 1.0, 0.34))
"""Of sets in which nothing is found: about the median of FER2013."""


class Enlarged(NamedTuple):
    """A picture of a face, enlarged and with a margin.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        to_unit: (2, 3) float64, from positions in `image` to positions in the picture, from its
            middle, in its smaller sides.
    """

    image: NDArray[np.uint8]
    to_unit: NDArray[np.float64]


def enlarge(
    image: NDArray[np.uint8], margin: float = _MARGINS[0], *, least: int = ENLARGED
) -> Enlarged:
    """Make a picture (H, W, 3) large enough, and repeat its border around it.

    Args:
        image: uint8 RGB.
        margin: at every side, as a share of its smaller side.
        least: smaller side, in pixels, to which smaller pictures are enlarged.
    """
    if min(image.shape[:2]) < least:
        zoom = least / min(image.shape[:2])
        image = np.asarray(
            cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), np.uint8
        )
    height, width = image.shape[:2]
    side = min(height, width)
    room = round(margin * side)
    middle = np.array([width, height]) / 2 + room
    to_unit = np.column_stack([np.eye(2), -middle]) / side
    large = cv2.copyMakeBorder(image, room, room, room, room, cv2.BORDER_REPLICATE)
    return Enlarged(np.asarray(large, np.uint8), to_unit)


def find_in_crop(
    finder: FaceFinder, image: NDArray[np.uint8]
) -> tuple[Enlarged, FaceLandmarks] | None:
    """The face that fills a picture, or None.

    Args:
        finder: of faces.
        image: (H, W, 3) uint8 RGB.

    Returns:
        The picture, enlarged, and the face in it; None where there is none, or one that is far
        smaller or larger than the picture, or seen from the side: such finds are wrong.
    """
    for margin in _MARGINS:
        large = enlarge(image, margin)
        face = finder.landmark_crop(large.image)
        if face is None:
            continue
        zoom = np.hypot(*placement(large, face)[0, :2])
        if _ZOOM[0] < zoom < _ZOOM[1] and abs(face.pose.yaw) < _YAW:
            return large, face
    return None


def placement(large: Enlarged, face: FaceLandmarks) -> NDArray[np.float64]:
    """Where alignment puts a picture: (2, 3), from positions in it to positions in the frame.

    Both are in sides, of the picture from its middle, of the frame from its corner, so that
    pictures of any size compare.
    """
    return _after(framing(fit_head(face.points), 1), _inverse(large.to_unit))


@dataclass(frozen=True, slots=True, eq=False)
class FixedCrop:
    """How a face is cut out whose landmarks are not found.

    Attributes:
        placement: (2, 3) float64, see `placement`.
        geometry: (478, 3) float32, see `norface.faces.align.geometry`.
        pose: (3,) yaw, pitch and roll in degrees.
    """

    placement: NDArray[np.float64]
    geometry: NDArray[np.float32]
    pose: NDArray[np.float64]

    @classmethod
    def of_found(cls, files: Sequence[Path]) -> FixedCrop:
        """The crop that the found faces of a cache have in the median.

        Args:
            files: of the cache; with the array ``placement``. Faces that were not found do not
                count. Where there is no other, the crop is about that of FER2013.
        """
        placements, poses, count = [np.empty((0, 2, 3))], [np.empty((0, 3))], 0
        total = np.zeros(canonical_face().shape)
        for place, shape, pose in _found_in(files):
            placements.append(place)
            poses.append(pose)
            total += shape.sum(axis=0, dtype=np.float64)
            count += len(shape)
        if not count:
            return cls(
                np.array(_DEFAULT_PLACEMENT), geometry(canonical_face()), np.zeros(3, np.float64)
            )
        return cls(
            np.median(np.concatenate(placements), axis=0),
            np.asarray(total / count, np.float32),
            np.median(np.concatenate(poses), axis=0),
        )

    def framing(self, large: Enlarged, size: int) -> NDArray[np.float64]:
        """(2, 3) from positions in a picture to positions in a crop of this size."""
        return _after(self.placement, large.to_unit) * size


def _found_in(files: Sequence[Path]) -> Iterator[tuple[NDArray[np.float64], ...]]:
    for path in files:
        with np.load(path, allow_pickle=False) as content:
            found = content["found"]
            yield tuple(
                content[name][found].astype(np.float64)
                for name in ("placement", "geometry", "pose")
            )


def _after(second: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3) of one affine map after another."""
    return np.column_stack(
        [second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]]
    )


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])
