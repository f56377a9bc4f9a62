"""From facial actions to action units: the table, its sources, and what the head's mesh does.

An action unit's intensity is five times the mean activation of its facial actions, so FACS letters
A to E fall on activations 0.2 to 1. AU25 has no action: its intensity is the gap between the lips
on the mesh, in units of the distance between the eyes (``LIP_GAP_AT_MAXIMUM`` gives 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX, ACTION_UNITS, FACIAL_ACTIONS, MAXIMUM_INTENSITY
from norface.synthesis.body.head import HeadModel

Array = NDArray[np.float32]

LIP_GAP_AT_MAXIMUM: Final = 0.45
LIP_GAP_CLOSED: Final = 0.015

MILLIMETRES: Final = 100.0
"""Millimetres in the head's unit of length, the decimetre."""

FACS_CHAPTERS: Final = {
    2: ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU43"),
    3: ("AU09", "AU10", "AU15", "AU16", "AU17", "AU25", "AU26"),
    4: ("AU14", "AU20"),
    5: ("AU12",),
    6: ("AU18", "AU22", "AU24", "AU28"),
    8: ("AU61", "AU62", "AU63", "AU64"),
}
"""Chapter of the FACS manual (Ekman, Friesen & Hager, 2002) that describes each unit."""

REMARKS: Final = {
    "AU01": "the action has no sides",
    "AU05": "excludes AU43 in the samplers; goes with AU7 as in anger",
    "AU07": "tightens both lids",
    "AU09": "lifts the upper lip a little as well, as in faces",
    "AU24": "presses and narrows the lips; AU23 cannot be told apart from it and counts as AU24",
    "AU25": "measured as the lips' gap, whatever parts them; mouthClose takes it back",
    "AU26": "the jaw's opening, also under closed lips (mouthClose); past intensity 4 a coder "
    "would call it AU27",
    "AU28": "mean of both lips; one lip alone gives half",
    "AU43": "a closure of any length; in sequences those of a blink are also events AU45",
}

ACTION_SOURCE: Final = "ARKit (`ARFaceAnchor.BlendShapeLocation`)"

NOT_SHOWN: Final = {
    "AU08": "lips toward each other: no action; mouthClose undoes an open jaw instead",
    "AU11": "nasolabial deepener: the skin moves with AU10 and AU12 only",
    "AU13": "sharp lip puller: the corner goes up with AU12 only",
    "AU21": "neck tightener: the neck is stiff",
    "AU23": "lip tightener: no action apart from AU24's mouthPress",
    "AU27": "mouth stretch: the far end of jawOpen, counted as AU26",
    "AU38, AU39": "nostrils move with AU9 only",
    "AU41, AU42": "drooping lids and slits are parts of eyeBlink, counted as AU43",
    "AU46": "wink: AU43 of one side",
}
"""Units of FACS that the head cannot show apart from others, and why."""


@dataclass(frozen=True)
class Movement:
    """How far an action, or a unit's actions together, move the mean head at full strength.

    Attributes:
        peak: of the vertex that moves farthest, millimetres.
        mean: over the moved area (vertices that move at least a tenth of the peak), millimetres.
        vertices: how many vertices the moved area has.
    """

    peak: float
    mean: float
    vertices: int


_LIPS_PART: Final = [unit.name for unit in ACTION_UNITS].index("AU25")
# (A, 2, 2): two actions for each side of a unit, one of them twice where it has one alone; AU25,
# which has none, gets any.
_ACTIONS_OF: Final = np.array(
    [
        [[ACTION_INDEX[side[0]], ACTION_INDEX[side[-1]]] if side else [0, 0] for side in sides]
        for sides in ((unit.left, unit.right) for unit in ACTION_UNITS)
    ]
)


def action_unit_intensities(actions: Array, lip_gap: float) -> Array:
    """(A, 3) intensity 0 to 5 of each action unit: whole, left and right.

    Args:
        actions: (52,) facial actions, 0 to 1.
        lip_gap: opening of the lips as a share of the eyes' distance (``HeadModel.lip_gap``).
    """
    pairs = np.asarray(actions, np.float32)[_ACTIONS_OF]
    left, right = ((pairs[:, side, 0] + pairs[:, side, 1]) / 2 for side in (0, 1))
    result = np.stack([(left + right) / 2, left, right], axis=1)
    share = (lip_gap - LIP_GAP_CLOSED) / (LIP_GAP_AT_MAXIMUM - LIP_GAP_CLOSED)
    result[_LIPS_PART] = min(max(share, 0.0), 1.0)
    return np.asarray(result * np.float32(MAXIMUM_INTENSITY))


def movement(head: HeadModel, names: tuple[str, ...]) -> Movement:
    """How far the facial actions ``names`` together move the head at full strength."""
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    actions[[ACTION_INDEX[name] for name in names]] = 1
    way = np.linalg.norm(head.express(head.mean, actions) - head.mean, axis=1) * MILLIMETRES
    moved = way >= 0.1 * way.max()
    return Movement(float(way.max()), float(way[moved].mean()), int(moved.sum()))


def lip_gap_millimetres(head: HeadModel, **activations: float) -> float:
    """Gap between the mean head's lips under some actions, millimetres."""
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    for name, value in activations.items():
        actions[ACTION_INDEX[name]] = value
    points = head.express(head.mean, actions)
    left, right = (points[head.vertices_of(f"eye_{s}")].mean(axis=0) for s in ("left", "right"))
    return head.lip_gap(points) * float(np.linalg.norm(left - right)) * MILLIMETRES
