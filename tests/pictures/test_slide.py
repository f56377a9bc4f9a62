from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from norface.pictures import HEIGHT, WIDTH, annotate
from norface.results import Box, FaceAnalysis

MakeFace = Callable[..., FaceAnalysis]


def share(picture: np.ndarray, color: tuple[int, int, int]) -> float:
    """The pixels of one colour, in 256 x 256 pictures."""
    return float((picture == np.array(color)).all(axis=2).sum()) / (256 * 256)


@pytest.mark.parametrize("faces", [0, 1, 2, 3, 4, 6, 7, 23])
@pytest.mark.parametrize(
    "size", [(1, 1), (32, 32), (640, 360), (360, 640), (4000, 300), (300, 4000)]
)
def test_every_picture_and_every_number_of_faces_fits(
    size: tuple[int, int], faces: int, make_face: MakeFace
) -> None:
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


def test_one_face_shows_the_aligned_face_too(make_face: MakeFace) -> None:
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
def test_a_box_may_reach_outside_the_picture(box: Box, make_face: MakeFace) -> None:
    annotate(np.zeros((100, 100, 3), np.uint8), [make_face(0, box, emotion=None)])
