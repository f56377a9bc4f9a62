"""The truth of a sample, and runs that are cut off and go on."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from norface.faces.find import FaceFinder
from norface.facs import ACTION_INDEX, ACTION_UNIT_NAMES, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis import generate as module
from norface.synthesis.body.head import head_model
from norface.synthesis.body.surface import PARTS
from norface.synthesis.common_face import render_target, studio, uncovered
from norface.synthesis.gaze import gaze_angles
from norface.synthesis.generate import generate
from norface.synthesis.landmarks import landmark_places, landmarks_478
from norface.synthesis.people import random_person
from norface.synthesis.picture.scene import render_face
from norface.synthesis.samples import render_sample
from norface.synthesis.truth import sample_landmarks, truth

NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)


def looking(**values: float) -> np.ndarray:
    head = head_model()
    actions = NEUTRAL.copy()
    for name, value in values.items():
        actions[ACTION_INDEX[name]] = value
    return gaze_angles(head, head.mean, head.express(head.mean, actions))


def test_gaze_is_measured_where_the_eyes_look() -> None:
    assert looking() == pytest.approx(np.zeros((2, 2)), abs=1e-3)
    left = looking(eyeLookOutLeft=1.0, eyeLookInRight=1.0)
    assert left[:, 0].min() > 10
    assert np.abs(left[:, 1]).max() < 1
    up, down = looking(eyeLookUpLeft=1.0)[0, 1], looking(eyeLookDownLeft=1.0)[0, 1]
    assert up > 7
    assert down < -7
    # Only the eye that moves.
    assert looking(eyeLookUpLeft=1.0)[1] == pytest.approx([0, 0], abs=1e-3)


def test_landmarks_lie_where_mediapipe_finds_them() -> None:
    vertices, weights = landmark_places()
    assert vertices.shape == weights.shape == (478, 3)
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
    head, errors = head_model(), []
    with FaceFinder() as finder:
        for seed in (8_000_101, 8_000_102, 8_000_103):
            person = uncovered(random_person(seed))
            picture = render_face(person, NEUTRAL, studio(256))
            face = finder.landmark_crop(picture.image)
            assert face is not None
            points = head.neutral(person.shape)
            known = landmarks_478(picture.vertices, points, Pose(0, 0, 0))
            eyes = np.linalg.norm(known[468, :2] - known[473, :2])
            errors.append(np.linalg.norm(known - face.points, axis=1)[:468].mean() / eyes)
            off = np.linalg.norm(known[:, :2] - face.points[:, :2], axis=1)
            assert off.mean() / eyes < 0.06
            # The nose's tip is nearer than the ears' side of the face.
            assert known[1, 2] < known[127, 2]
    assert np.mean(errors) < 0.25


def test_a_row_names_all_that_is_known() -> None:
    sample = render_sample(4, 1, 64)
    row = truth(sample)
    assert row["yaw"] == pytest.approx(sample.scene.pose.yaw, abs=1e-3)
    assert row["skin_tone"] == pytest.approx(sample.person.tone, abs=1e-3)
    assert row["glasses"] in (0, 1)
    assert row["light"] == sample.scene.lights.name
    assert 0 < row["nose_tip_x"] < 64
    assert len(row) == len(truth(render_sample(4, 2, 64)))
    marks = sample_landmarks(sample)
    assert marks.shape == (478, 3)
    tip = np.array((row["nose_tip_x"], row["nose_tip_y"]))
    assert np.linalg.norm(marks[1, :2] - tip) < 3


def test_generate_writes_pictures_and_truth(tmp_path: Path) -> None:
    table = generate(count=3, seed=4, size=64, out=tmp_path, workers=1)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["input"] for row in rows] == [f"face_{i:06d}.png" for i in range(3)]
    assert all((tmp_path / row["input"]).stat().st_size > 500 for row in rows)
    assert sorted(p.name for p in tmp_path.iterdir()) == [*(r["input"] for r in rows), "truth.csv"]
    sample = render_sample(4, 1, 64)
    assert float(rows[1]["AU12_left_r"]) == pytest.approx(
        float(sample.picture.intensity[ACTION_UNIT_NAMES.index("AU12"), 1]), abs=1e-3
    )
    with pytest.raises(FileExistsError, match="overwrite"):
        generate(count=1, seed=4, size=64, out=tmp_path)
    with pytest.raises(ValueError, match="size"):
        generate(count=1, seed=4, size=7, out=tmp_path / "other")


@pytest.mark.usefixtures("in_this_process")
def test_full_truth_shows_parts_and_the_common_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 1)
    generate(count=2, seed=4, size=64, out=tmp_path, truth_level="full")
    sample = render_sample(4, 1, 64)
    parts = np.asarray(Image.open(tmp_path / "face_000001_parts.png"))
    assert np.array_equal(parts, sample.picture.parts)
    assert parts.max() < len(PARTS)
    common = np.asarray(Image.open(tmp_path / "face_000001_common.png"))
    assert np.array_equal(common, render_target(0, sample.actions, 64))
    marks = np.load(tmp_path / "landmarks.npy")
    assert marks.shape == (2, 478, 3)
    assert np.array_equal(marks[1], sample_landmarks(sample))


@pytest.mark.usefixtures("in_this_process")
def test_a_run_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    whole = generate(count=5, seed=4, size=48, out=tmp_path / "whole").read_text()
    rendered: list[int] = []

    def cut_off(seed: int, index: int, size: int, **rest: float):
        if index == 3 and 3 not in rendered:
            rendered.append(index)
            raise KeyboardInterrupt
        rendered.append(index)
        return render_sample(seed, index, size, **rest)

    monkeypatch.setattr(module, "render_sample", cut_off)
    settings = {"count": 5, "seed": 4, "size": 48, "out": tmp_path / "cut"}
    with pytest.raises(KeyboardInterrupt):
        generate(**settings)
    assert not (tmp_path / "cut" / "truth.csv").exists()
    with pytest.raises(FileExistsError, match="unfinished"):
        generate(**{**settings, "seed": 5})
    assert generate(**settings).read_text() == whole
    assert rendered == [0, 1, 2, 3, 2, 3, 4]
