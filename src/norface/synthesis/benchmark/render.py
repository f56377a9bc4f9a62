"""One picture of a benchmark: the same on every run, whatever else is rendered."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_UNITS, PRESENCE_INTENSITY
from norface.results import Pose
from norface.synthesis.benchmark.design import (
    ATTRIBUTES,
    FACTORS,
    Design,
    Shot,
    Split,
    attributes_of,
    exact_attributes,
)
from norface.synthesis.body.hair import styled_hair
from norface.synthesis.expressions.sampling import random_expression
from norface.synthesis.expressions.units import action_unit_intensities
from norface.synthesis.people import Person, person_of
from norface.synthesis.picture.backgrounds import random_background
from norface.synthesis.picture.camera import Camera
from norface.synthesis.picture.lights import random_lights
from norface.synthesis.picture.scene import Scene, random_scene, render_face
from norface.synthesis.picture.sensor import CLEAN, Sensor
from norface.synthesis.samples import Sample, person_seed
from norface.synthesis.truth import truth
from norface.synthesis.worn.glasses import some_glasses
from norface.synthesis.worn.occluders import random_occluder

Array = NDArray[np.float32]
UInt8Image = NDArray[np.uint8]

_WILD_YAW: Final = 45.0
_WILD_BASE: Final = 0.6
"""Share of the wild pictures whose occlusion, or resolution, is the base level for sure; the others
have any level."""

_FACE_HEIGHT: Final = 0.62
_TRIES: Final = 1000

# Low light: darker pictures with a sensor's noise; against the light, what is behind is bright.
_DIM: Final = 0.4
_DIM_SENSOR: Final = Sensor(shot=0.025, read=0.01, colour_noise=0.4)
_BEHIND: Final = {"dim": 0.5, "back": 2.2}

_SHORT_OF_HAIR: Final = ("bald", "receding", "shaved")

# Streams of random numbers of one expression of one person; 0 makes the person (see the design).
_EXPRESSION, _SCENE, _LIGHT, _OCCLUSION, _RESOLUTION = 1, 2, 3, 4, 5


def _render_shot(design: Design, split: Split, index: int, shot: Shot) -> Sample:
    """Render one picture.

    Args:
        design: the benchmark.
        split: one of its splits.
        index: which person of the split.
        shot: which of the person's pictures.
    """
    person = benchmark_person(split, index)
    actions, emotion = _expression(split.series, index, shot.expression, shot.levels is None)
    scene = _scene(design, split, index, shot)
    occlusion = _level(design, "occlusion", split, index, shot)
    random = np.random.default_rng([split.series, index, shot.expression, _OCCLUSION, 1])
    if shot.levels is not None:
        # Hats and scarves shade the face: they would blur the base setting.
        person = replace(person, covering=None)
    person = _wear(person, random, occlusion)
    picture = render_face(person, actions, scene)
    side = int(_level(design, "resolution", split, index, shot))
    picture = replace(picture, image=coarsened(picture.image, side))
    return Sample(index, split.series, person, scene, picture, actions, emotion)


def shot_row(
    design: Design, split: Split, index: int, shot: Shot
) -> tuple[UInt8Image, dict[str, Any]]:
    """A picture and its row in the table of the truth."""
    sample = _render_shot(design, split, index, shot)
    bands = attributes_of(index)
    row: dict[str, Any] = {
        "input": design.picture_name(split, index, shot).split("/", 1)[1],
        "split": split.name,
        "track_few": int(split is design.splits[0] and index < design.few),
        "person": f"{split.name}_{index:03d}",
        "expression": shot.expression,
        "wild": int(shot.levels is None),
    }
    levels = {
        "pose": str(round(abs(sample.scene.pose.yaw))),
        "light": sample.scene.lights.name,
        "occlusion": _level(design, "occlusion", split, index, shot),
        "resolution": _level(design, "resolution", split, index, shot),
    }
    for factor in FACTORS:
        row[f"level_{factor}"] = levels[factor]
    for factor in FACTORS:
        row[f"stratum_{factor}"] = levels[factor] if factor in shot.strata else ""
    for name in ATTRIBUTES:
        row[f"stratum_{name}"] = design.levels(name)[getattr(bands, name)]
    return sample.picture.image, {**row, **truth(sample)}


def benchmark_person(split: Split, index: int) -> Person:
    """Person ``index`` of a split, with nothing worn or held before the face."""
    age, gender, tone = exact_attributes(split.series, index)
    person = person_of(person_seed(split.series, index), age=age, gender=gender, tone=tone)
    return replace(person, glasses=None, occluder=None)


@lru_cache(maxsize=16)
def _expression(series: int, index: int, expression: int, wild: bool) -> tuple[Array, int]:
    """An expression; on the matched ones each unit is present by turns, lest rare ones lack."""
    random = np.random.default_rng([series, index, expression, _EXPRESSION])
    if wild:
        return random_expression(random)
    units = [i for i, unit in enumerate(ACTION_UNITS) if unit.left]
    wanted = units[(index + 6 * expression) % len(units)]
    for _ in range(_TRIES):
        actions, emotion = random_expression(random)
        if action_unit_intensities(actions, 0.0)[wanted, 0] >= PRESENCE_INTENSITY:
            break
    return actions, emotion


def _scene(design: Design, split: Split, index: int, shot: Shot) -> Scene:
    """The scene of an expression; a factor's level replaces only what it names."""
    random = np.random.default_rng([split.series, index, shot.expression, _SCENE])
    if shot.levels is None:
        scene = random_scene(random, design.size, yaw=_WILD_YAW)
        # The level of resolution alone says how coarse a picture is.
        return replace(scene, sensor=replace(scene.sensor, resolution=1.0))
    side = 1.0 if random.random() < 0.5 else -1.0
    pitch, roll = (float(v) for v in np.clip(random.normal(0, 3, 2), -6, 6))
    camera = Camera(
        distance=float(random.uniform(7, 12)),
        face_height=_FACE_HEIGHT * float(random.uniform(0.95, 1.05)),
        centre=(0.5 + float(random.normal(0, 0.01)), 0.5 + float(random.normal(0, 0.01))),
    )
    exposure = float(random.uniform(0.34, 0.42))
    background = random_background(random, design.size)
    kind = shot.levels["light"]
    if kind == "dim":
        exposure *= _DIM
    light = np.random.default_rng([split.series, index, shot.expression, _LIGHT])
    return Scene(
        pose=Pose(pitch=pitch, yaw=side * float(shot.levels["pose"]), roll=roll),
        lights=random_lights(light, kind),
        camera=camera,
        exposure=exposure,
        background=background * np.float32(_BEHIND.get(kind, 0.75)),
        sensor=replace(_DIM_SENSOR, seed=index) if kind == "dim" else CLEAN,
    )


def _level(design: Design, factor: str, split: Split, index: int, shot: Shot) -> str:
    """The level of occlusion or resolution; in wild pictures by chance, mostly the base level."""
    if shot.levels is not None:
        return shot.levels[factor]
    stream = _OCCLUSION if factor == "occlusion" else _RESOLUTION
    random = np.random.default_rng([split.series, index, shot.expression, stream])
    levels = design.levels(factor)
    if random.random() < _WILD_BASE:
        return levels[0]
    return str(random.choice(levels))


def _wear(person: Person, random: np.random.Generator, level: str) -> Person:
    """The person with what an occlusion level names, and nothing else, before the face."""
    if level == "none":
        return person
    if level == "glasses":
        return replace(person, glasses=some_glasses(random))
    if level == "hair_over_eye" and person.hair.style in _SHORT_OF_HAIR:
        hair = styled_hair(random, person.shape, "side part")
        hair = replace(hair, name=person.hair.name, colour=person.hair.colour)
        person = replace(person, hair=hair)
    return replace(person, occluder=random_occluder(random, level))


def coarsened(image: UInt8Image, side: int) -> UInt8Image:
    """A picture as from a camera of fewer pixels: averaged down to ``side``, enlarged bicubically.

    Args:
        image: (S, S, 3); S is ``side`` times a power of 2.
        side: of the small picture in pixels.

    Exact on every machine: all sums are of dyadic fractions that float64 holds without rounding.
    """
    size = image.shape[0]
    if side == size:
        return image
    step = size // side
    sums = image.astype(np.int64).reshape(side, step, side, step, 3).sum(axis=(1, 3))
    small = (sums + step * step // 2) // (step * step)
    weights = _cubic(side, size)
    large = np.einsum("yi,ijc,xj->yxc", weights, small, weights, optimize=True)
    return np.asarray(np.clip(np.floor(large + 0.5), 0, 255), np.uint8)


@cache
def _cubic(side: int, size: int) -> NDArray[np.float64]:
    """(size, side) weights of bicubic enlargement (Keys, a = -0.75), edges repeated."""
    weights = np.zeros((size, side))
    for row in range(size):
        place = (row + 0.5) * side / size - 0.5
        first = math.floor(place) - 1
        for column in range(first, first + 4):
            away = abs(place - column)
            near = 1.25 * away**3 - 2.25 * away**2 + 1
            far = -0.75 * (away**3 - 5 * away**2 + 8 * away - 4)
            weights[row, min(max(column, 0), side - 1)] += near if away <= 1 else far
    return weights
