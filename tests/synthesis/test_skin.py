"""The painted skin: folds that follow their actions, tones, repeatability."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.synthesis.body.canvas import canvas
from norface.synthesis.body.folds import ZONES
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.skin import Skin, paint_skin
from norface.synthesis.body.tones import SKIN_TONES, skin_colour
from norface.synthesis.body.wrinkles import crease_weights
from norface.synthesis.people import random_person

NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)
SIZE = 128
PLAIN = Skin(
    colour=(0.5, 0.34, 0.26), lips=(0.4, 0.2, 0.18), brows=(0.03, 0.02, 0.01), brow_amount=0.8,
    brow_thickness=0.035, brow_arch=0.05, brow_height=0.18, brow_length=0.43, blush=0.3,
    freckles=0.0, spots=0.1, gloss=0.03, shade=0.2, liner=0.5, beard=0.0, moustache=0.0,
    beard_colour=(0.1, 0.07, 0.05), wrinkles=0.0, creases=1.0, seed=3, relief=1.0,
)  # fmt: skip
BARE = replace(random_person(5).hair, scalp=0.0)
ACTIONS = {
    "outer forehead": "browOuterUp", "glabella": "browDown", "crow's feet": "cheekSquint",
    "under the eye": "eyeSquint", "cheek": "cheekSquint", "nasolabial": "mouthUpperUp",
    "smile": "mouthSmile", "nose bridge": "noseSneer", "dimple": "mouthDimple",
    "marionette": "mouthFrown", "stretch": "mouthStretch",
}  # fmt: skip


def acting(*names: str) -> NDArray[np.float32]:
    actions = NEUTRAL.copy()
    for name in names:
        actions[ACTION_INDEX[name]] = 1
    return actions


def painted(
    skin: Skin, actions: NDArray[np.float32] = NEUTRAL, hair: Hair = BARE
) -> NDArray[np.float32]:
    tile = np.empty((SIZE, SIZE, 6), np.float32)
    paint_skin(tile, canvas(SIZE), skin, hair, actions)
    return tile


def forehead() -> NDArray[np.bool_]:
    x, y, z = np.moveaxis(canvas(SIZE).place, -1, 0)
    return np.asarray((np.abs(x) < 0.4) & (y > 0.35) & (y < 0.7) & (z > -0.5))


@pytest.mark.parametrize("family", ACTIONS)
@pytest.mark.parametrize("side", ["Left", "Right"])
def test_an_action_deepens_its_folds_on_its_own_side(family: str, side: str) -> None:
    risen = crease_weights(PLAIN, acting(ACTIONS[family] + side)) - crease_weights(PLAIN, NEUTRAL)
    for zone, change in zip(ZONES, risen, strict=True):
        if zone.family == family:
            assert (change > 0.5) == (zone.side == side), zone
        elif zone.side not in ("", side):
            assert change == 0, zone


@pytest.mark.parametrize(
    ("family", "action"),
    [("inner forehead", "browInnerUp"), ("chin", "mouthShrugLower"), ("lip", "mouthPucker")],
)
def test_an_action_of_the_whole_face_folds_both_sides(family: str, action: str) -> None:
    weights = crease_weights(PLAIN, acting(action))
    assert all(w > 0.5 for z, w in zip(ZONES, weights, strict=True) if z.family == family)


def test_a_smile_is_shaped_on_its_own_half_alone() -> None:
    x = canvas(SIZE).place[..., 0]
    change = painted(PLAIN, acting("mouthSmileLeft")) - painted(PLAIN)
    assert np.abs(change[x > 0.05][:, 4]).max() > 0.004
    assert not change[x < -0.05].any()


def test_a_young_neutral_forehead_is_flat_and_raised_brows_fold_it() -> None:
    there = forehead()
    assert not painted(PLAIN)[there, 4].any()
    raised = painted(PLAIN, acting("browInnerUp"))[there]
    assert raised[:, 4].min() < -0.006
    flat = painted(PLAIN)[there]
    assert raised[:, 1].mean() < flat[:, 1].mean()


def test_without_relief_folds_are_shadows_alone() -> None:
    actions = acting("browInnerUp")
    shaped, shadow = painted(PLAIN, actions), painted(replace(PLAIN, relief=0.0), actions)
    assert not shadow[forehead(), 4].any()
    assert np.array_equal(shaped[..., :3], shadow[..., :3])


def test_age_folds_a_resting_face() -> None:
    assert painted(replace(PLAIN, wrinkles=1.0))[forehead(), 4].min() < -0.002


def test_folds_differ_between_people_only_with_variety() -> None:
    actions = acting("browInnerUp")
    there = forehead()

    def height(seed: int, variety: float) -> NDArray[np.float32]:
        return painted(replace(PLAIN, seed=seed, variety=variety), actions)[there, 4]

    assert np.array_equal(height(1, 0.0), height(2, 0.0))
    assert np.corrcoef(height(1, 1.0), height(2, 1.0))[0, 1] < 0.8


def test_the_same_skin_is_painted_the_same() -> None:
    person = random_person(8)
    first = painted(person.skin, acting("mouthSmileLeft"), person.hair)
    for seed in range(5):  # push it out of the cache
        painted(random_person(seed).skin)
    again = painted(replace(person.skin), acting("mouthSmileLeft"), person.hair)
    assert np.array_equal(first, again)
    assert np.isfinite(first).all()
    assert first[..., :3].min() >= 0


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"moles": 12}, "albedo"), ({"freckles": 1.0}, "albedo"), ({"pores": 1.0}, "height"),
        ({"beard": 0.9}, "albedo"), ({"goatee": 0.9}, "albedo"), ({"moustache": 0.9}, "albedo"),
        ({"lipstick": 0.9}, "albedo"), ({"eye_shadow": 0.9}, "albedo"), ({"rouge": 0.9}, "albedo"),
        ({"oil": 0.9}, "gloss"), ({"lip_grooves": 1.0}, "height"), ({"lid_crease": 1.0}, "height"),
        ({"monobrow": 1.0}, "albedo"), ({"scar": 1.0}, "albedo"), ({"ears": 1.0}, "albedo"),
    ],
)  # fmt: skip
def test_every_look_shows(change: dict[str, float], where: str) -> None:
    channels = {"albedo": slice(0, 3), "gloss": slice(3, 4), "height": slice(4, 5)}[where]
    plain, changed = painted(PLAIN), painted(replace(PLAIN, **change))
    assert np.abs(changed - plain)[..., channels].max() > 1e-4


def test_monk_tones_darken_and_stay_red() -> None:
    luminance = np.array(SKIN_TONES) @ (0.2126, 0.7152, 0.0722)
    assert len(luminance) == 10
    assert (np.diff(luminance) < 0).all()
    assert 0.4 < luminance[0] < 0.6
    assert 0.03 < luminance[-1] < 0.07
    for red, green, blue in SKIN_TONES:
        assert red > 1.2 * green > 1.2 * blue
    assert np.allclose(skin_colour(1.0), SKIN_TONES[0])
    assert np.allclose(skin_colour(10.0), SKIN_TONES[9])
    assert np.allclose(skin_colour(4.5), (np.array(SKIN_TONES[3]) + SKIN_TONES[4]) / 2)
