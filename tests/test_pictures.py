from __future__ import annotations

import numpy as np
import pytest

from norface.facs import ACTION_UNIT_NAMES
from norface.pictures import HEIGHT, WIDTH, annotate
from norface.results import ActionUnit, Box, FaceAnalysis, Pose

RED = np.full((256, 256, 3), (255, 0, 0), np.uint8)
GREEN = np.full((256, 256, 3), (0, 255, 0), np.uint8)


def make_face(number: int, box: Box, *, emotion: str | None = "happiness") -> FaceAnalysis:
    units = {
        name: ActionUnit(intensity=i % 6, probability=0.5, present=i % 2 == 0)
        for i, name in enumerate(ACTION_UNIT_NAMES)
    }
    return FaceAnalysis(
        face_id=number,
        confidence=0.9,
        box=box,
        pose=Pose(0, 0, 0),
        landmarks=np.zeros((478, 3), np.float32),
        action_units=units,
        emotion=emotion,
        emotions={} if emotion is None else {emotion: 0.5},
        normalized=RED,
        aligned=GREEN,
    )


def share(picture: np.ndarray, color: tuple[int, int, int]) -> float:
    """The pixels of one colour, in 256 x 256 pictures."""
    return float((picture == np.array(color)).all(axis=2).sum()) / (256 * 256)


@pytest.mark.parametrize("faces", [0, 1, 2, 3, 4, 6, 7, 23])
@pytest.mark.parametrize(
    "size", [(1, 1), (32, 32), (640, 360), (360, 640), (4000, 300), (300, 4000)]
)
def test_every_picture_and_every_number_of_faces_fits(size: tuple[int, int], faces: int) -> None:
    width, height = size
    box = Box(x=width / 4, y=height / 4, width=width / 2, height=height / 2)
    image = np.full((height, width, 3), 100, np.uint8)
    drawn = annotate(image, [make_face(i, box) for i in range(faces)])
    assert drawn.dtype == np.uint8
    assert drawn.shape[1] == WIDTH
    assert drawn.shape[0] >= HEIGHT
    assert (drawn.shape[0] == HEIGHT) or faces > 3
    # Every face's normalized picture is there, and large enough to see.
    assert share(drawn, (255, 0, 0)) >= 0.3 * faces
    assert share(drawn, (100, 100, 100)) > 0


def test_one_face_shows_the_aligned_face_too() -> None:
    image = np.full((300, 300, 3), 100, np.uint8)
    drawn = annotate(image, [make_face(0, Box(x=50, y=50, width=100, height=100))])
    assert share(drawn, (0, 255, 0)) > 0.5


@pytest.mark.parametrize(
    "box",
    [
        Box(x=-50, y=-50, width=120, height=120),
        Box(x=80, y=80, width=120, height=120),
        Box(x=500, y=500, width=10, height=10),
        Box(x=20, y=20, width=0, height=0),
    ],
)
def test_a_box_may_reach_outside_the_picture(box: Box) -> None:
    annotate(np.zeros((100, 100, 3), np.uint8), [make_face(0, box, emotion=None)])
