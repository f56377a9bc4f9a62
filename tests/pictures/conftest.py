"""Faces as an analysis gives them, made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from norface.faces.bundle import canonical_face
from norface.facs import ACTION_UNIT_NAMES
from norface.results import ActionUnit, Box, FaceAnalysis, Pose

RED = np.full((256, 256, 3), (255, 0, 0), np.uint8)
GREEN = np.full((256, 256, 3), (0, 255, 0), np.uint8)


def _landmarks(box: Box) -> np.ndarray:
    """A face from the front that fills a box's width, in the middle of it."""
    points = np.zeros((478, 3), np.float32)
    canonical = canonical_face()
    # Canonical axes: y up, z towards the camera.
    scale = box.width / float(np.ptp(canonical[:, 0])) if box.width else 1.0
    points[: len(canonical)] = canonical * (scale, -scale, -scale)
    points[len(canonical) :] = points[1]
    middle = (points[:, :2].min(axis=0) + points[:, :2].max(axis=0)) / 2
    points[:, :2] += (box.x + box.width / 2, box.y + box.height / 2) - middle
    return points


def _face(
    number: int,
    box: Box,
    *,
    emotion: str | None = "happiness",
    normalized: np.ndarray = RED,
    units: bool = True,
    only: Mapping[str, ActionUnit] | None = None,
) -> FaceAnalysis:
    """One whose normalized face is red and whose aligned face is green."""
    read = {
        name: ActionUnit(intensity=i % 6, probability=0.5, present=i % 2 == 0)
        for i, name in enumerate(ACTION_UNIT_NAMES)
        if units
    }
    return FaceAnalysis(
        face_id=number,
        confidence=0.9,
        box=box,
        pose=Pose(0, 0, 0),
        landmarks=_landmarks(box),
        action_units=read if only is None else only,
        emotion=emotion,
        emotions={} if emotion is None else {emotion: 0.5},
        normalized=normalized,
        aligned=GREEN,
    )


@pytest.fixture(scope="session")
def make_face() -> Callable[..., FaceAnalysis]:
    return _face
