"""Hair of the head: what it is like, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from norface.synthesis.body.head import Shape

HAIR_COLOURS: Final = {
    "black": (0.012, 0.010, 0.010),
    "dark brown": (0.035, 0.020, 0.013),
    "brown": (0.085, 0.045, 0.024),
    "light brown": (0.17, 0.095, 0.048),
    "blond": (0.40, 0.27, 0.13),
    "red": (0.24, 0.075, 0.025),
    "grey": (0.30, 0.29, 0.28),
    "white": (0.62, 0.61, 0.58),
}

HAIR_DYES: Final = (
    (0.04, 0.10, 0.32), (0.55, 0.10, 0.25), (0.05, 0.22, 0.12), (0.16, 0.05, 0.28),
    (0.30, 0.02, 0.02), (0.50, 0.38, 0.22),
)  # fmt: skip

HAIR_STYLES: Final = (
    "bald", "receding", "shaved", "crop", "side part", "fringe", "quiff", "bob", "long", "wavy",
    "curly", "afro", "bun", "ponytail", "braids",
)  # fmt: skip

# How often each style is worn: by men, by women, by men and women of mainly African ancestry.
_CHANCES: Final = np.array(
    (
        (6, 12, 8, 24, 18, 8, 12, 1, 3, 2, 5, 1, 0, 1, 0),
        (0, 0, 1, 4, 5, 9, 2, 15, 21, 15, 8, 1, 9, 9, 1),
        (10, 12, 26, 26, 1, 0, 1, 0, 0, 0, 9, 9, 0, 0, 6),
        (1, 0, 5, 9, 2, 4, 1, 6, 9, 8, 20, 13, 9, 5, 16),
    ),
    np.float64,
)


@dataclass(frozen=True)
class Hair:
    """The hair of the head.

    Attributes:
        name: name of the colour.
        colour: linear RGB that grows, of the brows too.
        scalp: how far it covers the scalp: 0 bald, 1 full.
        volume: thickness above the scalp, decimetres.
        line: how far the hairline is moved up (positive) or down, decimetres.
        parting: -1 to 1, side to which the fringe falls.
        length: how far it falls below the eyes, decimetres; 0 for short hair.
        style: one of ``HAIR_STYLES``.
        curl: 0 straight to 1 tightly curled.
        recede: 0 to 1, how far the corners of the forehead are bare.
        fringe: how far hair falls over the forehead, decimetres.
        before_ears: whether falling hair hides the ears.
        grey: share of grey strands.
        roots: 0 to 1, how much darker the roots are.
        tips: linear RGB of the ends of falling hair, or None for the colour.
        dye: linear RGB that it is dyed, or None.
        wisps: how many loose locks hang over the forehead.
        seed: seed of its locks and strands.
    """

    name: str
    colour: tuple[float, float, float]
    scalp: float
    volume: float
    line: float
    parting: float
    length: float
    style: str = "crop"
    curl: float = 0.0
    recede: float = 0.0
    fringe: float = 0.0
    before_ears: bool = True
    grey: float = 0.0
    roots: float = 0.2
    tips: tuple[float, float, float] | None = None
    dye: tuple[float, float, float] | None = None
    wisps: int = 0
    seed: int = 0


def random_hair(random: np.random.Generator, shape: Shape) -> Hair:
    """Hair that fits age, gender and ancestry, or that does not: chance decides."""
    male = shape.gender > 0.5
    main = int(np.argmax(shape.ancestry))
    old = float(np.clip((shape.age - 30) / 50, 0, 1))
    chances = _CHANCES[(2 if main == 0 else 0) + (0 if male else 1)].copy()
    chances[:2] *= (0.3 + 2.2 * old) if male else old
    style = HAIR_STYLES[int(random.choice(len(chances), p=chances / chances.sum()))]
    return styled_hair(random, shape, style)


def styled_hair(random: np.random.Generator, shape: Shape, style: str) -> Hair:
    """Hair of one of ``HAIR_STYLES``, the rest by chance."""
    male = shape.gender > 0.5
    main = int(np.argmax(shape.ancestry))
    old = float(np.clip((shape.age - 30) / 50, 0, 1))
    name = _hair_name(random, main, shape.age)
    red, green, blue = (
        float(v) for v in np.minimum(np.array(HAIR_COLOURS[name]) * random.uniform(0.7, 1.3), 0.8)
    )
    dye = HAIR_DYES[int(random.integers(len(HAIR_DYES)))] if random.random() < 0.04 else None
    volume = {
        "receding": (0.03, 0.08), "crop": (0.05, 0.15), "side part": (0.10, 0.20),
        "fringe": (0.10, 0.21), "quiff": (0.08, 0.15), "curly": (0.14, 0.34),
        "afro": (0.30, 0.65), "bun": (0.05, 0.10), "ponytail": (0.05, 0.10),
        "braids": (0.06, 0.11),
    }.get(style, (0.12, 0.27))  # fmt: skip
    curl = {"wavy": (0.25, 0.5), "curly": (0.6, 0.85), "afro": (0.9, 1.0)}.get(style, (0.0, 0.15))
    if main == 0 and style in ("crop", "receding", "quiff", "fringe", "bun"):
        curl = (0.7, 1.0)
    length = {
        "bob": (0.45, 1.0), "long": (1.1, 2.2), "wavy": (0.6, 2.0), "braids": (0.5, 2.0),
    }.get(style)  # fmt: skip
    if style == "curly" and random.random() < (0.15 if male else 0.75):
        length = (0.3, 1.4)
    fringe = {"fringe": (0.25, 0.62), "crop": (0.0, 0.14), "side part": (0.02, 0.22)}.get(style)
    if style in ("bob", "long", "wavy", "curly") and random.random() < 0.35:
        fringe = (0.15, 0.6)
    recede = 0.8 * old * random.random() if male else 0.15 * random.random()
    if style == "receding":
        recede = random.uniform(0.5, 1.0)
    low, high = volume
    thick = float(random.uniform(low, high))
    straight, tight = curl
    return Hair(
        name=name,
        colour=(red, green, blue),
        scalp={"bald": 0.0, "receding": 0.25, "shaved": 0.75}.get(style, 1.0),
        volume=thick,
        line=float(random.normal(0, 0.05) + (0.04 * old if male else -0.02)),
        parting=float(random.uniform(-1, 1)),
        length=float(random.uniform(*length)) if length else 0.0,
        style=style,
        curl=float(random.uniform(straight, tight)),
        recede=float(recede),
        fringe=float(random.uniform(*fringe)) if fringe else 0.0,
        before_ears=bool(random.random() < 0.65),
        grey=float(0.5 * old * random.random()) if name not in ("grey", "white") else 0.2,
        roots=float(random.uniform(0.45, 0.8) if dye else random.uniform(0.0, 0.35)),
        tips=_lighter(random, (red, green, blue)),
        dye=dye,
        wisps=_wisps(random, style),
        seed=int(random.integers(2**31)),
    )


def _wisps(random: np.random.Generator, style: str) -> int:
    count = int(random.integers(2, 7)) if random.random() < 0.35 else 0
    return 0 if style in ("bald", "receding", "shaved", "afro") else count


def _hair_name(random: np.random.Generator, main: int, age: float) -> str:
    if random.random() < np.clip((age - 45) / 40, 0, 0.85):
        return str(random.choice(["grey", "white"], p=[0.65, 0.35]))
    if main < 2 and random.random() < 0.93:
        return str(random.choice(["black", "dark brown", "brown"], p=[0.65, 0.25, 0.10]))
    names = ["black", "dark brown", "brown", "light brown", "blond", "red"]
    return str(random.choice(names, p=[0.08, 0.27, 0.25, 0.17, 0.17, 0.06]))


def _lighter(
    random: np.random.Generator, colour: tuple[float, float, float]
) -> tuple[float, float, float] | None:
    """Bleached ends, for few."""
    if random.random() > 0.08:
        return None
    red, green, blue = colour
    light = float(random.uniform(0.1, 0.4))
    return red + light, green + 0.66 * light, blue + 0.33 * light
