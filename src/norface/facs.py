"""Action units, emotions, and the map from facial actions to action units.

Facial actions are the 52 ARKit-style blendshapes (0 to 1). Action units (AUs) follow the Facial
Action Coding System; their intensity runs from 0 (absent) to 5 (maximum, FACS letter E). Left and
right are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FACIAL_ACTIONS: Final = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight",
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft",
    "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight",
    "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
    "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft",
    "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 facial actions, in the alphabetical order that every array in norface uses."""

ACTION_INDEX: Final = {name: i for i, name in enumerate(FACIAL_ACTIONS)}


@dataclass(frozen=True, slots=True)
class ActionUnitDefinition:
    """One action unit and the facial actions that show it.

    Attributes:
        name: FACS code, e.g. ``"AU12"``.
        description: FACS name.
        left, right: facial actions of each side; the side's activation is their mean. A unit
            without sides has the same actions in both.
    """

    name: str
    description: str
    left: tuple[str, ...]
    right: tuple[str, ...]

    @property
    def has_sides(self) -> bool:
        """Whether the unit is scored separately on the two halves of the face."""
        return self.left != self.right


def _sided(name: str, description: str, action: str) -> ActionUnitDefinition:
    return ActionUnitDefinition(name, description, (action + "Left",), (action + "Right",))


def _whole(name: str, description: str, *actions: str) -> ActionUnitDefinition:
    return ActionUnitDefinition(name, description, actions, actions)


ACTION_UNITS: Final = (
    _whole("AU01", "inner brow raiser", "browInnerUp"),
    _sided("AU02", "outer brow raiser", "browOuterUp"),
    _sided("AU04", "brow lowerer", "browDown"),
    _sided("AU05", "upper lid raiser", "eyeWide"),
    _sided("AU06", "cheek raiser", "cheekSquint"),
    _sided("AU07", "lid tightener", "eyeSquint"),
    _sided("AU09", "nose wrinkler", "noseSneer"),
    _sided("AU10", "upper lip raiser", "mouthUpperUp"),
    _sided("AU12", "lip corner puller", "mouthSmile"),
    _sided("AU14", "dimpler", "mouthDimple"),
    _sided("AU15", "lip corner depressor", "mouthFrown"),
    _sided("AU16", "lower lip depressor", "mouthLowerDown"),
    _whole("AU17", "chin raiser", "mouthShrugLower"),
    _whole("AU18", "lip pucker", "mouthPucker"),
    _sided("AU20", "lip stretcher", "mouthStretch"),
    _whole("AU22", "lip funneler", "mouthFunnel"),
    _sided("AU24", "lip pressor", "mouthPress"),
    # Lips apart has no action of its own: its intensity is measured as the gap on the mesh.
    _whole("AU25", "lips part"),
    _whole("AU26", "jaw drop", "jawOpen"),
    _whole("AU28", "lip suck", "mouthRollLower", "mouthRollUpper"),
    _sided("AU43", "eyes closed", "eyeBlink"),
    _whole("AU61", "eyes turn left", "eyeLookOutLeft", "eyeLookInRight"),
    _whole("AU62", "eyes turn right", "eyeLookInLeft", "eyeLookOutRight"),
    _whole("AU63", "eyes up", "eyeLookUpLeft", "eyeLookUpRight"),
    _whole("AU64", "eyes down", "eyeLookDownLeft", "eyeLookDownRight"),
)
"""The action units that norface reads, in column order."""

ACTION_UNIT_NAMES: Final = tuple(unit.name for unit in ACTION_UNITS)
SIDED_ACTION_UNIT_NAMES: Final = tuple(unit.name for unit in ACTION_UNITS if unit.has_sides)

FURTHER_ACTION_UNITS: Final = (
    _whole("AU11", "nasolabial deepener"),
    _whole("AU13", "sharp lip puller"),
    _whole("AU21", "neck tightener"),
    _whole("AU23", "lip tightener"),
    _whole("AU27", "mouth stretch"),
)
"""Units that data sets code and no facial action shows: norface's own weights do not read them, a
network that is trained on such a set can."""

_DEFINITIONS: Final = {unit.name: unit for unit in (*ACTION_UNITS, *FURTHER_ACTION_UNITS)}


def action_unit(name: str) -> ActionUnitDefinition:
    """What is known of a unit, at least its name.

    Raises:
        ValueError: this is no name of a unit, such as ``"AU12"``.
    """
    if name in _DEFINITIONS:
        return _DEFINITIONS[name]
    if not (len(name) == 4 and name[:2] == "AU" and name[2:].isdecimal()):
        raise ValueError(f"{name!r} is no action unit: they are named AU and two digits")
    return _whole(name, "")


MAXIMUM_INTENSITY: Final = 5.0
PRESENCE_INTENSITY: Final = 2.0
"""A unit counts as present from this intensity on (the convention of DISFA)."""

EMOTIONS: Final = (
    "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
)  # fmt: skip
"""The emotions, in column order."""
