"""What faces do: random facial actions, prototypes of emotions, and their action units.

An action unit's intensity is five times the mean activation of its facial actions, so FACS letters
A to E fall on activations 0.2 to 1. AU25 has no action: its intensity is the gap between the lips
on the mesh, in units of the distance between the eyes (``LIP_GAP_AT_MAXIMUM`` gives 5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX, ACTION_UNITS, EMOTIONS, FACIAL_ACTIONS, MAXIMUM_INTENSITY

Array = NDArray[np.float32]

LIP_GAP_AT_MAXIMUM = 0.45
LIP_GAP_CLOSED = 0.015

# Actions that a face can do by itself, and how often a random expression has each.
_SINGLES: dict[str, float] = {
    "browInnerUp": 0.22, "browOuterUp": 0.18, "browDown": 0.20, "eyeWide": 0.14,
    "cheekSquint": 0.18, "eyeSquint": 0.16, "noseSneer": 0.15, "mouthUpperUp": 0.20,
    "mouthSmile": 0.26, "mouthDimple": 0.18, "mouthFrown": 0.18, "mouthLowerDown": 0.20,
    "mouthShrugLower": 0.18, "mouthPucker": 0.20, "mouthStretch": 0.20, "mouthFunnel": 0.18,
    "mouthPress": 0.16, "jawOpen": 0.26, "mouthRoll": 0.16,
    "eyeBlink": 0.16, "cheekPuff": 0.06, "mouthShrugUpper": 0.08, "mouthClose": 0.05,
    "jawForward": 0.05, "jawLeft": 0.04, "jawRight": 0.04, "mouthLeft": 0.05, "mouthRight": 0.05,
    "tongueOut": 0.02,
}  # fmt: skip
_EXCLUSIVE = (
    ("eyeWide", "eyeBlink"), ("eyeWide", "eyeSquint"), ("mouthPucker", "mouthStretch"),
    ("mouthPucker", "mouthSmile"), ("mouthFunnel", "mouthPress"), ("mouthFunnel", "mouthSmile"),
    ("mouthRoll", "mouthLowerDown"), ("mouthRoll", "mouthUpperUp"), ("mouthRoll", "mouthFunnel"),
    ("mouthPress", "jawOpen"), ("mouthPress", "mouthLowerDown"), ("mouthPress", "mouthUpperUp"),
    ("cheekPuff", "jawOpen"), ("mouthRoll", "jawOpen"), ("mouthRoll", "mouthPress"),
    ("mouthSmile", "mouthFrown"), ("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"),
    ("tongueOut", "mouthPress"), ("mouthShrugLower", "mouthLowerDown"),
)  # fmt: skip

# FACS prototypes (EMFACS, Ekman & Friesen 1983): mean activation of each action, and the chance
# that a showing of the emotion has it.
PROTOTYPES: dict[str, dict[str, tuple[float, float]]] = {
    "neutral": {},
    "happiness": {
        "mouthSmile": (0.7, 1.0), "cheekSquint": (0.6, 0.85), "mouthUpperUp": (0.25, 0.4),
        "jawOpen": (0.25, 0.45), "eyeSquint": (0.3, 0.4), "mouthDimple": (0.2, 0.2),
    },
    "sadness": {
        "browInnerUp": (0.6, 0.9), "browDown": (0.35, 0.6), "mouthFrown": (0.6, 0.9),
        "mouthShrugLower": (0.5, 0.6), "eyeBlink": (0.25, 0.4), "eyeLookDown": (0.5, 0.4),
    },
    "surprise": {
        "browInnerUp": (0.75, 0.95), "browOuterUp": (0.75, 0.95), "eyeWide": (0.6, 0.85),
        "jawOpen": (0.5, 0.85), "mouthFunnel": (0.2, 0.2),
    },
    "fear": {
        "browInnerUp": (0.6, 0.9), "browOuterUp": (0.4, 0.6), "browDown": (0.45, 0.7),
        "eyeWide": (0.7, 0.9), "eyeSquint": (0.2, 0.2), "mouthStretch": (0.6, 0.8),
        "jawOpen": (0.3, 0.6), "mouthLowerDown": (0.3, 0.4),
    },
    "disgust": {
        "noseSneer": (0.75, 0.9), "mouthUpperUp": (0.55, 0.8), "browDown": (0.4, 0.5),
        "mouthFrown": (0.35, 0.4), "mouthShrugLower": (0.4, 0.4), "eyeSquint": (0.4, 0.5),
        "mouthLowerDown": (0.3, 0.3),
    },
    "anger": {
        "browDown": (0.8, 0.95), "eyeSquint": (0.5, 0.7), "eyeWide": (0.4, 0.3),
        "mouthPress": (0.6, 0.6), "noseSneer": (0.25, 0.25), "mouthFunnel": (0.3, 0.15),
        "mouthUpperUp": (0.3, 0.2), "mouthLowerDown": (0.3, 0.2), "jawForward": (0.3, 0.3),
    },
    "contempt": {
        "mouthSmileLeft": (0.35, 0.6), "mouthDimpleLeft": (0.75, 0.95), "mouthPress": (0.2, 0.2),
    },
}  # fmt: skip


def _set(actions: Array, name: str, value: float, left: float = 1.0, right: float = 1.0) -> None:
    if name == "mouthRoll":
        # Both lips mostly roll in together.
        actions[ACTION_INDEX["mouthRollLower"]] = value
        actions[ACTION_INDEX["mouthRollUpper"]] = value * left
    elif name in ACTION_INDEX:
        actions[ACTION_INDEX[name]] = value
    else:
        actions[ACTION_INDEX[name + "Left"]] = value * left
        actions[ACTION_INDEX[name + "Right"]] = value * right


def _sides(random: np.random.Generator) -> tuple[float, float]:
    """Shares of the left and right side: mostly even, now and then one side alone."""
    if random.random() < 0.15:
        weak = random.uniform(0.0, 0.5)
        return (1.0, weak) if random.random() < 0.5 else (weak, 1.0)
    return tuple(np.clip(random.normal(1, 0.06, 2), 0.7, 1.0))


def _gaze(random: np.random.Generator, actions: Array, chance: float) -> None:
    """Eyes that look somewhere, both together, lids following down."""
    if random.random() > chance:
        return
    across, up = random.uniform(-1, 1), random.uniform(-1, 1)
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


def random_expression(random: np.random.Generator) -> tuple[Array, int]:
    """One expression: (52,) facial actions 0 to 1, and its emotion's index or -1.

    A tenth are neutral, a third are prototypes of emotions, a sixth show one action alone at one of
    five levels, the others are random combinations that a face can do.
    """
    kind = random.random()
    if kind < 0.10:
        return _neutral(random), EMOTIONS.index("neutral")
    if kind < 0.43:
        return emotional_expression(random, str(random.choice(EMOTIONS[1:])))
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    _gaze(random, actions, 0.45)
    if kind < 0.58:
        name = str(random.choice(list(_SINGLES)))
        _set(actions, name, float(random.integers(1, 6)) / 5, *_sides(random))
        return actions, -1
    chosen: list[str] = []
    for name in random.permutation(list(_SINGLES)):
        clash = any((name, other) in _EXCLUSIVE or (other, name) in _EXCLUSIVE for other in chosen)
        if not clash and random.random() < _SINGLES[name]:
            chosen.append(name)
            _set(actions, name, float(random.uniform(0.1, 1.0)), *_sides(random))
    return _possible(actions), -1


def emotional_expression(random: np.random.Generator, emotion: str) -> tuple[Array, int]:
    """A showing of an emotion: its prototype at a random strength, with parts missing and added."""
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    _gaze(random, actions, 0.3)
    strength = random.uniform(0.55, 1.35)
    mirrored = random.random() < 0.5
    for name, (mean, chance) in PROTOTYPES[emotion].items():
        if random.random() < chance:
            value = float(np.clip(mean * strength + random.normal(0, 0.1), 0.05, 1))
            if mirrored and name.endswith("Left"):
                name = name.removesuffix("Left") + "Right"
            _set(actions, name, value, *(_sides(random) if emotion != "contempt" else (1, 1)))
    return _possible(actions), EMOTIONS.index(emotion)


def _neutral(random: np.random.Generator) -> Array:
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    _gaze(random, actions, 0.4)
    for name in random.choice(list(_SINGLES), 3, replace=False):
        _set(actions, str(name), float(random.uniform(0, 0.12)))
    return actions


def _possible(actions: Array) -> Array:
    """Keep lips from passing through each other: no more closing than there is opening."""
    close, jaw = ACTION_INDEX["mouthClose"], ACTION_INDEX["jawOpen"]
    actions[close] = min(actions[close], actions[jaw])
    tongue = ACTION_INDEX["tongueOut"]
    actions[tongue] = actions[tongue] if actions[jaw] > 0.3 else 0.0
    return np.clip(actions, 0, 1)


def action_unit_intensities(actions: Array, lip_gap: float) -> Array:
    """(A, 3) intensity 0 to 5 of each action unit: whole, left and right.

    Args:
        actions: (52,) facial actions, 0 to 1.
        lip_gap: opening of the lips as a share of the eyes' distance (``HeadModel.lip_gap``).
    """
    result = np.empty((len(ACTION_UNITS), 3), np.float32)
    for i, unit in enumerate(ACTION_UNITS):
        if unit.name == "AU25":
            share = (lip_gap - LIP_GAP_CLOSED) / (LIP_GAP_AT_MAXIMUM - LIP_GAP_CLOSED)
            result[i] = np.clip(share, 0, 1)
            continue
        left = np.mean([actions[ACTION_INDEX[name]] for name in unit.left])
        right = np.mean([actions[ACTION_INDEX[name]] for name in unit.right])
        result[i] = (left + right) / 2, left, right
    return result * np.float32(MAXIMUM_INTENSITY)
