"""Facial actions that a face cannot do together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX

Array = NDArray[np.float32]

EXCLUSIVE: Final = frozenset(
    frozenset(pair)
    for pair in (
        # One muscle undoes what the other does.
        ("eyeWide", "eyeBlink"), ("jawLeft", "jawRight"),
        ("mouthLeft", "mouthRight"), ("mouthSmile", "mouthFrown"),
        # The mouth is drawn wide or rounded, not both (zygomaticus and risorius, orbicularis).
        ("mouthPucker", "mouthStretch"), ("mouthPucker", "mouthSmile"),
        ("mouthPucker", "mouthDimple"), ("mouthFunnel", "mouthSmile"),
        ("mouthFunnel", "mouthDimple"), ("mouthFunnel", "mouthPucker"),
        # Lips that are pressed or sucked in are neither parted nor everted.
        ("mouthPress", "jawOpen"), ("mouthPress", "mouthLowerDown"),
        ("mouthPress", "mouthUpperUp"), ("mouthPress", "mouthFunnel"),
        ("mouthRoll", "jawOpen"), ("mouthRoll", "mouthLowerDown"),
        ("mouthRoll", "mouthUpperUp"), ("mouthRoll", "mouthFunnel"),
        ("mouthRoll", "mouthPress"), ("mouthRoll", "mouthPucker"),
        # The lower lip goes up or down; air held in the cheeks needs closed lips.
        ("mouthShrugLower", "mouthLowerDown"), ("cheekPuff", "jawOpen"),
        ("cheekPuff", "mouthLowerDown"), ("cheekPuff", "mouthUpperUp"),
        ("tongueOut", "mouthPress"), ("tongueOut", "mouthRoll"), ("tongueOut", "mouthShrugLower"),
    )
)  # fmt: skip
"""Pairs of actions, named without sides, of which a face does at most one."""


def clashes(name: str, others: Iterable[str]) -> bool:
    """Whether a face that does ``others`` cannot do ``name`` too."""
    return any(frozenset((name, other)) in EXCLUSIVE for other in others)


def possible(actions: Array) -> Array:
    """Activations within 0 to 1 whose lips and tongue do not pass through each other.

    Lips close (``mouthClose``) no more than the jaw has opened, and the tongue comes out of an
    open mouth only.
    """
    result = np.clip(actions, 0, 1)
    close, jaw, tongue = (ACTION_INDEX[n] for n in ("mouthClose", "jawOpen", "tongueOut"))
    result[close] = min(result[close], result[jaw])
    if result[jaw] <= 0.3:
        result[tongue] = 0
    return result
