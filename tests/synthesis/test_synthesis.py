"""The painted heads: truth, repeatability and what the face does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from norface.faces.align import align
from norface.faces.find import FaceFinder
from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis import shards
from norface.synthesis.body.head import head_model
from norface.synthesis.common_face import TARGET_COUNT, render_target, target_person
from norface.synthesis.people import random_person
from norface.synthesis.picture.camera import Camera, rotation
from norface.synthesis.picture.lights import random_lights
from norface.synthesis.picture.scene import Scene, render_face
from norface.synthesis.samples import render_sample
from norface.synthesis.shards import write_training_shards

NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)


def test_gaze_actions_turn_the_eyes_where_they_say() -> None:
    head = head_model()
    eye = head.vertices_of("eye_left")
    front = eye[head.mean[eye, 2] > 0.1]
    look = {name: head.actions[ACTION_INDEX[name], front].mean(0) for name in FACIAL_ACTIONS}
    assert look["eyeLookOutLeft"][0] > 0 > look["eyeLookInLeft"][0]
    assert look["eyeLookUpLeft"][1] > 0 > look["eyeLookDownLeft"][1]


def test_the_same_number_gives_the_same_sample() -> None:
    one, same, other = (render_sample(5, i, 96) for i in (3, 3, 4))
    assert np.array_equal(one.picture.image, same.picture.image)
    assert one.person.skin == same.person.skin
    assert not np.array_equal(one.picture.image, other.picture.image)


def test_rotation_has_the_stated_signs() -> None:
    forward = np.array((0.0, 0.0, 1.0))
    assert (rotation(Pose(0, 30, 0)) @ forward)[0] == pytest.approx(0.5, abs=1e-6)
    assert (rotation(Pose(30, 0, 0)) @ forward)[1] == pytest.approx(0.5, abs=1e-6)
    # Clockwise in the picture: the top of the head goes to the right.
    assert (rotation(Pose(0, 0, 30)) @ np.array((0.0, 1.0, 0.0)))[0] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("pose", [Pose(0, 20, 0), Pose(0, -20, 0), Pose(12, 0, 0), Pose(0, 0, 15)])
def test_the_finder_agrees_with_the_rendered_pose(pose: Pose) -> None:
    random = np.random.default_rng(1)
    background = np.full((256, 256, 3), 0.3, np.float32)
    scene = Scene(pose, random_lights(random), Camera(12, 0.55), 0.4, background)
    picture = render_face(random_person(11), NEUTRAL, scene)
    with FaceFinder() as finder:
        faces = finder.find(picture.image)
    assert len(faces) == 1
    found = faces[0].pose
    for name, tolerance in (("pitch", 12), ("yaw", 8), ("roll", 5)):
        assert getattr(found, name) == pytest.approx(getattr(pose, name), abs=tolerance), name


def test_targets_are_framed_as_aligned_crops_are() -> None:
    picture = render_target(0, NEUTRAL, 256)
    with FaceFinder() as finder:
        face = finder.landmark_crop(picture)
    assert face is not None
    again = align(picture, face.points, 256)
    # Aligning an aligned face changes next to nothing.
    assert again.matrix == pytest.approx(np.eye(2, 3), abs=6) or np.allclose(
        again.matrix[:, :2], np.eye(2), atol=0.05
    )
    assert TARGET_COUNT >= 4


def test_nothing_hides_a_target() -> None:
    people = [target_person(i) for i in range(TARGET_COUNT)]
    for worn in ("glasses", "covering", "occluder"):
        assert {getattr(person, worn) for person in people} == {None}
    # Young and old, light and dark.
    assert np.ptp([p.shape.age for p in people]) > 40
    assert np.ptp([p.tone for p in people]) > 7


@pytest.mark.usefixtures("in_this_process")
def test_training_shards_hold_pairs(tmp_path: Path) -> None:
    write_training_shards(tmp_path, 4, 6)
    with np.load(tmp_path / "shard_0000.npz") as shard:
        count = len(shard["original"])
        assert 3 <= count <= 4
        assert shard["original"].shape == (count, 160, 160, 3)
        assert shard["target"].shape == (count, 128, 128, 3)
        assert shard["geometry"].shape == (count, 478, 3)
    with np.load(tmp_path / "targets.npz") as targets:
        assert targets["image"].shape == (TARGET_COUNT, 256, 256, 3)


@pytest.mark.usefixtures("in_this_process")
def test_training_shards_have_the_crop_asked_for(tmp_path: Path) -> None:
    assert write_training_shards(tmp_path, 2, 6, crop=256) == 2
    with np.load(tmp_path / "shard_0000.npz") as shard:
        assert shard["original"].shape == (2, 320, 320, 3)
        assert shard["target"].shape == (2, 256, 256, 3)
        large = shard["original"]
    with pytest.raises(ValueError, match="another crop"):
        write_training_shards(tmp_path, 2, 6)
    small = tmp_path / "small"
    write_training_shards(small, 2, 6)
    with np.load(small / "shard_0000.npz") as shard:
        # The same people in the same frame.
        for a, b in zip(large, shard["original"], strict=True):
            a, b = (cv2.resize(face, (40, 40), interpolation=cv2.INTER_AREA) for face in (a, b))
            assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.9


@pytest.mark.usefixtures("in_this_process")
def test_pictures_without_a_face_are_no_fault_until_all_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blind:
        def landmark_crop(self, _: object) -> None:
            return None

    with monkeypatch.context() as patch:
        patch.setattr(shards, "_finder", Blind)
        with pytest.raises(ValueError, match="no face was found in any of the 1 pictures"):
            write_training_shards(tmp_path, 1, 6)
    monkeypatch.setattr(shards, "SHARD_SIZE", 1)
    assert write_training_shards(tmp_path, 2, 6) == 1
