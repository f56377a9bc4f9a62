"""What faces do: actions on the mesh, action units, and random expressions."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from norface.facs import (
    ACTION_INDEX,
    ACTION_UNIT_NAMES,
    EMOTIONS,
    FACIAL_ACTIONS,
    SIDED_ACTION_UNIT_NAMES,
)
from norface.synthesis.body.head import head_model
from norface.synthesis.expressions.exclusive import EXCLUSIVE, clashes, possible
from norface.synthesis.expressions.prototypes import PROTOTYPES
from norface.synthesis.expressions.sampling import (
    COMBINED,
    emotional_expression,
    random_expression,
)
from norface.synthesis.expressions.units import FACS_CHAPTERS, action_unit_intensities, movement

NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)


def doing(**values: float) -> np.ndarray:
    actions = NEUTRAL.copy()
    for name, value in values.items():
        actions[ACTION_INDEX[name]] = value
    return actions


def unit(actions: np.ndarray, name: str, lip_gap: float = 0.0) -> np.ndarray:
    return action_unit_intensities(actions, lip_gap)[ACTION_UNIT_NAMES.index(name)]


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, int]]:
    random = np.random.default_rng(0)
    return [random_expression(random) for _ in range(3000)]


def test_facial_actions_move_their_own_side() -> None:
    head = head_model()
    for name in FACIAL_ACTIONS:
        moved = np.linalg.norm(head.actions[ACTION_INDEX[name]], axis=1)
        assert moved.max() > 0.01, name
        if name.endswith(("Left", "Right")) and name not in ("jawLeft", "jawRight"):
            centre = (moved * head.mean[:, 0]).sum() / moved.sum()
            if name not in ("mouthLeft", "mouthRight"):
                assert (centre > 0) == name.endswith("Left"), name


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
    # Lips closed over an open jaw: AU26 without AU25.
    closed = doing(jawOpen=0.6, mouthClose=0.6)
    gap = head.lip_gap(head.express(head.mean, closed))
    assert unit(closed, "AU25", gap)[0] < 0.5
    assert unit(closed, "AU26", gap)[0] == pytest.approx(3.0)


def test_every_unit_has_its_chapter_and_moves_the_face() -> None:
    assert sorted(u for units in FACS_CHAPTERS.values() for u in units) == sorted(ACTION_UNIT_NAMES)
    smile = movement(head_model(), ("mouthSmileLeft", "mouthSmileRight"))
    assert 8 < smile.peak < 25  # millimetres
    assert smile.mean < smile.peak


def test_the_document_of_units_holds_what_is_measured(root: Path) -> None:
    written = runpy.run_path(str(root / "tools" / "describe_units.py"))["text"]()
    assert (root / "docs" / "action-units.md").read_text() == written


def test_what_excludes_each_other_is_known_and_holds(drawn: list[tuple[np.ndarray, int]]) -> None:
    assert {name for pair in EXCLUSIVE for name in pair} <= set(COMBINED)
    assert clashes("mouthPucker", ["jawOpen", "mouthSmile"])
    assert not clashes("mouthSmile", ["jawOpen", "cheekSquint"])
    actions = np.stack([a for a, emotion in drawn if emotion != EMOTIONS.index("neutral")])

    def strength(name: str) -> np.ndarray:
        columns = [i for n, i in ACTION_INDEX.items() if n.startswith(name)]
        return actions[:, columns].max(axis=1)

    for pair in EXCLUSIVE:
        one, other = sorted(pair)
        # Lids that follow the gaze down (up to 0.35) are no closing.
        both = (strength(one) > 0.36) & (strength(other) > 0.36)
        assert not both.any(), pair


def test_possible_lips() -> None:
    assert possible(doing(mouthClose=0.9, jawOpen=0.2))[ACTION_INDEX["mouthClose"]] == (
        pytest.approx(0.2)
    )
    assert possible(doing(tongueOut=0.9))[ACTION_INDEX["tongueOut"]] == 0


def test_random_expressions_show_every_unit(drawn: list[tuple[np.ndarray, int]]) -> None:
    actions = np.stack([a for a, _ in drawn])
    assert actions.min() >= 0
    assert actions.max() <= 1
    units = np.stack([action_unit_intensities(a, 0.0)[:, 0] for a in actions])
    names = [n for n in ACTION_UNIT_NAMES if n != "AU25"]
    present = (units[:, [ACTION_UNIT_NAMES.index(n) for n in names]] >= 2).mean(axis=0)
    assert present.min() > 0.03, dict(zip(names, present, strict=True))
    assert {e for _, e in drawn} == {-1, *range(len(EMOTIONS))}


def test_some_expressions_are_stronger_on_one_side(drawn: list[tuple[np.ndarray, int]]) -> None:
    at = [ACTION_UNIT_NAMES.index(n) for n in SIDED_ACTION_UNIT_NAMES if n not in ("AU25", "AU43")]
    sides = np.concatenate([action_unit_intensities(a, 0.0)[at, 1:] for a, _ in drawn])
    shown = sides[sides.max(axis=1) > 1]
    uneven = (shown.min(axis=1) < 0.6 * shown.max(axis=1)).mean()
    assert 0.10 < uneven < 0.25


def test_prototypes_show_their_emotion() -> None:
    random = np.random.default_rng(1)
    assert tuple(PROTOTYPES) == EMOTIONS
    for emotion, core in (
        ("happiness", "mouthSmileLeft"), ("surprise", "browInnerUp"), ("anger", "browDownLeft"),
        ("disgust", "noseSneerRight"), ("sadness", "mouthFrownLeft"), ("fear", "eyeWideLeft"),
    ):  # fmt: skip
        shown = [emotional_expression(random, emotion) for _ in range(60)]
        assert {EMOTIONS[label] for _, label in shown} == {emotion}
        assert np.mean([a[ACTION_INDEX[core]] for a, _ in shown]) > 0.25, emotion
    contempt = np.stack([emotional_expression(random, "contempt")[0] for _ in range(60)])
    left, right = (contempt[:, ACTION_INDEX[f"mouthDimple{s}"]] for s in ("Left", "Right"))
    assert not ((left > 0) & (right > 0)).any()
    assert (left > 0).any()
    assert (right > 0).any()
