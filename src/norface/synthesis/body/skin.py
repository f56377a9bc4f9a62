"""Paint of the skin: colour, lips, brows, lids, beard, wrinkles."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX
from norface.synthesis.body.canvas import WRINKLES, Canvas
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.head import Shape

Array = NDArray[np.float32]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Skin:
    """What a person's skin looks like. Colours are linear RGB, amounts 0 to 1.

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


# Linear albedos from very light to very dark, evenly spaced to the eye.
SKIN_TONES: tuple[tuple[float, float, float], ...] = (
    (0.80, 0.57, 0.47),
    (0.72, 0.48, 0.37),
    (0.64, 0.41, 0.29),
    (0.55, 0.34, 0.22),
    (0.46, 0.27, 0.165),
    (0.36, 0.20, 0.115),
    (0.27, 0.142, 0.08),
    (0.195, 0.10, 0.056),
    (0.135, 0.068, 0.04),
    (0.09, 0.046, 0.03),
)
_CREASED_BY: dict[str, tuple[tuple[str, float], ...]] = {
    "forehead": (("browInnerUp", 0.7), ("browOuterUp", 0.6)),
    "glabella": (("browDown", 1.0),),
    "crow's feet": (("cheekSquint", 1.0), ("mouthSmile", 0.15)),
    "under the eye": (("cheekSquint", 0.7), ("eyeSquint", 0.6)),
    "nasolabial": (("mouthSmile", 0.8), ("mouthUpperUp", 0.6), ("noseSneer", 0.6)),
    "nose bridge": (("noseSneer", 1.0),),
    "chin": (("mouthShrugLower", 1.0),),
    "dimple": (("mouthDimple", 1.0), ("mouthSmile", 0.25)),
    "marionette": (("mouthFrown", 1.0),),
}
_AGED = np.array([0.35, 0.35, 0.3, 0.5, 0.6, 0.05, 0.0, 0.0, 0.45], np.float32)


def skin_colour(tone: float) -> NDArray[np.float64]:
    """Linear RGB of a tone between 0 and 9."""
    tones = np.array(SKIN_TONES)
    low = int(min(tone, len(tones) - 2))
    return np.asarray(tones[low] * (1 - (tone - low)) + tones[low + 1] * (tone - low))


def random_skin(
    random: np.random.Generator, shape: Shape, tone: float, hair: Hair, seed: int
) -> Skin:
    """Skin that fits the shape, the tone (0 lightest to 9 darkest) and the hair."""
    male = shape.gender > 0.5
    skin = skin_colour(tone) * (1 + random.normal(0, 0.05, 3))
    rosy = np.array((0.86, 0.50, 0.50)) if tone < 5 else np.array((0.92, 0.62, 0.62))
    lips = skin * rosy * (1 + random.normal(0, 0.05, 3))
    painted = not male and random.random() < 0.4
    if painted:
        lipstick = np.array([(0.45, 0.03, 0.05), (0.50, 0.12, 0.14), (0.30, 0.03, 0.09)])
        lips = lips + (lipstick[random.integers(3)] - lips) * random.uniform(0.3, 0.9)
    strand = np.array(hair.colour)
    brows = strand * (0.6 if hair.name in ("blond", "light brown", "white", "grey") else 0.9)
    beard = moustache = 0.0
    if male:
        kind = random.random()
        if kind < 0.45:
            beard = moustache = random.uniform(0.0, 0.35)
        elif kind < 0.62:
            beard = moustache = random.uniform(0.6, 1.0)
        elif kind < 0.70:
            moustache = random.uniform(0.6, 1.0)
    old = np.clip((shape.age - 30) / 50, 0, 1)
    return Skin(
        colour=_colour(skin),
        lips=_colour(lips),
        brows=_colour(brows),
        brow_amount=float(random.uniform(0.5, 0.98)),
        brow_thickness=float(random.uniform(0.026, 0.055) * (1.15 if male else 0.9)),
        brow_arch=float(random.uniform(0.02, 0.085)),
        brow_height=float(random.uniform(0.165, 0.205)),
        brow_length=float(random.uniform(0.38, 0.47)),
        blush=float(random.uniform(0, 0.8)),
        freckles=float(max(random.uniform(-2, 1), 0)),
        spots=float(random.uniform(0, 0.6) + 0.5 * old),
        gloss=float(random.uniform(0.01, 0.07)),
        shade=float(random.uniform(0.1, 0.8)),
        liner=float(random.uniform(0.35, 0.6) if male else random.uniform(0.5, 0.95)),
        beard=float(beard),
        moustache=float(moustache),
        beard_colour=_colour(strand * random.uniform(0.7, 1.2) + 0.05 * skin),
        wrinkles=float(old * random.uniform(0.5, 1.2)),
        creases=float(random.uniform(0.55, 1.0) * (0.8 + 0.3 * old)),
        seed=seed,
    )


def _colour(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in np.clip(values, 0.004, 0.95))
    return red, green, blue


def crease_weights(skin: Skin, actions: Array) -> Array:
    """(9, 2) depth of each wrinkle on the person's left and right half."""

    def strength(action: str, side: str) -> float:
        name = action if action in ACTION_INDEX else action + side
        return float(actions[ACTION_INDEX[name]])

    weights = np.empty((len(WRINKLES), 2), np.float32)
    for i, name in enumerate(WRINKLES):
        for j, side in enumerate(("Left", "Right")):
            moved = sum(share * strength(a, side) for a, share in _CREASED_BY[name])
            weights[i, j] = skin.wrinkles * _AGED[i] + skin.creases * moved
    return weights


def paint_skin(tile: Array, canvas: Canvas, skin: Skin, hair: Hair, actions: Array) -> None:
    """The skin of a person making an expression, into the (size, size, 6) tile.

    Args:
        tile: receives linear RGB, gloss, height and alpha.
        canvas: where things are.
        skin: the person's skin.
        hair: the hair, whose roots are painted on the scalp.
        actions: (52,) facial actions, 0 to 1.
    """
    random = np.random.default_rng(skin.seed)
    shift = random.integers(0, canvas.size, (len(canvas.noise), 2))
    _paint_skin(
        tile, canvas.place, canvas.lips, canvas.lids, canvas.wrinkles, canvas.noise, shift,
        crease_weights(skin, actions), np.array(skin.colour, np.float32),
        np.array(skin.lips, np.float32), np.array(skin.brows, np.float32),
        np.array(hair.colour, np.float32), np.array(skin.beard_colour, np.float32),
        np.array(
            [skin.brow_amount, skin.brow_thickness, skin.brow_arch, skin.brow_height,
             skin.brow_length, skin.blush, skin.freckles, skin.spots, skin.gloss, skin.shade,
             skin.liner, skin.beard, skin.moustache, hair.scalp],
            np.float32,
        ),
    )  # fmt: skip


@numba.njit(cache=True, fastmath=True)
def _smooth(low: float, high: float, value: float) -> float:
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@numba.njit(cache=True, fastmath=True)
def _paint_skin(
    sheet: Array,
    place: Array,
    lips: Array,
    lids: Array,
    wrinkles: Array,
    noise: Array,
    shift: NDArray[np.int64],
    crease: Array,
    skin: Array,
    lip_colour: Array,
    brow_colour: Array,
    hair_colour: Array,
    beard_colour: Array,
    amounts: Array,
) -> None:
    (brow_amount, brow_thickness, brow_arch, brow_height, brow_length, blush, freckles, spots,
     gloss, shade, liner, beard, moustache, scalp) = amounts  # fmt: skip
    size = place.shape[0]
    n = np.empty(4, np.float32)
    for row in range(size):
        for column in range(size):
            x, y, z = place[row, column, 0], place[row, column, 1], place[row, column, 2]
            side = abs(x)
            for k in range(4):
                n[k] = noise[k, (row + shift[k, 0]) % size, (column + shift[k, 1]) % size]
            tone = 1 + 0.04 * n[0] + 0.025 * n[1] + spots * 0.035 * n[2] + 0.02 * n[3]
            red, green, blue = skin[0] * tone, skin[1] * tone, skin[2] * tone
            shine = gloss * (0.6 + 0.4 * np.exp(-((side / 0.25) ** 2)))

            # Nothing of the face is on the back of the head: skip to its hair.
            front = z > -0.6
            flush = np.float32(0.0)
            if front:
                # Blood shows on cheeks and nose.
                flush = blush * (
                    np.exp(-(((side - 0.42) / 0.2) ** 2) - ((y + 0.35) / 0.2) ** 2)
                    + 0.5 * np.exp(-((side / 0.16) ** 2) - ((y + 0.4) / 0.12) ** 2)
                )
            green *= 1 - 0.35 * flush
            blue *= 1 - 0.3 * flush
            if freckles > 0 and z > -0.4:
                dots = _smooth(1.1, 1.9, n[2]) * np.exp(-(((y + 0.3) / 0.25) ** 2))
                fade = 1 - freckles * 0.5 * dots
                red, green, blue = red * (0.4 + 0.6 * fade), green * fade, blue * fade

            # Around the eyes the skin is thin and darker.
            ring = ((side - 0.31) / 0.27) ** 2 + ((y + 0.01) / 0.15) ** 2
            dark = shade * 0.45 * np.exp(-(ring**2)) if ring < 4 else np.float32(0.0)
            red, green, blue = red * (1 - dark), green * (1 - 1.1 * dark), blue * (1 - dark)

            groove = np.float32(0.0)
            left = _smooth(-0.03, 0.03, x)
            for k in range(wrinkles.shape[0] if front else 0):
                groove += wrinkles[k, row, column] * (
                    crease[k, 0] * left + crease[k, 1] * (1 - left)
                )
            groove *= 1 + 0.25 * n[1]
            relief = min(max(1 + 0.42 * groove, 0.35), 1.25)
            red *= 0.25 + 0.75 * relief
            green *= relief
            blue *= relief

            # Beard and moustache, or only their shadow.
            if z > -0.9 and y < -0.3:
                jaw = _smooth(-0.42, -0.75, y - 0.35 * max(side - 0.35, 0.0) + 0.06 * n[1])
                jaw *= _smooth(0.1, 0.22, side + 0.9 * max(-0.82 - y, 0.0)) * _smooth(
                    -1.35, -1.1, y
                )
                lip = np.exp(-((max(side - 0.16, 0.0) / 0.08) ** 2) - ((y + 0.575) / 0.045) ** 2)
                hairs = max(beard * jaw, moustache * lip)
                if hairs > 0.01:
                    cover = min(hairs * (0.55 + 0.3 * n[3] + 0.15 * n[2]), 0.92)
                    cover = max(cover, 0.3 * hairs)
                    red += (beard_colour[0] - red) * cover
                    green += (beard_colour[1] - green) * cover
                    blue += (beard_colour[2] - blue) * cover
                    shine *= 1 - cover

            mouth = lips[row, column]
            if mouth > 0:
                fine = 1 + 0.08 * n[3] - 0.25 * np.exp(-(((y + 0.722) / 0.012) ** 2))
                red += (lip_colour[0] * fine - red) * mouth
                green += (lip_colour[1] * fine - green) * mouth
                blue += (lip_colour[2] * fine - blue) * mouth
                shine += (0.14 - shine) * mouth

            # Brows: hairs along an arch.
            inner, outer = 0.085, 0.085 + brow_length
            if (
                brow_amount > 0
                and inner - 0.05 < side < outer + 0.06
                and 0.0 < y < 0.5
                and z > -0.6
            ):
                t = (side - inner) / (outer - inner)
                middle = brow_height + brow_arch * (1 - ((t - 0.62) / 0.62) ** 2)
                if t > 0.62:
                    middle = brow_height + brow_arch * (1 - ((t - 0.62) / 0.38) ** 2)
                half = brow_thickness * (1 - 0.65 * max(t, 0.0) ** 1.5)
                cover = _smooth(1.15, 0.55, abs(y - middle) / half)
                cover *= _smooth(-0.06, 0.06, t) * _smooth(1.08, 0.9, t)
                strands = np.sin(210 * side + 60 * (y - middle) + 2 * n[2])
                cover *= brow_amount * (0.78 + 0.22 * strands + 0.12 * n[3])
                cover = min(max(cover, 0.0), 0.96)
                red += (brow_colour[0] - red) * cover
                green += (brow_colour[1] - green) * cover
                blue += (brow_colour[2] - blue) * cover
                shine *= 1 - cover

            # Lashes and liner on the lids' rim, stronger above.
            rim = lids[row, column] * liner * (1.0 if y > -0.02 else 0.55)
            red, green, blue = red * (1 - rim), green * (1 - rim), blue * (1 - rim)

            # Hair that lies on the scalp.
            line = 0.78 - 0.75 * side**2.2 + 0.03 * n[1]
            line = line if z > -0.45 else min(line, 0.35 - 1.6 * max(-0.75 - z, 0.0))
            cover = scalp * _smooth(line - 0.03, line + 0.10, y)
            if z < -0.95 and y > -0.75:
                cover = scalp
            strands = 1 + 0.25 * n[3] + 0.1 * n[2]
            red += (hair_colour[0] * strands - red) * cover
            green += (hair_colour[1] * strands - green) * cover
            blue += (hair_colour[2] * strands - blue) * cover
            shine *= 1 - 0.7 * cover

            sheet[row, column, 0] = max(red, 0.0)
            sheet[row, column, 1] = max(green, 0.0)
            sheet[row, column, 2] = max(blue, 0.0)
            sheet[row, column, 3] = max(shine, 0.0)
            sheet[row, column, 4] = 0.0
            sheet[row, column, 5] = 1.0
