"""The benchmark of the gaze knows where eyes look."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from norface.faces.bundle import canonical_face
from norface.faces.gaze import BALL_CENTRE, IRIS_DISTANCE, MILLIMETRES
from norface.faces.pose import rotation_from_pose
from norface.facs import FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.expressions.sampling import set_gaze
from norface.synthesis.people import random_person
from norface.synthesis.picture.scene import Picture, random_scene, render_face

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("gaze")


def into_the_camera(pose: Pose) -> np.ndarray:
    """Landmarks of a turned head that looks into the camera."""
    rotation = rotation_from_pose(pose)
    face = canonical_face()
    points = face @ rotation.T
    for iris, inner, outer, side in ((473, 362, 263, 1), (468, 133, 33, -1)):
        centre = (face[inner] + face[outer]) / 2 + np.array(BALL_CENTRE) * (
            side,
            1,
            1,
        ) / MILLIMETRES
        points[iris] = rotation @ centre - (0, 0, IRIS_DISTANCE / MILLIMETRES)
    return (10 * points).astype(np.float32)


def test_the_centre_of_the_ball_is_found_although_some_look_elsewhere(script: ModuleType) -> None:
    faces = [into_the_camera(Pose(tilt, turn, 5.0)) for tilt in (-9, 3) for turn in range(-20, 21)]
    for elsewhere in faces[::6]:
        elsewhere[[468, 473], 0] += 6.0
    assert script.ball_centre(faces) == pytest.approx(BALL_CENTRE, abs=0.2)


def test_the_truth_of_renders_has_the_signs_of_a_gaze(script: ModuleType) -> None:
    def picture(across: float, up: float) -> Picture:
        actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
        set_gaze(actions, across, up)
        scene = random_scene(np.random.default_rng(0), 64)
        return render_face(replace(random_person(3), covering=None), actions, scene)

    ahead, turned = Pose(0.0, 0.0, 0.0), Pose(0.0, 20.0, 0.0)
    seen, rotated = script.true_directions(picture(1.0, 0.0), ahead)
    assert seen.yaw > rotated.yaw > 10
    assert abs(rotated.pitch) < 3
    assert script.true_directions(picture(0.0, 1.0), ahead)[0].pitch > 6
    assert script.true_directions(picture(0.0, 0.0), turned)[1].yaw == pytest.approx(20, abs=0.1)
