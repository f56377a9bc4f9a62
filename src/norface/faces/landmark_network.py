"""Landmarks where a face is known to be, without a search: what follows faces through a video.

It is the landmark network of MediaPipe's landmarker with the same weights, run over several faces
at once. The region it looks at is MediaPipe's too: around the landmarks of the frame before, turned
so that the eyes lie level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from norface.faces.align import warp
from norface.faces.bundle import LANDMARK_COUNT, landmarks_network

SIDE: Final = 256
"""Side in pixels of the pictures for which the network was made."""

_MARGIN: Final = 1.5
"""Side of the region in longer sides of the box around the landmarks."""

_OFF_MIDDLE: Final = 0.25
"""Movement of a face, in its own widths, from which it is looked at again."""

_EYES: Final = (33, 263)
_AT_ONCE: Final = 8


class LandmarkNetwork:
    """The 478 landmarks of faces whose place is nearly known."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        # Its layers are so small that threads cost more than they gain.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(
            landmarks_network(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(
        self, image: NDArray[np.uint8], expected: Sequence[NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Landmarks near where they are expected.

        Args:
            image: (H, W, 3) uint8 RGB.
            expected: for each of N faces (478, 3) landmarks, as a rule those of the frame before.

        Returns:
            (N, 478, 3) landmarks in pixels of ``image``, z in the same scale, and (N,) how sure it
            is, 0 to 1, that there is a face.
        """
        points = np.empty((len(expected), LANDMARK_COUNT, 3), np.float32)
        presence = np.empty(len(expected), np.float32)
        for start in range(0, len(expected), _AT_ONCE):
            matrices = [region(face) for face in expected[start : start + _AT_ONCE]]
            crops = np.stack([warp(image, matrix, SIDE) for matrix in matrices])
            marks, logits = self._session.run(["landmarks", "presence"], {"image": crops})
            for i, matrix in enumerate(matrices):
                points[start + i] = _placed(marks[i].reshape(LANDMARK_COUNT, 3), matrix)
            presence[start : start + len(crops)] = 1.0 / (1.0 + np.exp(-logits.reshape(-1)))
        return points, presence

    def followed(
        self, image: NDArray[np.uint8], previous: Sequence[NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As a call, with a second look at faces that have moved or grown much.

        What lies off the middle of the network's picture is placed less exactly.
        """
        points, presence = self(image, previous)
        moved = [i for i, face in enumerate(previous) if _moved(face, points[i]) > _OFF_MIDDLE]
        if moved:
            points[moved], presence[moved] = self(image, [points[i] for i in moved])
        return points, presence


def region(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(2, 3) similarity from the picture into the network's, for a face with these landmarks."""
    flat = points[:, :2].astype(np.float64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    zoom = SIDE / max(1.0, _MARGIN * (high - low).max())
    across = flat[_EYES[1]] - flat[_EYES[0]]
    angle = np.arctan2(across[1], across[0])
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([linear, SIDE / 2 - linear @ ((low + high) / 2)])


def _placed(marks: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Landmarks (478, 3) of the network's picture in the picture that ``matrix`` came from."""
    zoom = np.linalg.norm(matrix[:, 0])
    flat = (marks[:, :2] - matrix[:, 2]) @ matrix[:, :2] / zoom**2
    return np.column_stack([flat, marks[:, 2] / zoom])


def _moved(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """How far landmarks are from where they were, in widths of the face."""
    distance = np.linalg.norm(after[:, :2] - before[:, :2], axis=1).mean()
    return float(distance / max(1.0, np.ptp(before[:, 0])))
