"""Who is rendered: random people, their attributes recorded exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from norface.synthesis.body.eyes import Eyes, random_eyes
from norface.synthesis.body.hair import Hair, random_hair
from norface.synthesis.body.head import Shape, head_model
from norface.synthesis.body.mouth import Mouth, random_mouth
from norface.synthesis.body.skin import Skin, random_skin
from norface.synthesis.worn.clothes import Clothes, random_clothes
from norface.synthesis.worn.glasses import Glasses, random_glasses

_ANCESTRY_TONES = ((5.0, 9.4), (1.0, 5.5), (0.0, 4.0))


@dataclass(frozen=True)
class Person:
    """A synthetic person.

    Attributes:
        shape: bones and flesh.
        tone: skin tone, 0 (lightest) to 9 (darkest).
        skin, eyes, mouth, hair: the surface.
        clothes, glasses: what is worn; glasses may be None.
        seed: the seed that gives this person again.
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
        seed=seed,
    )
