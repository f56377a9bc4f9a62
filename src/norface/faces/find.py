"""Every face of a picture, large or small, with its landmarks."""

from __future__ import annotations

from types import TracebackType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.faces.landmarks import FaceLandmarks
from norface.faces.tasks import Detector, Landmarker

_TILE: Final = 256
_OVERLAP: Final = 0.3
_SHRINK: Final = 0.6
_CROP: Final = 512


class FaceFinder:
    """Finds faces and their 478 landmarks.

    A picture is searched whole and in overlapping tiles, because the detector sees only faces that
    fill a fair part of what it is shown; each face found is then looked at alone by the landmarker,
    which rejects what is no face. Faces that lie on their side or upside down are not searched for.

    The networks are loaded on first use. Use as a context manager, or call `close`.
    """

    def __init__(
        self, *, minimum_confidence: float = 0.5, minimum_face_width: float = 32.0
    ) -> None:
        """Set what counts as a face.

        Args:
            minimum_confidence: of the detector, 0 to 1.
            minimum_face_width: of a face in pixels; smaller ones are left out.
        """
        if not 0.0 < minimum_confidence < 1.0:
            raise ValueError(f"minimum_confidence must lie between 0 and 1: {minimum_confidence}")
        if minimum_face_width < 1.0:
            raise ValueError(f"minimum_face_width must be at least 1 pixel: {minimum_face_width}")
        self._minimum_confidence = minimum_confidence
        self._minimum_face_width = minimum_face_width
        self._detector: Detector | None = None
        self._landmarker: Landmarker | None = None

    def find(self, image: NDArray[np.uint8]) -> list[FaceLandmarks]:
        """All faces of ``image`` (H, W, 3) uint8 RGB, largest first."""
        candidates = _merged(self._detections(image))
        faces: list[FaceLandmarks] = []
        for *box, confidence in candidates:
            found = self._look(image, np.array(box), float(confidence))
            if found is None or found.box.width < self._minimum_face_width:
                continue
            if not any(_same(found, other) for other in faces):
                faces.append(found)
        return sorted(faces, key=lambda face: -face.box.width * face.box.height)

    def landmark_crop(self, image: NDArray[np.uint8]) -> FaceLandmarks | None:
        """The one large face of ``image`` (H, W, 3) uint8 RGB, or None: quick, no search.

        The confidence is 1 where there is a face.
        """
        found = self._landmarks(image)
        return None if found is None else FaceLandmarks.from_points(*found, confidence=1.0)

    def close(self) -> None:
        """Free the networks; they are loaded again if the finder is used again."""
        for task in (self._detector, self._landmarker):
            if task is not None:
                task.close()
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

    def _landmarks(
        self, image: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        if self._landmarker is None:
            self._landmarker = Landmarker()
        return self._landmarker(image)

    def _detections(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        if self._detector is None:
            self._detector = Detector(minimum_confidence=self._minimum_confidence)
        found = [self._detector(image)]
        scale = 1.0
        while max(image.shape[:2]) > _TILE * 1.2:
            height, width = image.shape[:2]
            for y in _starts(height):
                for x in _starts(width):
                    boxes = self._detector(image[y : y + _TILE, x : x + _TILE])
                    boxes[:, :2] += (x, y)
                    boxes[:, :4] *= scale
                    found.append(boxes)
            image = cv2.resize(  # type: ignore[assignment]
                image, None, fx=_SHRINK, fy=_SHRINK, interpolation=cv2.INTER_AREA
            )
            scale /= _SHRINK
        return np.concatenate(found)

    def _look(
        self, image: NDArray[np.uint8], box: NDArray[np.float64], confidence: float
    ) -> FaceLandmarks | None:
        """Landmarks of the face in one detected box (left, top, width, height)."""
        centre = box[:2] + box[2:] / 2
        side = 2.0 * float(box[2:].max())
        low = np.floor(centre - side / 2).astype(int)
        high = np.ceil(centre + side / 2).astype(int)
        height, width = image.shape[:2]
        x0, y0 = np.clip(low, 0, (width - 1, height - 1))
        x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (width, height))
        crop = cv2.copyMakeBorder(
            image[y0:y1, x0:x1],
            y0 - low[1], high[1] - y1, x0 - low[0], high[0] - x1,
            cv2.BORDER_CONSTANT,
        )  # fmt: skip
        zoom = crop.shape[0] / _CROP
        crop = cv2.resize(
            crop, (_CROP, _CROP), interpolation=cv2.INTER_AREA if zoom > 1 else cv2.INTER_LINEAR
        )
        found = self._landmarks(np.asarray(crop, np.uint8))
        if found is None:
            return None
        points, blendshapes = found
        points *= zoom
        points[:, :2] += low
        return FaceLandmarks.from_points(points, blendshapes, confidence)


def _starts(length: int) -> list[int]:
    """Where tiles begin so that they cover a length with the wanted overlap."""
    if length <= _TILE:
        return [0]
    count = int(np.ceil((length - _TILE) / (_TILE * (1 - _OVERLAP)))) + 1
    return [round(start) for start in np.linspace(0, length - _TILE, count)]


def _merged(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-maximum suppression over (N, 5) boxes with their confidence, the surest first."""
    boxes = boxes[np.argsort(-boxes[:, 4])]
    kept: list[NDArray[np.float64]] = []
    for box in boxes:
        if all(_overlap(box, other) < 0.4 for other in kept):
            kept.append(box)
    return np.array(kept).reshape(-1, 5)


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Intersection over union of two (left, top, width, height, ...) boxes."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(one[:2] + one[2:4], other[:2] + other[2:4])
    common = float(np.prod(np.maximum(high - low, 0.0)))
    return common / float(np.prod(one[2:4]) + np.prod(other[2:4]) - common)


def _same(one: FaceLandmarks, other: FaceLandmarks) -> bool:
    """Whether two finds are one face: their landmarks lie together."""
    distance = np.abs(one.points[:, :2] - other.points[:, :2]).mean()
    return bool(distance < 0.25 * max(one.box.width, other.box.width))
