"""One numbered random sample: person, expression, scene. The same number gives the same sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX
from norface.synthesis.body.photo_skin import load_skin, skin_smiles
from norface.synthesis.expressions.sampling import random_expression
from norface.synthesis.people import Person, random_person
from norface.synthesis.picture.scene import Picture, Scene, random_scene, render_face
from norface.synthesis.worn.occluders import random_occluder

PHOTO_SHARE: Final = 0.5
SKINS_NEAR: Final = 40
OCCLUDED_SHARE: Final = 0.05


@dataclass(frozen=True)
class Sample:
    """A rendered face and everything that went into it.

    Attributes:
        index, seed: what gives this sample again.
        person, scene, picture: who, where, and the result.
        actions: (52,) facial actions, 0 to 1.
        emotion: index into ``facs.EMOTIONS``, -1 for an expression that is no prototype.
    """

    index: int
    seed: int
    person: Person
    scene: Scene
    picture: Picture
    actions: NDArray[np.float32]
    emotion: int


def person_seed(seed: int, index: int) -> int:
    """The number of the person in a sample; different seeds never share a person."""
    return (seed << 24) + index


def with_photo_skin(
    random: np.random.Generator, person: Person, actions: NDArray[np.float32], skins: Path
) -> Person:
    """The person with a skin of a photo whose smile is about as strong as the one in ``actions``.

    A photo's folds stay in its skin, so a smile's folds should come with a smile.
    """
    smile = float(np.mean([actions[ACTION_INDEX[f"mouthSmile{s}"]] for s in ("Left", "Right")]))
    distance = np.abs(skin_smiles(skins) - smile)
    near = np.argsort(distance, kind="stable")
    near = near[: max(SKINS_NEAR, int((distance < 0.15).sum()))]
    photo = load_skin(skins, int(random.choice(near)), mirrored=bool(random.random() < 0.5))
    # The photo has its own beard.
    skin = replace(person.skin, beard=0.0, moustache=0.0, goatee=0.0, sideburns=0.0)
    return replace(person, skin=skin, photo=photo)


def render_sample(
    seed: int,
    index: int,
    size: int,
    *,
    yaw: float = 30.0,
    face_height: float = 0.6,
    skins: Path | None = None,
) -> Sample:
    """Render sample ``index`` of the series ``seed`` as a (size, size) picture.

    Args:
        seed: the series; people of different series differ.
        index: which sample of the series; each shows another person.
        size: side of the picture in pixels.
        yaw: largest turn of the head, degrees.
        face_height: share of the picture from chin to hairline, on average.
        skins: file of skins of photos (`norface.synthesis.body.photo_skin`); half of the people
            get one of them.
    """
    random = np.random.default_rng([seed, index])
    actions, emotion = random_expression(random)
    scene = random_scene(random, size, yaw=yaw, face_height=face_height)
    person = random_person(person_seed(seed, index))
    if skins is not None and random.random() < PHOTO_SHARE:
        person = with_photo_skin(random, person, actions, skins)
    if random.random() < OCCLUDED_SHARE:
        person = replace(person, occluder=random_occluder(random))
    picture = render_face(person, actions, scene)
    return Sample(index, seed, person, scene, picture, actions, emotion)
