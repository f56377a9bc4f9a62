"""The painted heads: truth, repeatability and what the face does."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from norface.faces.align import align
from norface.faces.find import FaceFinder
from norface.facs import ACTION_INDEX, ACTION_UNIT_NAMES, EMOTIONS, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.body.head import head_model
from norface.synthesis.body.skin import SKIN_TONES
from norface.synthesis.common_face import TARGET_COUNT, render_target
from norface.synthesis.expressions.sampling import (
    action_unit_intensities,
    emotional_expression,
    random_expression,
)
from norface.synthesis.generate import generate
from norface.synthesis.people import random_person
from norface.synthesis.picture.camera import Camera, rotation
from norface.synthesis.picture.lights import random_lights
from norface.synthesis.picture.scene import Scene, render_face
from norface.synthesis.samples import render_sample
from norface.synthesis.shards import write_training_shards

NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)


def doing(**values: float) -> np.ndarray:
    actions = NEUTRAL.copy()
    for name, value in values.items():
        actions[ACTION_INDEX[name]] = value
    return actions


def unit(actions: np.ndarray, name: str, lip_gap: float = 0.0) -> np.ndarray:
    return action_unit_intensities(actions, lip_gap)[ACTION_UNIT_NAMES.index(name)]


def test_facial_actions_move_their_own_side() -> None:
    head = head_model()
    for name in FACIAL_ACTIONS:
        moved = np.linalg.norm(head.actions[ACTION_INDEX[name]], axis=1)
        assert moved.max() > 0.01, name
        if name.endswith(("Left", "Right")) and name not in ("jawLeft", "jawRight"):
            centre = (moved * head.mean[:, 0]).sum() / moved.sum()
            if name not in ("mouthLeft", "mouthRight"):
                assert (centre > 0) == name.endswith("Left"), name


def test_gaze_actions_turn_the_eyes_where_they_say() -> None:
    head = head_model()
    eye = head.vertices_of("eye_left")
    front = eye[head.mean[eye, 2] > 0.1]
    look = {name: head.actions[ACTION_INDEX[name], front].mean(0) for name in FACIAL_ACTIONS}
    assert look["eyeLookOutLeft"][0] > 0 > look["eyeLookInLeft"][0]
    assert look["eyeLookUpLeft"][1] > 0 > look["eyeLookDownLeft"][1]


def test_attributes_shape_the_head() -> None:
    head = head_model()
    people = [random_person(i) for i in range(40)]
    heads = np.stack([head.neutral(p.shape) for p in people])
    assert np.isfinite(heads).all()
    spread = heads.std(axis=0)[head.vertices_of("skin")].mean()
    assert 0.01 < spread < 0.15  # decimetres
    shape = replace(people[0].shape, local=np.zeros_like(people[0].shape.local))
    brow = np.flatnonzero((np.abs(head.mean[:, 0]) < 0.2) & (np.abs(head.mean[:, 1] - 0.2) < 0.05))
    jut = {
        gender: head.neutral(replace(shape, gender=gender))[brow, 2].max() for gender in (0.0, 1.0)
    }
    # Men's brow ridges stand out farther from the eyes.
    assert jut[1.0] > jut[0.0] + 0.002


def test_action_unit_intensity_is_five_times_the_activation() -> None:
    assert unit(doing(mouthSmileLeft=0.8, mouthSmileRight=0.4), "AU12") == pytest.approx(
        [3.0, 4.0, 2.0]
    )
    assert unit(doing(browInnerUp=1.0), "AU01") == pytest.approx([5.0, 5.0, 5.0])
    assert unit(doing(eyeLookOutLeft=1.0, eyeLookInRight=1.0), "AU61") == pytest.approx([5.0] * 3)
    assert unit(NEUTRAL, "AU12") == pytest.approx([0.0] * 3)


def test_lips_part_is_measured_on_the_mesh() -> None:
    head = head_model()
    gaps = [head.lip_gap(head.express(head.mean, doing(jawOpen=w))) for w in (0, 0.3, 0.6, 1.0)]
    assert gaps == sorted(gaps)
    values = [unit(NEUTRAL, "AU25", gap)[0] for gap in gaps]
    assert values[0] < 0.5
    assert values[-1] == pytest.approx(5.0)
    closed = head.lip_gap(head.express(head.mean, doing(jawOpen=0.6, mouthClose=0.6)))
    assert closed < 0.4 * gaps[2]


def test_random_expressions_stay_possible() -> None:
    random = np.random.default_rng(0)
    drawn = [random_expression(random) for _ in range(1500)]
    actions = np.stack([a for a, _ in drawn])
    assert actions.min() >= 0
    assert actions.max() <= 1
    units = np.stack([action_unit_intensities(a, 0.0)[:, 0] for a in actions])
    names = [n for n in ACTION_UNIT_NAMES if n != "AU25"]
    present = (units[:, [ACTION_UNIT_NAMES.index(n) for n in names]] >= 2).mean(axis=0)
    assert present.min() > 0.015, dict(zip(names, present, strict=True))
    assert {e for _, e in drawn} == {-1, *range(len(EMOTIONS))}
    happy, label = emotional_expression(random, "happiness")
    assert EMOTIONS[label] == "happiness"
    assert happy[ACTION_INDEX["mouthSmileLeft"]] > 0.1


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


def test_skin_tones_run_from_light_to_dark() -> None:
    lightness = [sum(tone) for tone in SKIN_TONES]
    assert len(lightness) == 10
    assert lightness == sorted(lightness, reverse=True)


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


def test_generate_writes_pictures_and_truth(tmp_path: Path) -> None:
    table = generate(count=3, seed=4, size=64, out=tmp_path, workers=1)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["input"] for row in rows] == [f"face_{i:06d}.png" for i in range(3)]
    assert all((tmp_path / row["input"]).stat().st_size > 500 for row in rows)
    sample = render_sample(4, 1, 64)
    assert float(rows[1]["yaw"]) == pytest.approx(sample.scene.pose.yaw, abs=1e-3)
    assert float(rows[1]["AU12_left_r"]) == pytest.approx(
        float(sample.picture.intensity[ACTION_UNIT_NAMES.index("AU12"), 1]), abs=1e-3
    )
    assert 0 < float(rows[0]["nose_tip_x"]) < 64
    with pytest.raises(FileExistsError, match="overwrite"):
        generate(count=1, seed=4, size=64, out=tmp_path)
    with pytest.raises(ValueError, match="size"):
        generate(count=1, seed=4, size=7, out=tmp_path / "other")


def test_training_shards_hold_pairs(tmp_path: Path) -> None:
    write_training_shards(tmp_path, 4, 6, workers=1)
    with np.load(tmp_path / "shard_0000.npz") as shard:
        count = len(shard["original"])
        assert 3 <= count <= 4
        assert shard["original"].shape == (count, 160, 160, 3)
        assert shard["target"].shape == (count, 128, 128, 3)
        assert shard["geometry"].shape == (count, 478, 3)
    with np.load(tmp_path / "targets.npz") as targets:
        assert targets["image"].shape == (TARGET_COUNT, 256, 256, 3)
