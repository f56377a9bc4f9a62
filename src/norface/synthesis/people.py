"""Who is rendered: random people, their attributes recorded exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.hair import Style
from norface.synthesis.head import Shape, head_model
from norface.synthesis.painting import Look

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
_HAIR = {
    "black": (0.012, 0.010, 0.010),
    "dark brown": (0.035, 0.020, 0.013),
    "brown": (0.085, 0.045, 0.024),
    "light brown": (0.17, 0.095, 0.048),
    "blond": (0.40, 0.27, 0.13),
    "red": (0.24, 0.075, 0.025),
    "grey": (0.30, 0.29, 0.28),
    "white": (0.62, 0.61, 0.58),
}
_IRIS = (
    (0.05, 0.025, 0.012), (0.10, 0.05, 0.02), (0.17, 0.10, 0.04), (0.14, 0.17, 0.07),
    (0.13, 0.22, 0.30), (0.20, 0.30, 0.38), (0.22, 0.25, 0.26),
)  # fmt: skip
_ANCESTRY_TONES = ((5.0, 9.4), (1.0, 5.5), (0.0, 4.0))


@dataclass(frozen=True)
class Person:
    """A synthetic person.

    Attributes:
        shape, look, style: bones, paint, hair and clothes.
        tone: skin tone, 0 (lightest) to 9 (darkest), index into ``SKIN_TONES``.
        hair_name: name of the hair's colour.
        seed: the seed that gives this person again.
    """

    shape: Shape
    look: Look
    style: Style
    tone: float
    hair_name: str
    seed: int


def random_person(seed: int) -> Person:
    """The person with this number; the same number always gives the same person."""
    random = np.random.default_rng([seed, 1])
    gender = float(random.random() < 0.5) * 0.8 + 0.2 * random.random()
    age = float(18 + 72 * random.random() ** 1.35)
    main = int(random.integers(3))
    ancestry = random.dirichlet([0.35] * 3) * 0.45
    ancestry[main] += 1 - ancestry.sum()
    low, high = _ANCESTRY_TONES[main]
    tone = float(np.clip(random.uniform(low, high) + random.normal(0, 0.6), 0, 9))
    names = head_model().local_names
    local = np.clip(random.normal(0, 0.26, len(names)), -0.8, 0.8)
    # Strong versions of these look like nobody.
    for i, name in enumerate(names):
        if name.startswith(("ear-", "neck-", "measure-", "head-trans", "head-angle")):
            local[i] *= 0.4
        if name.startswith(("head-age", "head-fat")):
            local[i] *= 0.6
    shape = Shape(
        gender=gender,
        age=age,
        muscle=float(np.clip(random.normal(0.5, 0.2), 0, 1)),
        weight=float(np.clip(random.normal(0.5, 0.25), 0, 1)),
        ancestry=(float(ancestry[0]), float(ancestry[1]), float(ancestry[2])),
        local=local.astype(np.float32),
    )
    hair_name = _hair_name(random, main, age)
    look = _look(random, shape, tone, hair_name, seed)
    return Person(shape, look, _style(random, shape), tone, hair_name, seed)


def skin_colour(tone: float) -> NDArray[np.float64]:
    """Linear RGB of a tone between 0 and 9."""
    tones = np.array(SKIN_TONES)
    low = int(min(tone, len(tones) - 2))
    return np.asarray(tones[low] * (1 - (tone - low)) + tones[low + 1] * (tone - low))


def _hair_name(random: np.random.Generator, main: int, age: float) -> str:
    if random.random() < np.clip((age - 45) / 40, 0, 0.85):
        return str(random.choice(["grey", "white"], p=[0.65, 0.35]))
    if main < 2:
        return str(random.choice(["black", "dark brown", "brown"], p=[0.65, 0.25, 0.10]))
    names = ["black", "dark brown", "brown", "light brown", "blond", "red"]
    return str(random.choice(names, p=[0.08, 0.27, 0.25, 0.17, 0.17, 0.06]))


def _colour(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in np.clip(values, 0.004, 0.95))
    return red, green, blue


def _look(
    random: np.random.Generator, shape: Shape, tone: float, hair_name: str, seed: int
) -> Look:
    male = shape.gender > 0.5
    skin = skin_colour(tone) * (1 + random.normal(0, 0.05, 3))
    rosy = np.array((0.86, 0.50, 0.50)) if tone < 5 else np.array((0.92, 0.62, 0.62))
    lips = skin * rosy * (1 + random.normal(0, 0.05, 3))
    painted = not male and random.random() < 0.4
    if painted:
        lipstick = np.array([(0.45, 0.03, 0.05), (0.50, 0.12, 0.14), (0.30, 0.03, 0.09)])
        lips = lips + (lipstick[random.integers(3)] - lips) * random.uniform(0.3, 0.9)
    hair = np.array(_HAIR[hair_name]) * random.uniform(0.7, 1.3)
    brows = hair * (0.6 if hair_name in ("blond", "light brown", "white", "grey") else 0.9)
    beard = moustache = 0.0
    if male:
        kind = random.random()
        if kind < 0.45:
            beard = moustache = random.uniform(0.0, 0.35)
        elif kind < 0.62:
            beard = moustache = random.uniform(0.6, 1.0)
        elif kind < 0.70:
            moustache = random.uniform(0.6, 1.0)
    dark_eyes = shape.ancestry[2] < 0.5
    iris = np.array(_IRIS[random.integers(2 if dark_eyes else len(_IRIS))])
    old = np.clip((shape.age - 30) / 50, 0, 1)
    return Look(
        skin=_colour(skin),
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
        beard_colour=_colour(hair * random.uniform(0.7, 1.2) + 0.05 * skin),
        wrinkles=float(old * random.uniform(0.5, 1.2)),
        creases=float(random.uniform(0.55, 1.0) * (0.8 + 0.3 * old)),
        iris=_colour(iris * random.uniform(0.8, 1.2)),
        pupil=float(random.uniform(0.3, 0.55)),
        sclera=_colour(np.array((0.72, 0.68, 0.66)) * random.uniform(0.85, 1.05)),
        teeth=_colour(np.array((0.78, 0.72, 0.62)) * random.uniform(0.75, 1.1)),
        hair=_colour(hair),
        cloth=_colour(random.uniform(0.02, 0.5) * (1 + random.normal(0, 0.35, 3))),
        scalp=0.0 if male and random.random() < 0.10 + 0.2 * old else 1.0,
        seed=seed,
    )


def _style(random: np.random.Generator, shape: Shape) -> Style:
    male = shape.gender > 0.5
    is_long = random.random() < (0.08 if male else 0.68)
    glasses = int(random.choice([0, 1, 2], p=[0.82, 0.10, 0.08]))
    return Style(
        volume=float(random.uniform(0.03, 0.16) if male else random.uniform(0.08, 0.24)),
        line=float(random.normal(0, 0.06) + (0.08 * (shape.age > 55) if male else -0.02)),
        parting=float(random.uniform(-1, 1)),
        length=float(random.uniform(0.3, 2.0)) if is_long else 0.0,
        collar=float(random.uniform(-0.15, 0.15)),
        glasses=glasses,
        frame=(float(random.uniform(0.22, 0.28)), float(random.uniform(0.13, 0.22))),
        frame_colour=_colour(random.uniform(0.0, 0.25, 3) ** 1.5),
    )
