"""Every face of a picture, large or small, with its landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.faces.detector import NATIVE_SIZE, SMALLEST_FACE, Detector, merged, overlaps
from norface.faces.landmark_network import LandmarkNetwork
from norface.faces.landmarker import Landmarker
from norface.faces.landmarks import FaceLandmarks
from norface.faces.tiles import TILE, levels, square_crop, tile_starts

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

_PRESENT: Final = 0.5
"""Sureness of the landmark network from which a face is still there; MediaPipe's own value."""

_LARGEST_GROWTH: Final = 1.6
"""Of a face from one frame to the next; what changes more is another face or none."""

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
        self,
        *,
        minimum_confidence: float = 0.5,
        minimum_face_width: float = 32.0,
        search_every: int = 10,
        threads: int | None = None,
    ) -> None:
        """Set what counts as a face.

        Args:
            minimum_confidence: of the detector, 0 to 1.
            minimum_face_width: in pixels; clearly smaller faces are left out. The smaller, the
                longer the search of large pictures; below about 16 pixels nothing more is found.
            search_every: `follow` searches one frame in this many for new faces, though none of
                those it follows was lost.
            threads: how many the search may use; None for every core.
        """
        if not 0.0 < minimum_confidence < 1.0:
            raise ValueError(f"minimum_confidence must lie between 0 and 1: {minimum_confidence}")
        if not 1.0 <= minimum_face_width < float("inf"):
            raise ValueError(f"minimum_face_width must be at least 1 pixel: {minimum_face_width}")
        if search_every < 1:
            raise ValueError(f"search_every must be at least 1 frame: {search_every}")
        self._search_every = search_every
        self._threads = threads
        self._frames_between = search_every
        self._frames_to_search = 0
        self._minimum_confidence = minimum_confidence
        self._minimum_width = minimum_face_width
        self._detector: Detector | None = None
        self._landmarker: Landmarker | None = None
        self._network: LandmarkNetwork | None = None

    def find(self, image: NDArray[np.uint8]) -> list[FaceLandmarks]:
        """All faces of ``image`` (H, W, 3) uint8 RGB, largest first."""
        faces = self._new_faces(image, ())
        return sorted(faces, key=lambda face: -face.box.width * face.box.height)

    def follow(
        self, image: NDArray[np.uint8], previous: Sequence[FaceLandmarks]
    ) -> list[FaceLandmarks]:
        """The faces of the next frame of a video, at a fraction of what `find` costs.

        Each face is looked for where it was, and only there. The whole frame is searched, as by
        `find`, when one of them is not there any more (and again after one, three, seven more
        frames), when there were none, and once in ``search_every`` frames.

        Args:
            image: (H, W, 3) uint8 RGB.
            previous: the faces of the frame before; empty at the start and after a cut.

        Returns:
            The faces that were followed in the order of ``previous``, then new ones, the largest
            first. Those that were followed have no blendshapes (NaN); their confidence is the
            landmark network's.
        """
        faces = self._followed(image, previous)
        self._frames_to_search -= 1
        if not previous:
            # A file's faces must not depend on the file before.
            self._frames_between, self._frames_to_search = self._search_every, 0
        elif len(faces) < len(previous):
            # It may be hidden for a moment only: look again soon, then ever less often.
            self._frames_between, self._frames_to_search = 1, 0
        if self._frames_to_search <= 0:
            self._frames_to_search = self._frames_between
            self._frames_between = min(2 * self._frames_between, self._search_every)
            new = self._new_faces(image, faces)
            faces += sorted(new, key=lambda face: -face.box.width * face.box.height)
        return faces

    def another(self) -> FaceFinder:
        """A finder with the same settings: `follow` needs one for each video."""
        return FaceFinder(
            minimum_confidence=self._minimum_confidence,
            minimum_face_width=self._minimum_width,
            search_every=self._search_every,
            threads=self._threads,
        )

    @property
    def pace(self) -> tuple[int, int]:
        """How `follow` will go on: frames between two searches, and frames until the next one."""
        return self._frames_between, self._frames_to_search

    def take_up(self, pace: tuple[int, int] | None = None) -> None:
        """Let `follow` go on as another finder with this `pace` would; None to start anew."""
        self._frames_between, self._frames_to_search = pace or (self._search_every, 0)

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
        self._detector = self._landmarker = self._network = None

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
            self._detector = Detector(threads=self._threads)
        return self._detector(image, confidence)

    def _landmarks(
        self, image: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        if self._landmarker is None:
            self._landmarker = Landmarker()
        return self._landmarker(image)

    def _new_faces(
        self, image: NDArray[np.uint8], known: Sequence[FaceLandmarks]
    ) -> list[FaceLandmarks]:
        """Search a picture for faces other than the ``known`` ones, the surest first."""
        confirmed = np.empty((0, 5))
        faces: list[FaceLandmarks] = []
        for candidate in self._candidates(image):
            if any(_shows(candidate, face) for face in known):
                continue
            box = self._confirmed(image, candidate)
            if box is None or (overlaps(box, confirmed) > 0.5).any():
                continue
            confirmed = np.vstack([confirmed, box])
            face = self._landmarks_in(image, box)
            if face is None or face.box.width < _WIDTH_TOLERANCE * self._minimum_width:
                continue
            if not any(_same(face, other) for other in (*known, *faces)):
                faces.append(face)
        return faces

    def _followed(
        self, image: NDArray[np.uint8], previous: Sequence[FaceLandmarks]
    ) -> list[FaceLandmarks]:
        """Those of the faces that are still where they were, in the same order."""
        if not previous:
            return []
        if self._network is None:
            self._network = LandmarkNetwork()
        faces: list[FaceLandmarks] = []
        points, presence = self._network.followed(image, [face.points for face in previous])
        for before, now, sure in zip(previous, points, presence, strict=True):
            if sure < _PRESENT or not _plausible(before, now):
                continue
            face = FaceLandmarks.from_points(
                now, np.full_like(before.blendshapes, np.nan), float(sure)
            )
            small = face.box.width < _WIDTH_TOLERANCE * self._minimum_width
            # Where one face hides another, both are found in the one that is seen.
            if not small and not any(_same(face, other) for other in faces):
                faces.append(face)
        return faces

    def _candidates(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Boxes (N, 5) of what may be faces, in pixels of ``image``, the surest first."""
        confidence = min(_CANDIDATE_CONFIDENCE, self._minimum_confidence)
        found = [np.empty((0, 5))]
        for level in levels(image, SMALLEST_FACE / self._minimum_width):
            scale = np.array([image.shape[1] / level.shape[1], image.shape[0] / level.shape[0]])
            for y in tile_starts(level.shape[0]):
                for x in tile_starts(level.shape[1]):
                    boxes = self._detect(level[y : y + TILE, x : x + TILE], confidence)
                    boxes[:, :2] += (x, y)
                    boxes[:, :4] *= np.tile(scale, 2)
                    found.append(boxes)
        return merged(np.concatenate(found), least_overlap=0.4)

    def _confirmed(
        self, image: NDArray[np.uint8], candidate: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """A candidate's box (5,) as seen in a crop around it, or None when it is no face there."""
        crop, low, zoom = square_crop(image, candidate, _MARGINS[0], NATIVE_SIZE)
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
            crop, low, zoom = square_crop(image, box, margin, _CROP)
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
        crop, low, zoom = square_crop(image, box, _MIRROR_MARGIN, _CROP)
        found = self._landmarks(crop[:, ::-1])
        if found is None:
            return False
        mirrored = found[0][:, :2]
        mirrored[:, 0] = _CROP - mirrored[:, 0]
        pairs = np.array(_MIDDLES)
        there = mirrored[pairs].mean(axis=1) * zoom + low
        distance = np.linalg.norm(points[pairs, :2].mean(axis=1) - there, axis=1).mean()
        return bool(distance < _MIRROR_TOLERANCE * np.ptp(points[:, 0]))


def _same(one: FaceLandmarks, other: FaceLandmarks) -> bool:
    """Whether two finds are one face: their landmarks lie together."""
    distance = np.abs(one.points[:, :2] - other.points[:, :2]).mean()
    return bool(distance < 0.25 * max(one.box.width, other.box.width))


def _shows(candidate: NDArray[np.float64], face: FaceLandmarks) -> bool:
    """Whether a candidate's box (5,) is that of a face that is known already."""
    middle = candidate[:2] + candidate[2:4] / 2
    box = face.box
    side = max(box.width, box.height)
    away = np.abs(middle - (box.x + box.width / 2, box.y + box.height / 2)).max()
    return bool(away < 0.35 * side and 0.4 < candidate[2:4].max() / side < 1.8)


def _plausible(before: FaceLandmarks, points: NDArray[np.float32]) -> bool:
    """Whether a face can have come to lie like this from one frame to the next."""
    width = float(np.ptp(points[:, 0]))
    height = float(np.ptp(points[:, 1]))
    grown = max(width, height) / max(before.box.width, before.box.height)
    return 1 / _LARGEST_GROWTH < grown < _LARGEST_GROWTH
