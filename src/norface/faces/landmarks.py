"""One found face: its place, its landmarks, its blendshapes, its pose and its gaze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.faces.gaze import estimate_gaze
from norface.faces.pose import fit_head
from norface.facs import FACIAL_ACTIONS
from norface.results import Box, Gaze, Pose

UNKNOWN_ACTIONS: Final = tuple(name for name in FACIAL_ACTIONS if name == "tongueOut")
"""Facial actions that MediaPipe does not estimate; they are NaN."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceLandmarks:
    """A face as the finder sees it.

    Attributes:
        box: the smallest upright box around the landmarks; it may reach outside the picture.
        confidence: of the face detector, 0 to 1.
        points: (478, 3) float32; x and y in pixels of the whole picture, where (0, 0) is the
            outer corner of the first pixel; z in the same scale, smaller is nearer.
        blendshapes: (52,) float32, 0 to 1, in the order of `facs.FACIAL_ACTIONS`; NaN where
            MediaPipe gives none (tongueOut).
        pose: rotation of the head.
        gaze: where the eyes look; None when both are shut.
    """

    box: Box
    confidence: float
    points: NDArray[np.float32]
    blendshapes: NDArray[np.float32]
    pose: Pose
    gaze: Gaze | None

    @classmethod
    def from_points(
        cls, points: NDArray[np.float32], blendshapes: NDArray[np.float32], confidence: float
    ) -> FaceLandmarks:
        """Complete a face by what follows from its landmarks: box, pose and gaze."""
        head = fit_head(points)
        x, y = (float(low) for low in points[:, :2].min(axis=0))
        right, bottom = (float(high) for high in points[:, :2].max(axis=0))
        return cls(
            box=Box(x=x, y=y, width=right - x, height=bottom - y),
            confidence=confidence,
            points=points,
            blendshapes=blendshapes,
            pose=head.pose,
            gaze=estimate_gaze(points, head),
        )
