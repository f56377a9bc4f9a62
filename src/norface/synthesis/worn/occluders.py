"""Things that hide a part of the face: masks, hands, sunglasses, and hair over an eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.head import HeadModel
from norface.synthesis.body.surface import Surface
from norface.synthesis.worn.fabric import paint_fabric
from norface.synthesis.worn.glasses import Glasses, glasses_surfaces, paint_glasses, some_glasses
from norface.synthesis.worn.hands import hand_surfaces, paint_hand
from norface.synthesis.worn.locks import lock_surface
from norface.synthesis.worn.masks import mask_surfaces

Array = NDArray[np.float32]

OCCLUDERS: Final = (
    "mask", "hand_mouth", "hand_cheek", "hand_eye", "sunglasses", "hair_over_eye",
)  # fmt: skip


@dataclass(frozen=True)
class Occluder:
    """Something that hides a part of the face.

    Attributes:
        kind: one of ``OCCLUDERS``.
        side: 1 for the person's left, -1 for the right, where it has a side.
        colour, second: linear RGB of a mask and of its pattern.
        pattern: of a mask, see ``norface.synthesis.worn.fabric.PATTERNS``.
        glasses: the sunglasses, if it is those.
        seed: of its make and place.
    """

    kind: str
    side: float = 1.0
    colour: tuple[float, float, float] = (0.5, 0.6, 0.7)
    second: tuple[float, float, float] = (0.5, 0.5, 0.5)
    pattern: str = "plain"
    glasses: Glasses | None = None
    seed: int = 0


def random_occluder(random: np.random.Generator, kind: str | None = None) -> Occluder:
    """An occluder of a kind of ``OCCLUDERS``, or of any when None."""
    kind = str(random.choice(OCCLUDERS)) if kind is None else kind
    if kind not in OCCLUDERS:
        raise ValueError(f"unknown occluder {kind!r}: choose from {', '.join(OCCLUDERS)}")
    colours = [(0.28, 0.50, 0.66), (0.75, 0.76, 0.78), (0.015, 0.015, 0.017)]
    choice = int(random.integers(5))
    red, green, blue = (float(v) for v in random.uniform(0.02, 0.7, 3))
    return Occluder(
        kind,
        side=1.0 if random.random() < 0.5 else -1.0,
        colour=colours[choice] if choice < 3 else (red, green, blue),
        second=(blue, red, green),
        pattern=str(random.choice(["plain", "stripes", "dots"], p=(0.8, 0.1, 0.1))),
        glasses=some_glasses(random, dark=True) if kind == "sunglasses" else None,
        seed=int(random.integers(2**31)),
    )


def occluder_surfaces(
    head: HeadModel, canvas: Canvas, points: Array, mapped: Array, occluder: Occluder, hair: Hair
) -> list[Surface]:
    """The surfaces of an occluder.

    Args:
        head: the head model.
        canvas: where paint goes.
        points: (V, 3) the person's head with its expression.
        mapped: its map.
        occluder: what it is.
        hair: the person's hair.
    """
    if occluder.kind == "mask":
        return mask_surfaces(head, canvas, points, mapped, occluder.seed)
    if occluder.kind == "sunglasses" and occluder.glasses is not None:
        return glasses_surfaces(head, canvas, points, occluder.glasses)
    if occluder.kind == "hair_over_eye":
        return [lock_surface(canvas, mapped, hair, occluder.side, occluder.seed)]
    place = occluder.kind.removeprefix("hand_")
    return hand_surfaces(head, canvas, points, place, occluder.side, occluder.seed)


def paint_occluder(
    sheet: Array, canvas: Canvas, occluder: Occluder, skin: tuple[float, float, float]
) -> None:
    """Paint what an occluder shows."""
    if occluder.kind == "mask":
        # Three pleats across, as folded masks have.
        paint_fabric(
            sheet[canvas.tile("mask")], (occluder.colour, occluder.second), occluder.pattern,
            (0.008, 0.0, 3.0), occluder.seed,
        )  # fmt: skip
    elif occluder.kind == "sunglasses" and occluder.glasses is not None:
        paint_glasses(sheet, canvas, occluder.glasses)
    elif occluder.kind.startswith("hand"):
        paint_hand(sheet[canvas.tile("hand")], skin, occluder.seed)
