"""Every face of a picture, large or small, with its landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.faces.detector import NATIVE_SIZE, SMALLEST_FACE, Detector, merged, overlaps
from norface.faces.landmarker import Landmarker
from norface.faces.landmarks import FaceLandmarks

_COARSEST: Final = 96
"""Longest side of the smallest copy that is searched: a face may fill the whole picture."""

_LEVEL_STEP: Final = 3.0
_TILE: Final = 512
"""Larger tiles need more memory and are slower, as they do not fit the processor's cache."""

_TILE_OVERLAP: Final = 80
"""Pixels; a face up to this size lies whole in some tile, and larger ones are found at the next
coarser level."""

_CANDIDATE_CONFIDENCE: Final = 0.3
"""Small faces get a low confidence at first; the second look decides."""

_WIDTH_TOLERANCE: Final = 0.92
"""The width of a small face is known to a few pixels only; one of just the minimum must count."""

_MARGINS: Final = (2.0, 1.5, 3.0)
"""Side of the landmarker's crop in widths of the detected box; the next is tried when one fails."""

_CROP: Final = 512

_SURE: Final = 0.8
"""Confidence from which a face is believed at once. Of 863 faces on portraits, large and shrunk to
34 pixels, three were below; of 207 false finds none was above."""

_MIRROR_MARGIN: Final = 1.6
_MIRROR_TOLERANCE: Final = 0.08
"""In widths of the face. On faces, the landmarks of the mirrored picture lie within 0.04; on what
is none, MediaPipe mostly finds nothing there, or something else."""

_MIDDLES: Final = ((33, 263), (61, 291), (1, 1), (152, 152), (10, 10))
"""Pairs of landmarks that change sides in a mirror: eyes, mouth, nose, chin, forehead."""


class FaceFinder:
    """Finds faces and their 478 landmarks.

    The picture is searched at several sizes, the larger ones in overlapping tiles, because the
    detector finds only faces of a certain size; each face found is then looked at alone, by the
    detector again and by the landmarker, which reject what is no face. Faces that lie on their
    side or upside down are not searched for.

    The networks are loaded on first use. Use as a context manager, or call `close`. Not for
    several threads at once.
    """

    def __init__(
        self, *, minimum_confidence: float = 0.5, minimum_face_width: float = 32.0
    ) -> None:
        """Set what counts as a face.

        Args:
            minimum_confidence: of the detector, 0 to 1.
            minimum_face_width: in pixels; clearly smaller faces are left out. The smaller, the
                longer the search of large pictures; below about 16 pixels nothing more is found.
        """
        if not 0.0 < minimum_confidence < 1.0:
            raise ValueError(f"minimum_confidence must lie between 0 and 1: {minimum_confidence}")
        if not 1.0 <= minimum_face_width < float("inf"):
            raise ValueError(f"minimum_face_width must be at least 1 pixel: {minimum_face_width}")
        self._minimum_confidence = minimum_confidence
        self._minimum_width = minimum_face_width
        self._detector: Detector | None = None
        self._landmarker: Landmarker | None = None

    def find(self, image: NDArray[np.uint8]) -> list[FaceLandmarks]:
        """All faces of ``image`` (H, W, 3) uint8 RGB, largest first."""
        confirmed = np.empty((0, 5))
        faces: list[FaceLandmarks] = []
        for candidate in self._candidates(image):
            box = self._confirmed(image, candidate)
            if box is None or (overlaps(box, confirmed) > 0.5).any():
                continue
            confirmed = np.vstack([confirmed, box])
            face = self._landmarks_in(image, box)
            if face is None or face.box.width < _WIDTH_TOLERANCE * self._minimum_width:
                continue
            if not any(_same(face, other) for other in faces):
                faces.append(face)
        return sorted(faces, key=lambda face: -face.box.width * face.box.height)

    def landmark_crop(self, image: NDArray[np.uint8]) -> FaceLandmarks | None:
        """The one large face of ``image`` (H, W, 3) uint8 RGB, or None: quick, no search.

        The confidence is 1 where there is a face.
        """
        found = self._landmarks(image)
        return None if found is None else FaceLandmarks.from_points(*found, confidence=1.0)

    def close(self) -> None:
        """Free the networks; they are loaded again if the finder is used again."""
        if self._landmarker is not None:
            self._landmarker.close()
        self._detector = self._landmarker = None

    def __enter__(self) -> FaceFinder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _detect(self, image: NDArray[np.uint8], confidence: float) -> NDArray[np.float64]:
        if self._detector is None:
            self._detector = Detector()
        return self._detector(image, confidence)

    def _landmarks(
        self, image: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        if self._landmarker is None:
            self._landmarker = Landmarker()
        return self._landmarker(image)

    def _candidates(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Boxes (N, 5) of what may be faces, in pixels of ``image``, the surest first."""
        confidence = min(_CANDIDATE_CONFIDENCE, self._minimum_confidence)
        found = [np.empty((0, 5))]
        for level in _levels(image, SMALLEST_FACE / self._minimum_width):
            scale = np.array([image.shape[1] / level.shape[1], image.shape[0] / level.shape[0]])
            for y in _starts(level.shape[0]):
                for x in _starts(level.shape[1]):
                    boxes = self._detect(level[y : y + _TILE, x : x + _TILE], confidence)
                    boxes[:, :2] += (x, y)
                    boxes[:, :4] *= np.tile(scale, 2)
                    found.append(boxes)
        return merged(np.concatenate(found), least_overlap=0.4)

    def _confirmed(
        self, image: NDArray[np.uint8], candidate: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """A candidate's box (5,) as seen in a crop around it, or None when it is no face there."""
        crop, low, zoom = _crop(image, candidate, _MARGINS[0], NATIVE_SIZE)
        boxes = self._detect(crop, self._minimum_confidence)
        boxes[:, :4] *= zoom
        boxes[:, :2] += low
        middle = candidate[:2] + candidate[2:4] / 2
        distance = np.abs(boxes[:, :2] + boxes[:, 2:4] / 2 - middle).max(axis=1, initial=0.0)
        near = boxes[distance < 0.5 * candidate[2:4].max()]
        return near[0] if len(near) else None

    def _landmarks_in(
        self, image: NDArray[np.uint8], box: NDArray[np.float64]
    ) -> FaceLandmarks | None:
        """Landmarks of the face in a confirmed box (5,)."""
        for margin in _MARGINS:
            crop, low, zoom = _crop(image, box, margin, _CROP)
            found = self._landmarks(crop)
            if found is not None:
                points, blendshapes = found
                points *= zoom
                points[:, :2] += low
                if box[4] < _SURE and not self._mirrors(image, box, points):
                    return None
                return FaceLandmarks.from_points(points, blendshapes, float(box[4]))
        return None

    def _mirrors(
        self, image: NDArray[np.uint8], box: NDArray[np.float64], points: NDArray[np.float32]
    ) -> bool:
        """Whether the mirrored picture shows the same face, which it does if it is one."""
        crop, low, zoom = _crop(image, box, _MIRROR_MARGIN, _CROP)
        found = self._landmarks(crop[:, ::-1])
        if found is None:
            return False
        mirrored = found[0][:, :2]
        mirrored[:, 0] = _CROP - mirrored[:, 0]
        pairs = np.array(_MIDDLES)
        there = mirrored[pairs].mean(axis=1) * zoom + low
        distance = np.linalg.norm(points[pairs, :2].mean(axis=1) - there, axis=1).mean()
        return bool(distance < _MIRROR_TOLERANCE * np.ptp(points[:, 0]))


def _levels(image: NDArray[np.uint8], finest: float) -> Iterator[NDArray[np.uint8]]:
    """Smaller copies of a picture, from the scale ``finest`` down to one of `_COARSEST` pixels."""
    height, width = image.shape[:2]
    last = _COARSEST / max(height, width)
    scale = min(finest, 1.0)
    level = image
    # Two levels that are nearly the same size would find the same.
    while scale > 1.2 * last:
        level = _resized(level, round(width * scale), round(height * scale))
        yield level
        scale /= _LEVEL_STEP
    yield _resized(level, round(width * last), round(height * last))


def _resized(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    size = max(1, width), max(1, height)
    # Without averaging, stripes and other fine patterns turn into what looks like faces.
    how = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _starts(length: int) -> list[int]:
    """Where tiles begin so that they cover a length and overlap enough."""
    if length <= _TILE * 1.3:
        return [0]
    count = int(np.ceil((length - _TILE) / (_TILE - _TILE_OVERLAP))) + 1
    return [round(start) for start in np.linspace(0, length - _TILE, count)]


def _crop(
    image: NDArray[np.uint8], box: NDArray[np.float64], margin: float, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int_], float]:
    """A square around a box, black outside the picture.

    Args:
        image: (H, W, 3) uint8.
        box: left, top, width, height, ...
        margin: side of the square in sides of the box.
        size: side of the result in pixels.

    Returns:
        (size, size, 3) uint8, the square's left and top in the picture, and the picture's pixels
        for one pixel of the result.
    """
    middle = box[:2] + box[2:4] / 2
    side = max(8, int(np.ceil(margin * box[2:4].max())))
    low = np.round(middle - side / 2).astype(int)
    high = low + side
    height, width = image.shape[:2]
    x0, y0 = np.clip(low, 0, (width, height))
    x1, y1 = np.clip(high, 0, (width, height))
    square = np.zeros((side, side, 3), np.uint8)
    square[y0 - low[1] : y1 - low[1], x0 - low[0] : x1 - low[0]] = image[y0:y1, x0:x1]
    return _resized(square, size, size), low, side / size


def _same(one: FaceLandmarks, other: FaceLandmarks) -> bool:
    """Whether two finds are one face: their landmarks lie together."""
    distance = np.abs(one.points[:, :2] - other.points[:, :2]).mean()
    return bool(distance < 0.25 * max(one.box.width, other.box.width))
