"""The common face that every face is normalized to, and other target faces to train with.

A target face is a person in one pose, one light and before one plain background, framed exactly as
`norface.faces.align` frames a photo of that person.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.faces.align import framing
from norface.faces.find import FaceFinder
from norface.faces.pose import fit_head
from norface.facs import FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.body.eyes import Eyes
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.head import Shape, head_model
from norface.synthesis.body.mouth import Mouth
from norface.synthesis.body.skin import Skin
from norface.synthesis.people import Person, person_of
from norface.synthesis.picture.camera import Camera
from norface.synthesis.picture.rasterize import Lights
from norface.synthesis.picture.scene import Scene, render_face
from norface.synthesis.worn.clothes import Clothes

# Seed, age and Monk tone.
_TARGETS: Final = (
    (900_001, 26.0, 3.0), (900_002, 58.0, 7.4), (900_005, 40.0, 9.5), (900_007, 22.0, 5.0),
    (900_010, 70.0, 1.5), (900_011, 34.0, 6.2), (900_013, 50.0, 8.4),
)  # fmt: skip
TARGET_SEEDS: Final = tuple(seed for seed, _, _ in _TARGETS)
"""Random people who serve as further targets in training; index 0 is the common face."""

TARGET_COUNT: Final = 1 + len(TARGET_SEEDS)

_BACKGROUND = (0.42, 0.47, 0.52)
_STUDIO = Lights(
    directions=np.array([(-0.35, 0.45, 0.82), (0.6, 0.2, 0.77)], np.float32),
    colours=np.array([(0.62, 0.60, 0.57), (0.22, 0.22, 0.23)], np.float32),
    sky=np.array((0.42, 0.43, 0.45), np.float32),
    ground=np.array((0.28, 0.26, 0.25), np.float32),
)


def common_person() -> Person:
    """The common identity: an adult of mixed ancestry, neither clearly male nor female."""
    names = head_model().local_names
    local = np.zeros(len(names), np.float32)
    for name, value in {
        "mouth-angles-up": 0.12,
        "eye-scale-incr": 0.15,
        "eye-height2-incr": 0.25,
        "nose-scale-horiz-incr": -0.1,
        "ear-wing-incr": -0.2,
    }.items():
        local[names.index(name)] = value
    shape = Shape(0.62, 28.0, 0.5, 0.47, (0.28, 0.30, 0.42), local)
    skin = Skin(
        colour=(0.60, 0.375, 0.265), lips=(0.46, 0.19, 0.165), brows=(0.035, 0.02, 0.014),
        brow_amount=0.88, brow_thickness=0.036, brow_arch=0.05, brow_height=0.18,
        brow_length=0.43, blush=0.35, freckles=0.0, spots=0.1, gloss=0.03, shade=0.25,
        liner=0.62, beard=0.0, moustache=0.0, beard_colour=(0.1, 0.07, 0.05), wrinkles=0.0,
        creases=1.0, relief=1.0, lid_crease=0.6, pores=0.3, seed=11,
    )  # fmt: skip
    return Person(
        shape=shape,
        tone=4.0,
        skin=skin,
        eyes=Eyes(
            iris=(0.10, 0.055, 0.025),
            pupil=0.38,
            sclera=(0.76, 0.73, 0.71),
            size=0.35,
            lid_shade=0.85,
            wet=0.7,
            lashes=0.6,
        ),
        mouth=Mouth(teeth=(0.80, 0.76, 0.69), tucked=1.0, seam=0.3),
        hair=Hair("dark brown", (0.045, 0.026, 0.017), 1.0, 0.13, -0.02, 0.4, 0.0),
        clothes=Clothes((0.13, 0.17, 0.22), 0.0),
        glasses=None,
        seed=-1,
    )


@cache
def target_person(index: int) -> Person:
    """A target identity; 0 is the common face."""
    if index == 0:
        return common_person()
    seed, age, tone = _TARGETS[index - 1]
    person = person_of(seed, age=age, tone=tone)
    # Bones of one gender under the surface of the other: nobody's face in particular.
    shape = replace(person.shape, gender=1 - person.shape.gender)
    return uncovered(replace(person, shape=shape))


def uncovered(person: Person) -> Person:
    """The person with nothing on or before the face."""
    return replace(person, glasses=None, covering=None, occluder=None)


def render_target(index: int, actions: NDArray[np.float32], size: int = 256) -> NDArray[np.uint8]:
    """A target identity making an expression, in the framing of the aligned crop.

    Args:
        index: which target, 0 the common face.
        actions: (52,) facial actions, 0 to 1.
        size: side of the picture.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    matrix = _target_framing(index).copy()
    matrix[:, 2] *= size / 256
    return render_face(target_person(index), actions, studio(size, matrix)).image


@cache
def _target_framing(index: int) -> NDArray[np.float64]:
    neutral = np.zeros(len(FACIAL_ACTIONS), np.float32)
    picture = render_face(target_person(index), neutral, studio(256)).image
    with FaceFinder() as finder:
        face = finder.landmark_crop(picture)
    if face is None:
        raise RuntimeError(f"no face is found on target {index}: choose another seed")
    return framing(fit_head(face.points), 256)


def studio(size: int, warp: NDArray[np.float64] | None = None) -> Scene:
    """The targets' scene: from the front, in even light, before a plain background.

    Args:
        size: side of the picture in pixels.
        warp: (2, 3) affine map of the pixels; none when None.
    """
    background = np.empty((size, size, 3), np.float32)
    background[:] = np.array(_BACKGROUND) * 0.55
    return Scene(Pose(0, 0, 0), _STUDIO, Camera(distance=11, warp=warp), 0.36, background)
