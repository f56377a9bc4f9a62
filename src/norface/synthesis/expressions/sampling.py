"""Random facial actions: single ones, combinations that a face can do, and emotions."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX, EMOTIONS, FACIAL_ACTIONS
from norface.synthesis.expressions.exclusive import clashes, possible
from norface.synthesis.expressions.prototypes import PROTOTYPES

Array = NDArray[np.float32]

COMBINED: Final[dict[str, float]] = {
    "browInnerUp": 0.22, "browOuterUp": 0.18, "browDown": 0.20, "eyeWide": 0.14,
    "cheekSquint": 0.18, "eyeSquint": 0.20, "noseSneer": 0.15, "mouthUpperUp": 0.20,
    "mouthSmile": 0.24, "mouthDimple": 0.22, "mouthFrown": 0.18, "mouthLowerDown": 0.22,
    "mouthShrugLower": 0.22, "mouthPucker": 0.24, "mouthStretch": 0.20, "mouthFunnel": 0.20,
    "mouthPress": 0.18, "jawOpen": 0.26, "mouthRoll": 0.24,
    "eyeBlink": 0.16, "cheekPuff": 0.06, "mouthShrugUpper": 0.08, "mouthClose": 0.05,
    "jawForward": 0.05, "jawLeft": 0.04, "jawRight": 0.04, "mouthLeft": 0.05, "mouthRight": 0.05,
    "tongueOut": 0.02,
}  # fmt: skip
"""Actions that a face can do by itself, and the chance that a random combination has each."""

# Units that are read worst by their looks alone are shown alone more often.
_HARD = frozenset(
    ("eyeSquint", "mouthDimple", "mouthLowerDown", "mouthShrugLower", "mouthPucker", "mouthRoll")
)
# These belong to no unit and only have to be told from those that do.
_UNSCORED = frozenset(
    ("cheekPuff", "mouthShrugUpper", "mouthClose", "jawForward", "jawLeft", "jawRight",
     "mouthLeft", "mouthRight", "tongueOut")
)  # fmt: skip
SINGLE: Final[dict[str, float]] = {
    name: 2.0 if name in _HARD else 0.5 if name in _UNSCORED else 1.0 for name in COMBINED
}
"""How often each action is shown alone or in a pair, as weights."""


def set_action(
    actions: Array, name: str, value: float, left: float = 1.0, right: float = 1.0
) -> None:
    """Set an action named without sides in (52,) ``actions``, times a share on each side.

    ``mouthRoll`` stands for both lips; unevenness then leaves the upper lip behind.
    """
    if name == "mouthRoll":
        actions[ACTION_INDEX["mouthRollLower"]] = value
        actions[ACTION_INDEX["mouthRollUpper"]] = value * left
    elif name in ACTION_INDEX:
        actions[ACTION_INDEX[name]] = value
    else:
        actions[ACTION_INDEX[name + "Left"]] = value * left
        actions[ACTION_INDEX[name + "Right"]] = value * right


def random_expression(random: np.random.Generator) -> tuple[Array, int]:
    """One expression: (52,) facial actions 0 to 1, and its emotion's index or -1.

    A tenth are neutral, three tenths are prototypes of emotions, a fifth show one action alone at
    one of five levels, a tenth two actions, the others are random combinations that a face can do.
    """
    kind = random.random()
    if kind < 0.10:
        return _neutral(random), EMOTIONS.index("neutral")
    if kind < 0.40:
        return emotional_expression(random, str(random.choice(EMOTIONS[1:])))
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    _gaze(random, actions, 0.45)
    if kind < 0.60:
        name = _weighted(random)
        if name == "mouthClose":
            # Closed lips over an opened jaw: nothing to see without the jaw.
            set_action(actions, "jawOpen", float(random.uniform(0.3, 1.0)))
        set_action(actions, name, float(random.integers(1, 6)) / 5, *_sides(random))
    elif kind < 0.70:
        first = second = _weighted(random)
        while second == first or clashes(second, [first]):
            second = _weighted(random)
        for name in (first, second):
            set_action(actions, name, float(random.uniform(0.3, 1.0)), *_sides(random))
    else:
        chosen: list[str] = []
        for name in random.permutation(list(COMBINED)):
            if not clashes(name, chosen) and random.random() < COMBINED[name]:
                chosen.append(name)
                set_action(actions, name, float(random.uniform(0.1, 1.0)), *_sides(random))
    return possible(actions), -1


def emotional_expression(random: np.random.Generator, emotion: str) -> tuple[Array, int]:
    """A showing of an emotion: its prototype at a random strength, with parts missing and added.

    Args:
        random: where chance comes from.
        emotion: one of ``facs.EMOTIONS``.

    Returns:
        (52,) facial actions 0 to 1, and the emotion's index.
    """
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    _gaze(random, actions, 0.3)
    strength = random.uniform(0.55, 1.35)
    mirrored = random.random() < 0.5
    shown: list[str] = []
    for name, (mean, chance) in PROTOTYPES[emotion].items():
        if random.random() < chance and not clashes(name, shown):
            shown.append(name)
            value = float(np.clip(mean * strength + random.normal(0, 0.1), 0.05, 1))
            if mirrored and name.endswith("Left"):
                name = name.removesuffix("Left") + "Right"
            set_action(actions, name, value, *(_sides(random) if emotion != "contempt" else (1, 1)))
    return possible(actions), EMOTIONS.index(emotion)


def _weighted(random: np.random.Generator) -> str:
    weights = np.array(list(SINGLE.values()))
    return str(random.choice(list(SINGLE), p=weights / weights.sum()))


def _sides(random: np.random.Generator) -> tuple[float, float]:
    """Shares of the left and right side: mostly even, in 15 % one side is weak or still."""
    if random.random() < 0.15:
        weak = random.uniform(0.0, 0.5)
        return (1.0, weak) if random.random() < 0.5 else (weak, 1.0)
    left, right = np.clip(random.normal(1, 0.06, 2), 0.7, 1.0)
    return float(left), float(right)


def _gaze(random: np.random.Generator, actions: Array, chance: float) -> None:
    """Eyes that look somewhere in ``chance`` of the cases."""
    if random.random() <= chance:
        set_gaze(actions, random.uniform(-1, 1), random.uniform(-1, 1))


def set_gaze(actions: Array, across: float, up: float) -> None:
    """Turn both eyes to the person's left and up, each -1 to 1; the lids follow down."""
    for name, value in (
        ("eyeLookOutLeft", across), ("eyeLookInRight", across),
        ("eyeLookInLeft", -across), ("eyeLookOutRight", -across),
        ("eyeLookUpLeft", up), ("eyeLookUpRight", up),
        ("eyeLookDownLeft", -up), ("eyeLookDownRight", -up),
    ):  # fmt: skip
        actions[ACTION_INDEX[name]] = max(value, 0.0)
    if up < 0:
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            actions[ACTION_INDEX[name]] = max(actions[ACTION_INDEX[name]], -0.35 * up)


def _neutral(random: np.random.Generator) -> Array:
    """No action above 0.12, except that the eyes may look anywhere."""
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    for name in random.choice(list(COMBINED), 3, replace=False):
        set_action(actions, str(name), float(random.uniform(0, 0.12)))
    _gaze(random, actions, 0.4)
    return actions
