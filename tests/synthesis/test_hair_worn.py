"""Hair, and what is worn or held before the face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from norface.facs import FACIAL_ACTIONS
from norface.synthesis.body.canvas import canvas
from norface.synthesis.body.hair import HAIR_STYLES, styled_hair
from norface.synthesis.body.head import head_model
from norface.synthesis.body.surface import PARTS
from norface.synthesis.common_face import common_person, studio
from norface.synthesis.people import Person, random_person
from norface.synthesis.picture.scene import Picture, render_face
from norface.synthesis.worn.clothes import NECKLINES
from norface.synthesis.worn.coverings import COVERINGS, random_covering, some_covering
from norface.synthesis.worn.dressing import dressed_surfaces, paint_dressed
from norface.synthesis.worn.glasses import RIMS, random_glasses, some_glasses
from norface.synthesis.worn.occluders import OCCLUDERS, random_occluder

_SIZE = 96
_NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)


def _render(person: Person, actions: NDArray[np.float32] = _NEUTRAL) -> Picture:
    return render_face(person, actions, studio(_SIZE))


def _pixels(picture: Picture, *parts: str) -> int:
    return int(np.isin(picture.parts, [PARTS.index(part) for part in parts]).sum())


def _bare() -> Person:
    person = common_person()
    return replace(person, hair=replace(person.hair, style="bald", scalp=0.0))


def _worn_near(picture: Picture, region: str, *parts: str) -> float:
    """Share of the pixels around a region's vertices that show one of the parts."""
    place = picture.vertices[head_model().vertices_of(region)]
    column, row = np.clip(np.round(place).astype(int), 0, _SIZE - 1).T
    return float(np.isin(picture.parts[row, column], [PARTS.index(p) for p in parts]).mean())


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_style_shows(style: str) -> None:
    person = common_person()
    hair = styled_hair(np.random.default_rng(5), person.shape, style)
    shown = _pixels(_render(replace(person, hair=hair)), "hair")
    assert (shown == 0) if style in ("bald", "shaved") else (shown > 20)


def test_long_hair_shows_more_than_short() -> None:
    person, random = common_person(), np.random.default_rng(3)
    shown = {
        style: _pixels(
            _render(replace(person, hair=styled_hair(random, person.shape, style))), "hair"
        )
        for style in ("crop", "long", "afro")
    }
    assert shown["long"] > shown["crop"]
    assert shown["afro"] > shown["crop"]


def test_hair_leaves_the_face_free() -> None:
    covered = []
    for seed in range(60):
        person = replace(random_person(seed), covering=None, occluder=None, glasses=None)
        picture = _render(person)
        skin = picture.vertices[head_model().vertices_of("skin")]
        front = head_model().mean[head_model().vertices_of("skin")]
        face = skin[(front[:, 2] > -0.2) & (front[:, 1] < 0.6) & (front[:, 1] > -1.2)]
        left, top = face.min(0).astype(int)
        right, bottom = face.max(0).astype(int)
        box = picture.parts[top : bottom + 1, left : right + 1]
        covered.append(float((box == PARTS.index("hair")).mean()))
    assert np.mean(covered) < 0.2
    assert np.max(covered) < 0.45


@pytest.mark.parametrize("rim", RIMS)
def test_glasses_keep_the_eyes_visible(rim: str) -> None:
    worn = replace(some_glasses(np.random.default_rng(4)), rim=rim, shine=0.5)
    picture = _render(replace(_bare(), glasses=worn))
    assert _pixels(picture, "glasses") > 10
    assert _pixels(picture, "eyes") > 0.5 * _pixels(_render(_bare()), "eyes")


def test_sunglasses_hide_the_eyes() -> None:
    for seed in range(4):
        occluder = random_occluder(np.random.default_rng(seed), "sunglasses")
        picture = _render(replace(_bare(), occluder=occluder))
        assert _pixels(picture, "eyes") == 0


@pytest.mark.parametrize("action", [None, "jawOpen", "mouthPucker"])
def test_mask_covers_the_mouth(action: str | None) -> None:
    actions = _NEUTRAL.copy()
    if action is not None:
        actions[FACIAL_ACTIONS.index(action)] = 1
    occluder = random_occluder(np.random.default_rng(1), "mask")
    picture = _render(replace(_bare(), occluder=occluder), actions)
    assert _pixels(picture, "lips", "mouth") == 0
    assert _worn_near(picture, "mouth", "mask") > 0.97
    assert _pixels(picture, "eyes") == _pixels(_render(_bare(), actions), "eyes")


@pytest.mark.parametrize(
    ("kind", "region"), [("hand_mouth", "mouth"), ("hand_eye", "eye"), ("hand_cheek", None)]
)
def test_hand_hides_its_place(kind: str, region: str | None) -> None:
    for seed in range(4):
        occluder = random_occluder(np.random.default_rng(seed), kind)
        picture = _render(replace(_bare(), occluder=occluder))
        assert _pixels(picture, "hand") > 50
        if region == "eye":
            region_seen = "eye_left" if occluder.side > 0 else "eye_right"
            assert _worn_near(picture, region_seen, "hand") > 0.5
        elif region is not None:
            assert _worn_near(picture, region, "hand") > 0.4


def test_lock_hides_one_eye() -> None:
    person = common_person()
    occluder = replace(random_occluder(np.random.default_rng(2), "hair_over_eye"), side=1.0)
    picture = _render(replace(person, occluder=occluder))
    assert _worn_near(picture, "eye_left", "hair") > 0.6
    assert _worn_near(picture, "eye_right", "hair") < 0.1


@pytest.mark.parametrize("kind", COVERINGS)
def test_covering_hides_hair(kind: str) -> None:
    random = np.random.default_rng(6)
    person = common_person()
    person = replace(person, hair=styled_hair(random, person.shape, "afro"))
    free = _pixels(_render(person), "hair")
    picture = _render(replace(person, covering=some_covering(random, kind)))
    assert _pixels(picture, "covering") > 50
    assert _pixels(picture, "hair") < (0 if kind in ("hijab", "turban") else 0.95 * free) + 1
    assert _pixels(picture, "eyes") > 0


@pytest.mark.parametrize("neckline", NECKLINES)
def test_neckline_shows(neckline: str) -> None:
    person = common_person()
    worn = replace(person.clothes, neckline=neckline)
    assert _pixels(_render(replace(person, clothes=worn)), "cloth") > 100


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_same_seed_same_surfaces_and_paint(kind: str) -> None:
    head, sheet = head_model(), canvas(128)
    made = []
    for _ in range(2):
        random = np.random.default_rng(9)
        person = replace(
            random_person(8),
            glasses=some_glasses(random),
            covering=some_covering(random, "beanie"),
            occluder=random_occluder(random, kind),
        )
        paint = np.zeros((128, 256, 6), np.float32)
        paint_dressed(paint, sheet, person)
        made.append((dressed_surfaces(head, sheet, head.neutral(person.shape), person), paint))
    (first, paint), (second, again) = made
    assert np.array_equal(paint, again)
    assert all(np.array_equal(a.points, b.points) for a, b in zip(first, second, strict=True))
    assert all(np.isfinite(a.points).all() for a in first)


def test_paint_stays_between_black_and_white() -> None:
    sheet = canvas(128)
    for seed in range(20):
        paint = np.zeros((128, 256, 6), np.float32)
        paint_dressed(paint, sheet, random_person(seed))
        assert paint[..., :4].min() >= 0
        assert paint[..., :3].max() < 1.8
        assert 0 <= paint[..., 5].min() <= paint[..., 5].max() <= 1


def test_how_many_wear_what() -> None:
    random = np.random.default_rng(0)
    glasses = [random_glasses(random) for _ in range(2000)]
    assert np.mean([g is not None for g in glasses]) == pytest.approx(0.21, abs=0.03)
    assert 0 < np.mean([g is not None and g.tint is not None for g in glasses]) < 0.02
    covered = [random_covering(random, float(i % 2)) is not None for i in range(2000)]
    assert np.mean(covered) == pytest.approx(0.12, abs=0.03)


def test_unknown_occluder() -> None:
    with pytest.raises(ValueError, match="unknown occluder"):
        random_occluder(np.random.default_rng(0), "hat")


def test_occluder_takes_its_place() -> None:
    random = np.random.default_rng(3)
    bald = replace(_bare(), occluder=random_occluder(random, "hair_over_eye"))
    assert _pixels(_render(bald), "hair") > 100
    clear = some_glasses(random)
    dark = replace(_bare(), occluder=random_occluder(random, "sunglasses"))
    both = replace(dark, glasses=clear)
    assert np.array_equal(_render(dark).image, _render(both).image)
