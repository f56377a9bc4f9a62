"""One numbered random sample: person, expression, scene. The same number gives the same sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.expressions.sampling import random_expression
from norface.synthesis.people import Person, random_person
from norface.synthesis.picture.scene import Picture, Scene, random_scene, render_face


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


def render_sample(
    seed: int, index: int, size: int, *, yaw: float = 30.0, face_height: float = 0.6
) -> Sample:
    """Render sample ``index`` of the series ``seed`` as a (size, size) picture.

    Args:
        seed: the series; people of different series differ.
        index: which sample of the series; each shows another person.
        size: side of the picture in pixels.
        yaw: largest turn of the head, degrees.
        face_height: share of the picture from chin to hairline, on average.
    """
    random = np.random.default_rng([seed, index])
    actions, emotion = random_expression(random)
    scene = random_scene(random, size, yaw=yaw, face_height=face_height)
    person = random_person(person_seed(seed, index))
    picture = render_face(person, actions, scene)
    return Sample(index, seed, person, scene, picture, actions, emotion)
