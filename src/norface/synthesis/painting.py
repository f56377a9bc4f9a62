"""Paint for one person: skin, lips, brows, lids, beard, wrinkles, eyes, teeth, hair, cloth."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX
from norface.synthesis.canvas import WRINKLES, Canvas

Array = NDArray[np.float32]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """What a person's surface looks like. Colours are linear RGB, amounts 0 to 1.

    Attributes:
        skin: albedo of the skin.
        lips: albedo of the lips.
        brows, brow_amount: colour of the brows and their density.
        brow_thickness, brow_arch, brow_height, brow_length: shape, in decimetres.
        blush, freckles, spots, gloss: amounts.
        shade: darkening around the eyes.
        liner: lashes and eye-liner.
        beard, moustache, beard_colour: stubble (low) to full (high).
        wrinkles: how deep age alone has made the wrinkles.
        creases: how deep expressions make them.
        iris, pupil: colour, and radius as a share of the iris.
        sclera: albedo of the eye's white.
        teeth: albedo.
        hair: colour of the head's hair.
        cloth: colour of the clothes.
        scalp: how far the painted hair reaches (0 bald, 1 full).
        seed: where the person's noise begins.
    """

    skin: Colour
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
    iris: Colour
    pupil: float
    sclera: Colour
    teeth: Colour
    hair: Colour
    cloth: Colour
    scalp: float
    seed: int


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


def crease_weights(look: Look, actions: Array) -> Array:
    """(9, 2) depth of each wrinkle on the person's left and right half."""

    def strength(action: str, side: str) -> float:
        name = action if action in ACTION_INDEX else action + side
        return float(actions[ACTION_INDEX[name]])

    weights = np.empty((len(WRINKLES), 2), np.float32)
    for i, name in enumerate(WRINKLES):
        for j, side in enumerate(("Left", "Right")):
            moved = sum(share * strength(a, side) for a, share in _CREASED_BY[name])
            weights[i, j] = look.wrinkles * _AGED[i] + look.creases * moved
    return weights


def paint(canvas: Canvas, look: Look, actions: Array) -> Array:
    """The whole paint of a person making an expression.

    Args:
        canvas: where things are.
        look: the person.
        actions: (52,) facial actions, 0 to 1.

    Returns:
        (size, 1.5 size, 4) linear albedo RGB and gloss.
    """
    size = canvas.size
    sheet = np.zeros((size, size + size // 2, 4), np.float32)
    random = np.random.default_rng(look.seed)
    shift = random.integers(0, size, (len(canvas.noise), 2))
    _paint_skin(
        sheet, canvas.place, canvas.lips, canvas.lids, canvas.wrinkles, canvas.noise, shift,
        crease_weights(look, actions), np.array(look.skin, np.float32),
        np.array(look.lips, np.float32), np.array(look.brows, np.float32),
        np.array(look.hair, np.float32), np.array(look.beard_colour, np.float32),
        np.array(
            [look.brow_amount, look.brow_thickness, look.brow_arch, look.brow_height,
             look.brow_length, look.blush, look.freckles, look.spots, look.gloss, look.shade,
             look.liner, look.beard, look.moustache, look.scalp],
            np.float32,
        ),
    )  # fmt: skip
    _paint_eyes(sheet[canvas.tile("eyes")], look)
    _paint_teeth(sheet[canvas.tile("teeth")], look)
    _paint_hair(sheet[canvas.tile("hair")], look, random)
    sheet[canvas.tile("mouth")] = (*(0.1 * np.array(look.lips) + (0.02, 0.0, 0.0)), 0.05)
    sheet[canvas.tile("tongue")] = (0.42, 0.14, 0.13, 0.25)
    sheet[canvas.tile("socket")] = (0.35 * look.skin[0], 0.22 * look.skin[1], 0.2 * look.skin[2], 0)
    sheet[canvas.tile("cloth")] = (*look.cloth, 0.0)
    return sheet


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


def _paint_eyes(tile: Array, look: Look) -> None:
    size = tile.shape[0]
    axis = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / (size / 4 * 2 - 2)
    radius = np.hypot(axis[None], axis[:, None])
    angle = np.arctan2(axis[:, None], axis[None])
    iris_radius = 0.47
    share = radius / iris_radius
    fibres = 1 + 0.18 * np.sin(angle * 23 + 4 * share) + 0.12 * np.sin(angle * 41)
    iris = np.array(look.iris) * (fibres * (0.75 + 0.45 * share))[..., None]
    white = np.array(look.sclera) * (1 - 0.25 * np.clip(radius - 0.6, 0, 1))[..., None]

    def step(edge: float, soft: float) -> Array:
        return np.asarray(np.clip((radius - edge) / soft + 0.5, 0, 1)[..., None], np.float32)

    colour = iris * (1 - 0.75 * step(iris_radius * 0.93, 0.08))
    colour = 0.01 + (colour - 0.01) * step(iris_radius * look.pupil, 0.05)
    tile[..., :3] = colour + (white - colour) * step(iris_radius, 0.05)
    tile[..., 3] = 0.9


def _paint_teeth(tile: Array, look: Look) -> None:
    rows, columns = tile.shape[:2]
    across = np.linspace(-1, 1, columns)
    # Twelve visible teeth, the middle ones the widest.
    position = 6 * np.sign(across) * np.abs(across) ** 0.85
    gap = np.abs(position - np.round(position))
    shade = (0.55 + 0.45 * np.clip(gap / 0.1, 0, 1)) * (1 - 0.55 * across**2)
    down = np.linspace(0, 1, rows)[:, None]
    tile[..., :3] = np.array(look.teeth) * (shade[None] * (0.9 + 0.1 * down))[..., None]
    gum = np.clip((0.22 - down) / 0.08, 0, 1)
    tile[..., :3] += (np.array((0.45, 0.16, 0.15)) - tile[..., :3]) * gum[..., None]
    tile[..., 3] = 0.35


def _paint_hair(tile: Array, look: Look, random: np.random.Generator) -> None:
    rows, columns = tile.shape[:2]
    single = np.asarray(random.standard_normal(columns), np.float32)
    strands = 0.6 * single + 0.8 * np.convolve(single, np.ones(5) / 5, mode="same")
    slow = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    level = np.clip(1 + 0.3 * strands[None] + 0.1 * np.sin(9 * slow + strands[None]), 0.3, 2)
    tile[..., :3] = np.array(look.hair) * level[..., None]
    tile[..., 3] = 0.12
