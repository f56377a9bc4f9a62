"""A face to fill rows with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from norface.faces.bundle import canonical_face
from norface.faces.gaze import estimate_gaze
from norface.faces.pose import fit_head, rotation_from_pose
from norface.facs import ACTION_UNITS, EMOTIONS
from norface.results import ActionUnit, Box, FaceAnalysis, Pose

PICTURE = np.zeros((8, 8, 3), np.uint8)
FRONTAL = Pose(0.0, 0.0, 0.0)


@pytest.fixture(scope="session")
def canonical() -> Callable[..., FaceAnalysis]:
    """MediaPipe's canonical face, turned, ten pixels a centimetre. A unit's intensity is its number
    over 20, and AU12 is present."""

    def make(pose: Pose = FRONTAL, centre: tuple[float, float] = (320.0, 240.0)) -> FaceAnalysis:
        points = 10 * canonical_face() @ rotation_from_pose(pose).T + (*centre, 0.0)
        landmarks = points.astype(np.float32)
        low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
        units = {
            unit.name: ActionUnit(int(unit.name[2:]) / 20, 0.25, unit.name == "AU12")
            for unit in ACTION_UNITS
        }
        return FaceAnalysis(
            face_id=0,
            confidence=0.9,
            box=Box(float(low[0]), float(low[1]), *map(float, high - low)),
            pose=fit_head(landmarks).pose,
            landmarks=landmarks,
            action_units=units,
            emotion="fear",
            emotions={emotion: i / 28 for i, emotion in enumerate(EMOTIONS)},
            normalized=PICTURE,
            aligned=PICTURE,
            gaze=estimate_gaze(landmarks),
        )

    return make
