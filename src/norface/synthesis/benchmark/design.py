"""What synfacs shows: its people, its pictures and what tells them apart, as data.

In the test split each person shows four expressions at an ordinary base setting (straight ahead,
even light, nothing worn, full resolution). Each factor is then varied alone on two of them, so that
its levels compare on the same people with the same expressions; "wild" pictures vary everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

AGE_BANDS: Final = ((18, 30), (30, 45), (45, 60), (60, 75), (75, 90))
"""Years, from and up to."""

TONE_BANDS: Final = ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10))
"""Steps of the Monk Skin Tone Scale; a band reaches half a step beyond both."""

GENDERS: Final = ("female", "male")

FACTORS: Final = ("pose", "light", "occlusion", "resolution")
"""What is varied in pictures; the people's attributes are varied over people."""

ATTRIBUTES: Final = ("age", "gender", "tone")

# The expressions (of the person's four) on which a factor is varied: each expression serves two.
_SHOWN_ON: Final = {"pose": (0, 1), "light": (2, 3), "occlusion": (0, 2), "resolution": (1, 3)}
_EXPRESSIONS: Final = 4


@dataclass(frozen=True)
class Split:
    """One split.

    Attributes:
        name: of its folder.
        series: its people's series (see ``samples.person_seed``); splits never share one.
        people: how many.
        wild: pictures of each person with everything varied.
        factors: whether each person is also shown with one factor varied at a time.
    """

    name: str
    series: int
    people: int
    wild: int
    factors: bool = False


@dataclass(frozen=True)
class Design:
    """A benchmark.

    Attributes:
        name: of the benchmark and its version.
        size: side of the pictures in pixels.
        splits: what it consists of.
        pose: turns of the head to one side, degrees.
        light: kinds of light.
        occlusion: what covers a part of the face.
        resolution: side of the pictures in pixels before they are enlarged to ``size``.
        few: how many people of the first split the track ``few`` may learn from.

    The first level of each factor is its base level.
    """

    name: str
    size: int
    splits: tuple[Split, ...]
    pose: tuple[int, ...]
    light: tuple[str, ...]
    occlusion: tuple[str, ...]
    resolution: tuple[int, ...]
    few: int

    def split(self, name: str) -> Split:
        """The split of this name."""
        return next(split for split in self.splits if split.name == name)

    def levels(self, factor: str) -> tuple[str, ...]:
        """The levels of a factor or of an attribute of people, in order, as in the tables."""
        if factor in FACTORS:
            return tuple(str(level) for level in getattr(self, factor))
        return {
            "age": tuple(f"{low}-{high - 1}" for low, high in AGE_BANDS),
            "gender": GENDERS,
            "tone": tuple(f"{low}-{high}" for low, high in TONE_BANDS),
        }[factor]

    def count(self, split: Split) -> int:
        """How many pictures a split has."""
        return split.people * len(self.shots(split))

    def shots(self, split: Split) -> list[Shot]:
        """The pictures of each person of a split, in order."""
        shots = list(self._matched()) if split.factors else []
        return shots + [Shot(f"w{i:02d}", _EXPRESSIONS + i) for i in range(split.wild)]

    def _matched(self) -> Iterator[Shot]:
        base = {factor: self.levels(factor)[0] for factor in FACTORS}
        for expression in range(_EXPRESSIONS):
            shown = [factor for factor in FACTORS if expression in _SHOWN_ON[factor]]
            yield Shot(f"e{expression}_base", expression, dict(base), tuple(shown))
            for factor in shown:
                for level in self.levels(factor)[1:]:
                    yield Shot(
                        f"e{expression}_{factor}_{level}",
                        expression,
                        {**base, factor: level},
                        (factor,),
                    )

    def picture_name(self, split: Split, person: int, shot: Shot) -> str:
        """Path of a picture below the benchmark's folder."""
        return f"{split.name}/p{person:03d}_{shot.name}.png"

    def digest(self) -> str:
        """A fingerprint of the design itself: 32 hexadecimal digits."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Shot:
    """One picture of a person.

    Attributes:
        name: unlike the person's other pictures'.
        expression: number of the expression; equal numbers show the same.
        levels: the level of each factor; None when all are left to chance ("wild").
        strata: the factors whose comparison this picture belongs to.
    """

    name: str
    expression: int
    levels: dict[str, str] | None = None
    strata: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attributes:
    """Bands of one person, indices into ``AGE_BANDS``, ``GENDERS`` and ``TONE_BANDS``."""

    age: int
    gender: int
    tone: int


def attributes_of(person: int) -> Attributes:
    """Bands of the person with this number: evenly spread.

    Any 50 people in a row hold each combination once, any 10 each band of age and tone twice and
    each gender five times.
    """
    age, turn = person % 5, person // 5 % 10
    return Attributes(age, (age + turn) % 2, (2 * age + turn) % 5)


def exact_attributes(series: int, person: int) -> tuple[float, float, float]:
    """Age in years, gender (0 female to 1 male) and Monk tone, at random within the bands."""
    random = np.random.default_rng([series, person, 0, 0])
    bands = attributes_of(person)
    age = random.uniform(*AGE_BANDS[bands.age])
    low, high = TONE_BANDS[bands.tone]
    gender = 0.8 * bands.gender + 0.2 * random.random()
    tone = np.clip(random.uniform(low - 0.5, high + 0.5), 1, 10)
    return float(age), float(gender), float(tone)


SYNFACS_V1: Final = Design(
    name="synfacs-v1",
    size=256,
    splits=(
        Split("train", series=1001, people=200, wild=20),
        Split("validation", series=1002, people=50, wild=20),
        Split("test", series=1003, people=100, wild=8, factors=True),
    ),
    pose=(0, 15, 30, 45),
    light=("even", "side", "overhead", "coloured", "dim", "back"),
    occlusion=(
        "none", "glasses", "sunglasses", "mask",
        "hand_mouth", "hand_cheek", "hand_eye", "hair_over_eye",
    ),
    resolution=(256, 128, 64, 32),
    few=10,
)  # fmt: skip

DESIGNS: Final = {SYNFACS_V1.name: SYNFACS_V1}

RESERVED_SERIES: Final = frozenset(split.series for split in SYNFACS_V1.splits)
"""Series whose people must not be trained on."""
