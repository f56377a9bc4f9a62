"""Everything on and before the head of a person: hair, clothes, and what is worn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.hair_paint import paint_hair
from norface.synthesis.body.hair_shapes import hair_surfaces
from norface.synthesis.body.head import HeadModel
from norface.synthesis.body.scalp import head_map
from norface.synthesis.body.surface import Surface
from norface.synthesis.people import Person
from norface.synthesis.worn.clothes import clothes_surfaces, paint_clothes
from norface.synthesis.worn.coverings import covering_surfaces, paint_covering
from norface.synthesis.worn.glasses import Glasses, glasses_surfaces, paint_glasses
from norface.synthesis.worn.occluders import occluder_surfaces, paint_occluder

Array = NDArray[np.float32]


def dressed_surfaces(
    head: HeadModel, canvas: Canvas, points: Array, person: Person
) -> list[Surface]:
    """All surfaces of a person except the head itself.

    Args:
        head: the head model.
        canvas: where paint goes.
        points: (V, 3) the person's head with its expression.
        person: who.
    """
    mapped, hair = head_map(head, points), _shown_hair(person)
    covering, clothes = person.covering, person.clothes
    if covering is not None and covering.kind == "hijab":
        clothes = replace(clothes, neckline="crew", collar=-0.1)
    surfaces = clothes_surfaces(canvas, clothes)
    if covering is None or not covering.hides_all_hair:
        pressed = covering is not None and covering.presses_hair
        surfaces += hair_surfaces(canvas, mapped, hair, pressed=pressed)
    if covering is not None:
        surfaces += covering_surfaces(canvas, mapped, covering, hair)
    glasses = _shown_glasses(person)
    if glasses is not None:
        surfaces += glasses_surfaces(head, canvas, points, glasses)
    if person.occluder is not None:
        surfaces += occluder_surfaces(head, canvas, points, mapped, person.occluder, hair)
    return surfaces


def _shown_hair(person: Person) -> Hair:
    """The hair of a person, who has some at least when a lock of it hides an eye."""
    hair, occluder = person.hair, person.occluder
    lock = occluder is not None and occluder.kind == "hair_over_eye"
    if lock and (hair.scalp < 1 or hair.style == "bald"):
        return replace(hair, style="side part", scalp=1.0, volume=0.12, recede=0.0)
    return hair


def _shown_glasses(person: Person) -> Glasses | None:
    """The glasses that a person wears; sunglasses as an occluder take their place."""
    occluder = person.occluder
    return None if occluder is not None and occluder.kind == "sunglasses" else person.glasses


def paint_dressed(sheet: Array, canvas: Canvas, person: Person) -> None:
    """Paint the tiles of hair, clothes and worn things."""
    if person.covering is None or not person.covering.hides_all_hair or person.occluder is not None:
        paint_hair(sheet[canvas.tile("hair")], _shown_hair(person))
    paint_clothes(sheet, canvas, person.clothes, person.skin.colour)
    if person.covering is not None:
        paint_covering(sheet[canvas.tile("covering")], person.covering)
    glasses = _shown_glasses(person)
    if glasses is not None:
        paint_glasses(sheet, canvas, glasses)
    if person.occluder is not None:
        paint_occluder(sheet, canvas, person.occluder, person.skin.colour)
