"""The whole paint of a person making an expression, on one sheet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.eyes import paint_eyes
from norface.synthesis.body.lashes import paint_lashes
from norface.synthesis.body.mouth import paint_mouth
from norface.synthesis.body.photo_skin import lay_skin
from norface.synthesis.body.skin import paint_skin
from norface.synthesis.people import Person
from norface.synthesis.worn.dressing import paint_dressed

Array = NDArray[np.float32]


def paint(canvas: Canvas, person: Person, actions: Array) -> Array:
    """Paint a person.

    Args:
        canvas: where things are.
        person: who.
        actions: (52,) facial actions, 0 to 1.

    Returns:
        (size, 2 size, 6): linear albedo RGB, gloss (0 to 1), height above the surface
        (decimetres), alpha (0 to 1, of surfaces that are cut out).
    """
    size = canvas.size
    sheet = np.zeros((size, 2 * size, 6), np.float32)
    sheet[..., 5] = 1
    paint_skin(sheet[:, :size], canvas, person.skin, person.hair, actions)
    if person.photo is not None:
        lay_skin(sheet[:, :size], person.photo, person.skin.colour)
    paint_eyes(sheet, canvas, person.eyes)
    paint_lashes(sheet, canvas, person.eyes)
    paint_mouth(sheet, canvas, person.mouth, person.skin.lips)
    skin = person.skin.colour
    sheet[canvas.tile("socket")][..., :3] = (0.35 * skin[0], 0.22 * skin[1], 0.2 * skin[2])
    paint_dressed(sheet, canvas, person)
    return sheet
