"""A person's skin: what it looks like, and its paint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.beard import Roots, paint_beard, paint_scalp
from norface.synthesis.body.brows import paint_brows
from norface.synthesis.body.canvas import Canvas, canvas
from norface.synthesis.body.complexion import paint_complexion
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.head import Shape
from norface.synthesis.body.lips import paint_lids, paint_lips
from norface.synthesis.body.tones import skin_colour
from norface.synthesis.body.wrinkles import crease_weights, fold, person_folds

Array = NDArray[np.float32]
Colour = tuple[float, float, float]

_LIPSTICKS = (
    (0.45, 0.03, 0.05), (0.50, 0.12, 0.14), (0.30, 0.03, 0.09), (0.42, 0.16, 0.13),
    (0.16, 0.02, 0.03), (0.55, 0.10, 0.25),
)  # fmt: skip
_EYE_SHADOWS = (
    (0.10, 0.06, 0.05), (0.06, 0.06, 0.08), (0.16, 0.08, 0.14), (0.08, 0.12, 0.20),
    (0.28, 0.16, 0.09), (0.09, 0.14, 0.09),
)  # fmt: skip


@dataclass(frozen=True)
class Skin:
    """What a person's skin looks like. Colours are linear RGB; amounts are 0 to 1 and off at 0.

    Attributes:
        colour: albedo of the skin.
        lips: albedo of the lips.
        brows, brow_amount: colour of the brows and their density.
        brow_thickness, brow_arch, brow_height, brow_length: shape, in decimetres.
        blush, freckles, spots, gloss: amounts.
        shade: darkening around the eyes.
        liner: lashes and eye-liner.
        beard, moustache, beard_colour: stubble (low) to full (high).
        wrinkles: how deep age alone has made the wrinkles.
        creases: how deep expressions make them.
        seed: where the person's noise begins.
        relief: how far wrinkles are shaped, not only dark; 1 is the depth of real ones.
        variety: how far the wrinkles' lines depart from plain ones that everyone has.
        lid_crease: fold above the open eye.
        pores, blotches, veins, age_spots, oil, ears: amounts of grain, of uneven redness, of blue
            under the eyes, of dark spots, of gloss in the middle of the face, of red ears.
        moles: number of moles (some fall behind the hair).
        scar: how visible one scar is.
        goatee, sideburns, beard_grey: parts of a beard, and how far it is mixed with grey.
        brow_angle: rise from its inner to its outer end, decimetres.
        brow_bush, brow_drawn, monobrow: ragged; drawn with a pencil; grown together.
        lip_gloss, lip_grooves: wetness and fine grooves of the lips.
        lipstick, lipstick_colour, eye_shadow, eye_shadow_colour, rouge, foundation: make-up.
    """

    colour: Colour
    lips: Colour
    brows: Colour
    brow_amount: float
    brow_thickness: float
    brow_arch: float
    brow_height: float
    brow_length: float
    blush: float
    freckles: float
    spots: float
    gloss: float
    shade: float
    liner: float
    beard: float
    moustache: float
    beard_colour: Colour
    wrinkles: float
    creases: float
    seed: int
    relief: float = 0.0
    variety: float = 0.0
    lid_crease: float = 0.0
    pores: float = 0.0
    blotches: float = 0.0
    veins: float = 0.0
    age_spots: float = 0.0
    oil: float = 0.0
    ears: float = 0.0
    moles: int = 0
    scar: float = 0.0
    goatee: float = 0.0
    sideburns: float = 0.0
    beard_grey: float = 0.0
    brow_angle: float = 0.0
    brow_bush: float = 0.0
    brow_drawn: float = 0.0
    monobrow: float = 0.0
    lip_gloss: float = 0.14
    lip_grooves: float = 0.0
    lipstick: float = 0.0
    lipstick_colour: Colour = (0.45, 0.03, 0.05)
    eye_shadow: float = 0.0
    eye_shadow_colour: Colour = (0.10, 0.06, 0.05)
    rouge: float = 0.0
    foundation: float = 0.0


def random_skin(
    random: np.random.Generator, shape: Shape, tone: float, hair: Hair, seed: int
) -> Skin:
    """Skin that fits the shape, the Monk tone (1 lightest to 10 darkest) and the hair."""
    male = shape.gender > 0.5
    old = float(np.clip((shape.age - 30) / 50, 0, 1))
    skin = skin_colour(tone) * np.exp(random.normal(0, 0.05))
    # Warm and cool undertones.
    skin *= 1 + random.normal(0, 0.035) * np.array((0.6, 0.0, -1.2))
    rosy = np.array((0.86, 0.50, 0.50)) if tone < 6 else np.array((0.92, 0.62, 0.62))
    lips = skin * rosy * (1 + random.normal(0, 0.06, 3))
    # Who dyes the hair leaves brows and beard as they were.
    strand = np.array((0.05, 0.03, 0.02) if hair.name.startswith("dyed") else hair.colour)
    fair = hair.name in ("blond", "light brown", "white", "grey")
    return Skin(
        colour=_colour(skin),
        lips=_colour(lips),
        brows=_colour(strand * (0.6 if fair else 0.9) * random.uniform(0.75, 1.15)),
        blush=float(random.uniform(0, 0.8) * (1.0 if tone < 6 else 0.6)),
        freckles=float(max(random.uniform(-2, 1), 0)) if tone < 6 else 0.0,
        spots=float(random.uniform(0, 0.6) + 0.5 * old),
        gloss=float(random.uniform(0.01, 0.07)),
        shade=float(random.uniform(0.1, 0.8)),
        wrinkles=float(old * random.uniform(0.4, 1.2)),
        creases=float(random.uniform(0.55, 1.05) * (0.8 + 0.3 * old)),
        seed=seed,
        relief=float(random.uniform(0.6, 1.2)),
        variety=1.0,
        lid_crease=float(random.choice([0.15, 0.8]) * random.uniform(0.5, 1.3)),
        pores=float(random.uniform(0.2, 1.0)),
        blotches=float(random.uniform(0, 1) ** 1.5),
        veins=float(max(random.uniform(-0.8, 0.6), 0)),
        age_spots=float(max(random.uniform(-0.7, 1) * old, 0)),
        oil=float(random.uniform(0, 1) ** 2),
        ears=float(random.uniform(0, 0.6)),
        moles=int(random.poisson(1.2)),
        scar=float(random.uniform(0.4, 1) * (random.random() < 0.06)),
        lip_gloss=float(random.uniform(0.06, 0.24)),
        lip_grooves=float(random.uniform(0.2, 1.0)),
        **_random_brows(random, male),
        **_random_beard(random, male, old, strand, skin),
        **_random_make_up(random, male),
    )


def _random_brows(random: np.random.Generator, male: bool) -> dict[str, Any]:
    bushy = float(random.uniform(0.2, 1.0)) if random.random() < (0.6 if male else 0.25) else 0.1
    drawn = float(random.uniform(0.4, 1.0)) if random.random() < (0.02 if male else 0.2) else 0.0
    sparse = random.random() < 0.12
    return {
        "brow_amount": float(random.uniform(0.2, 0.5) if sparse else random.uniform(0.6, 0.98)),
        "brow_thickness": float(
            random.uniform(0.022, 0.058) * (1.15 if male else 0.85) * (1 + 0.2 * bushy)
        ),
        "brow_arch": float(random.uniform(0.005, 0.09)),
        "brow_height": float(random.uniform(0.165, 0.205)),
        "brow_length": float(random.uniform(0.36, 0.47)),
        "brow_angle": float(random.normal(0.0, 0.03)),
        "brow_bush": bushy * (1 - drawn),
        "brow_drawn": drawn,
        "monobrow": float(random.uniform(0.2, 0.8) * (random.random() < (0.1 if male else 0.03))),
    }


def _random_beard(
    random: np.random.Generator,
    male: bool,
    old: float,
    strand: NDArray[np.float64],
    skin: NDArray[np.float64],
) -> dict[str, Any]:
    kind = random.random() if male else 1.0
    amount, stubble = random.uniform(0.55, 1.0), random.uniform(0.0, 0.35)
    beard = goatee = moustache = sideburns = 0.0
    if kind < 0.42:
        beard = moustache = sideburns = stubble
    elif kind < 0.58:
        beard = moustache = amount
        goatee, sideburns = amount, amount * random.uniform(0.3, 1)
    elif kind < 0.66:
        goatee, beard = amount, 0.4 * stubble
        moustache = amount * random.choice([0.1, 1.0])
    elif kind < 0.73:
        moustache, beard = amount, 0.5 * stubble
    elif kind < 0.77:
        sideburns, beard = amount, 0.5 * stubble
    return {
        "beard": float(beard),
        "moustache": float(moustache),
        "goatee": float(goatee),
        "sideburns": float(sideburns),
        "beard_grey": float(old * random.uniform(0, 1)),
        "beard_colour": _colour(strand * random.uniform(0.7, 1.2) + 0.05 * skin),
    }


def _random_make_up(random: np.random.Generator, male: bool) -> dict[str, Any]:
    wears = random.random() < (0.03 if male else 0.5)
    amount = random.uniform(0.2, 0.95, 4) * (random.random(4) < (0.75, 0.55, 0.6, 0.7)) * wears
    lined = random.uniform(0.3, 0.55) if male else random.uniform(0.4, 0.7)
    return {
        "lipstick": float(amount[0]),
        "lipstick_colour": _LIPSTICKS[int(random.integers(len(_LIPSTICKS)))],
        "eye_shadow": float(0.7 * amount[1]),
        "eye_shadow_colour": _EYE_SHADOWS[int(random.integers(len(_EYE_SHADOWS)))],
        "rouge": float(amount[2]),
        "foundation": float(amount[3]),
        "liner": float(random.uniform(0.75, 0.97) if wears else lined),
    }


def _colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = (float(v) for v in np.clip(values, 0.004, 0.95))
    return red, green, blue


def paint_skin(tile: Array, canvas: Canvas, skin: Skin, hair: Hair, actions: Array) -> None:
    """The skin of a person making an expression, into the (size, size, 6) tile.

    Args:
        tile: receives linear RGB, gloss, height and alpha.
        canvas: where things are.
        skin: the person's skin.
        hair: the hair, whose roots are painted on the scalp.
        actions: (52,) facial actions, 0 to 1.
    """
    base, heights = _person_layer(
        canvas.size, skin, (hair.colour, hair.scalp, hair.line, hair.recede)
    )
    tile[:] = base
    fold(tile, canvas, heights, crease_weights(skin, actions), skin.relief)


@lru_cache(maxsize=3)
def _person_layer(size: int, skin: Skin, roots: Roots) -> tuple[Array, Array]:
    """What no expression changes: the paint without folds, and the shape of the folds."""
    where = canvas(size)
    start = np.random.default_rng(skin.seed).integers(0, size, 2)
    base = np.empty((size, size, 6), np.float32)
    paint_complexion(base, where, skin, start)
    paint_lids(base, where, skin)
    paint_lips(base, where, skin, start)
    paint_beard(base, where, skin, start)
    paint_brows(base, where, skin, start)
    paint_scalp(base, where, roots, start)
    base.flags.writeable = False
    return base, person_folds(where, skin)
