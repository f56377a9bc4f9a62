"""Who is rendered: random people, their attributes recorded exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from norface.synthesis.body.eyes import Eyes, random_eyes
from norface.synthesis.body.hair import Hair, random_hair
from norface.synthesis.body.head import Shape, head_model
from norface.synthesis.body.mouth import Mouth, random_mouth
from norface.synthesis.body.photo_skin import PhotoSkin
from norface.synthesis.body.skin import Skin, random_skin
from norface.synthesis.worn.clothes import Clothes, random_clothes
from norface.synthesis.worn.coverings import Covering, random_covering
from norface.synthesis.worn.glasses import Glasses, random_glasses
from norface.synthesis.worn.occluders import Occluder

AGES: Final = (18.0, 90.0)
TONES: Final = (1.0, 10.0)
"""The ends of the Monk scale, lightest to darkest."""

# How often the main ancestry is African, Asian or European at the tones 1 to 10: our estimate,
# made so that each is the main one of a third of all people when every tone is as frequent.
_ANCESTRY_OF_TONE: Final = np.array(
    (
        (0.00, 0.00, 0.00, 0.02, 0.08, 0.20, 0.45, 0.75, 0.95, 1.00),
        (0.10, 0.25, 0.40, 0.50, 0.55, 0.55, 0.40, 0.20, 0.05, 0.00),
        (0.90, 0.75, 0.60, 0.48, 0.37, 0.25, 0.15, 0.05, 0.00, 0.00),
    )
)


@dataclass(frozen=True)
class Person:
    """A synthetic person.

    Attributes:
        shape: bones and flesh.
        tone: skin tone on the Monk scale, 1 (lightest) to 10 (darkest).
        skin, eyes, mouth, hair: the surface.
        clothes, glasses, covering: what is worn; all but clothes may be None.
        occluder: something that hides a part of the face, or None.
        seed: the seed that gives this person again.
        photo: a skin taken from a photo over the painted one; never in the benchmark.
    """

    shape: Shape
    tone: float
    skin: Skin
    eyes: Eyes
    mouth: Mouth
    hair: Hair
    clothes: Clothes
    glasses: Glasses | None
    seed: int
    photo: PhotoSkin | None = None
    covering: Covering | None = None
    occluder: Occluder | None = None


def random_person(seed: int) -> Person:
    """The person with this number; the same number always gives the same person.

    Ages, the two halves of gender, and skin tones are each drawn evenly; ancestry fits the tone.
    """
    return person_of(seed)


def person_of(
    seed: int, *, age: float | None = None, gender: float | None = None, tone: float | None = None
) -> Person:
    """The person with this number, some attributes given. What hangs on none of them stays.

    Args:
        seed: the person's number.
        age: years, 18 to 90.
        gender: 0 female to 1 male.
        tone: skin tone on the Monk scale, 1 to 10.
    """
    random = np.random.default_rng([seed, 1])
    chances = random.random(5)
    side = float(chances[1] < 0.5)
    age = _between(chances[0], AGES) if age is None else age
    gender = 0.8 * side + 0.2 * float(chances[2]) if gender is None else gender
    tone = _between(chances[3], TONES) if tone is None else tone
    shares = [np.interp(tone, np.arange(1, 11), row) for row in _ANCESTRY_OF_TONE]
    main = min(int(np.searchsorted(np.cumsum(shares), chances[4])), 2)
    ancestry = random.dirichlet([0.35] * 3) * 0.45
    ancestry[main] += 1 - ancestry.sum()
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
    hair = random_hair(random, shape)
    return Person(
        shape=shape,
        tone=tone,
        skin=random_skin(random, shape, tone, hair, seed),
        eyes=random_eyes(random, shape),
        mouth=random_mouth(random),
        hair=hair,
        clothes=random_clothes(random),
        glasses=random_glasses(random),
        covering=random_covering(random, gender),
        seed=seed,
    )


def _between(chance: float, ends: tuple[float, float]) -> float:
    return float(ends[0] + (ends[1] - ends[0]) * chance)
