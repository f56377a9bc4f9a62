"""Eyes, lashes and mouths: where they are, what moves them, and what they cost."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.body.canvas import canvas
from norface.synthesis.body.eyes import Eyes, lid_lines, paint_eyes, shade_eyes
from norface.synthesis.body.head import head_model
from norface.synthesis.body.lashes import lash_surfaces, paint_lashes
from norface.synthesis.body.mouth import paint_mouth, tuck_tongue
from norface.synthesis.body.rims import ball_tile, inner_places, lid_rims
from norface.synthesis.body.surface import PARTS
from norface.synthesis.common_face import common_person
from norface.synthesis.people import Person, random_person
from norface.synthesis.picture.camera import Camera
from norface.synthesis.picture.lights import random_lights
from norface.synthesis.picture.scene import Picture, Scene, render_face

NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)


def doing(**values: float) -> np.ndarray:
    actions = NEUTRAL.copy()
    for name, value in values.items():
        for whole in (name, name + "Left", name + "Right"):
            if whole in ACTION_INDEX:
                actions[ACTION_INDEX[whole]] = value
    return actions


@cache
def dark_eyed() -> Person:
    eyes = Eyes(
        iris=(0.02, 0.01, 0.006), pupil=0.4, sclera=(0.7, 0.66, 0.6), size=0.35, lid_shade=0.9,
        wet=0.8, lashes=0.7, veins=0.3, seed=4,
    )  # fmt: skip
    return replace(common_person(), eyes=eyes)


def picture(person: Person, actions: np.ndarray, size: int = 192) -> Picture:
    background = np.full((size, size, 3), 0.3, np.float32)
    lights = random_lights(np.random.default_rng(1))
    scene = Scene(Pose(0, 0, 0), lights, Camera(distance=9, face_height=1.0), 0.36, background)
    return render_face(person, actions, scene)


def iris_middle(shot: Picture, side: int) -> float:
    """Mean column of the darkest third of an eye's pixels, side 1 for the person's left."""
    eyes = shot.parts == PARTS.index("eyes")
    half = shot.parts.shape[1] // 2
    eyes[:, : half if side == 1 else None] &= side != 1
    eyes[:, half:] &= side == 1
    rows, columns = np.nonzero(eyes)
    level = shot.image[rows, columns].mean(axis=1)
    return float(columns[level < np.quantile(level, 0.33)].mean())


def test_the_iris_follows_the_gaze_in_both_eyes() -> None:
    ahead = picture(dark_eyed(), NEUTRAL)
    left = picture(dark_eyed(), doing(eyeLookOutLeft=1, eyeLookInRight=1))
    right = picture(dark_eyed(), doing(eyeLookInLeft=1, eyeLookOutRight=1))
    for side in (1, -1):
        middle = iris_middle(ahead, side)
        # The person's left is the picture's right.
        assert iris_middle(left, side) > middle + 2
        assert iris_middle(right, side) < middle - 2


def test_closed_eyes_show_no_eyeball_and_wide_ones_more() -> None:
    area = {
        name: (picture(dark_eyed(), doing(**{name: 1.0})).parts == PARTS.index("eyes")).sum()
        for name in ("none", "eyeBlink", "eyeSquint", "eyeWide")
    }
    assert area["eyeBlink"] <= 0.03 * area["none"]
    assert area["eyeSquint"] < 0.8 * area["none"]
    assert area["eyeWide"] > 1.2 * area["none"]


def test_an_open_jaw_shows_more_of_the_mouth_and_both_rows_of_teeth() -> None:
    person = random_person(3)
    closed, ajar, wide = (
        (picture(person, doing(jawOpen=value)).parts == PARTS.index("mouth")).sum()
        for value in (0, 0.3, 0.9)
    )
    assert closed < ajar < wide


def test_lashes_follow_the_lids_on_their_own_side() -> None:
    head, sheet, eyes = head_model(), canvas(256), dark_eyed().eyes
    still = lash_surfaces(sheet, head.mean, eyes)[0].points
    wink = doing()
    wink[ACTION_INDEX["eyeBlinkLeft"]] = 1
    moved = lash_surfaces(sheet, head.express(head.mean, wink), eyes)[0].points
    left = still[:, 0] > 0
    assert (moved - still)[left, 1].min() < -0.1
    assert np.abs(moved - still)[~left].max() < 0.02
    # They stand out to the front of the lids that they grow from.
    assert still[:, 2].max() > head.mean[lid_rims(1, 3).upper, 2].max() + 0.02


def test_no_lashes_where_there_are_none() -> None:
    assert lash_surfaces(canvas(256), head_model().mean, replace(dark_eyed().eyes, lashes=0)) == []


def test_lid_lines_close_with_the_lids_and_mirror() -> None:
    head = head_model()
    for side in (1, -1):
        upper, lower = lid_lines(head.mean, side)
        shut_upper, shut_lower = lid_lines(head.express(head.mean, doing(eyeBlink=1)), side)
        assert np.interp(0, *upper.T) - np.interp(0, *lower.T) > 0.35
        assert np.interp(0, *shut_upper.T) - np.interp(0, *shut_lower.T) < 0.1
    left, right = lid_lines(head.mean, 1)[0], lid_lines(head.mean, -1)[0]
    np.testing.assert_allclose(left, right, atol=0.02)


def test_lid_rims_run_from_nose_to_temple_and_agree_between_the_sides() -> None:
    mean = head_model().mean
    for ring in (0, 2, 3):
        left, right = lid_rims(1, ring), lid_rims(-1, ring)
        for a, b in ((left.upper, right.upper), (left.lower, right.lower)):
            np.testing.assert_allclose(mean[a], mean[b] * (-1, 1, 1), atol=0.01)
            assert mean[a[0], 0] < mean[a[-1], 0]
        assert mean[left.upper, 1].max() > mean[left.lower, 1].max()


def test_the_lids_shade_the_eye_beside_them() -> None:
    sheet, head = canvas(256), head_model()
    eyes = replace(dark_eyed().eyes, wet=0.0)
    bare, shaded = (np.zeros((256, 512, 6), np.float32) for _ in range(2))
    for paint in (bare, shaded):
        paint_eyes(paint, sheet, eyes)
    shade_eyes(shaded, sheet, head.mean, eyes)
    tile = ball_tile(sheet, 1)
    share = shaded[tile][..., 0] / np.maximum(bare[tile][..., 0], 1e-6)
    # On the white beside the iris: under the upper lid, and half-way between the lids.
    column = int(32 + 0.45 * 30)
    assert share[32, column] < share[36, column] - 0.1
    assert share[36, column] > 0.6


@pytest.mark.parametrize("size", [256, 512])
def test_the_same_person_has_the_same_paint_and_another_another(size: int) -> None:
    sheet = canvas(size)
    paints = []
    for seed in (5, 5, 6):
        person = random_person(seed)
        paint = np.zeros((size, 2 * size, 6), np.float32)
        paint_eyes(paint, sheet, person.eyes)
        paint_lashes(paint, sheet, person.eyes)
        paint_mouth(paint, sheet, person.mouth, person.skin.lips)
        paints.append(paint)
    np.testing.assert_array_equal(paints[0], paints[1])
    for name in ("eyes", "teeth", "lash"):
        assert not np.array_equal(paints[0][sheet.tile(name)], paints[2][sheet.tile(name)])
    assert all(np.isfinite(p).all() and p.min() > -0.1 and p.max() <= 1.0 for p in paints)


def test_each_row_of_teeth_has_its_own_strip() -> None:
    sheet, head = canvas(256), head_model()
    rows, columns = sheet.tile("teeth")
    places = inner_places(256)[head.vertices_of("teeth")].reshape(2, -1, 4, 2)
    assert places[0, ..., 1].max() < places[1, ..., 1].min()
    assert places[..., 0].min() >= columns.start
    assert places[..., 0].max() <= columns.stop - 1
    assert places[..., 1].max() <= rows.stop - 1


def test_a_missing_tooth_is_dark() -> None:
    sheet, mouth = canvas(256), random_person(5).mouth
    paints = []
    for missing in (-1, 6):
        paint = np.zeros((256, 512, 6), np.float32)
        paint_mouth(paint, sheet, replace(mouth, missing=missing, gold=-1), (0.4, 0.2, 0.2))
        rows, columns = sheet.tile("teeth")
        paints.append(paint[rows.start + 10, columns, 0])
    lost = paints[1] < 0.3 * paints[0]
    assert 5 <= lost.sum() <= 20


def test_the_tongue_is_tucked_and_nothing_else_moves() -> None:
    head = head_model()
    tucked = tuck_tongue(head.mean, replace(random_person(5).mouth, tucked=1.0))
    moved = np.flatnonzero((tucked != head.mean).any(axis=1))
    assert set(moved) <= set(head.vertices_of("tongue"))
    tongue, teeth = tucked[head.vertices_of("tongue")], head.mean[head.vertices_of("teeth")]
    assert np.abs(tongue[:, 0]).max() < np.abs(teeth[:, 0]).max() - 0.02


def test_eyes_and_mouth_are_cheap() -> None:
    sheet, person, points = canvas(256), random_person(5), head_model().mean
    paint = np.zeros((256, 512, 6), np.float32)

    def all_of_it() -> None:
        paint_eyes(paint, sheet, person.eyes)
        shade_eyes(paint, sheet, points, person.eyes)
        paint_lashes(paint, sheet, person.eyes)
        paint_mouth(paint, sheet, person.mouth, person.skin.lips)
        lash_surfaces(sheet, points, person.eyes)

    all_of_it()
    times = []
    for _ in range(20):
        start = time.perf_counter()
        all_of_it()
        times.append(time.perf_counter() - start)
    # Far above what it takes, for slow machines.
    assert min(times) < 0.01
