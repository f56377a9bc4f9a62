from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from norface.pictures.drawing import color_of, rgb, write_text
from norface.pictures.frames import annotate_frame, annotated_size
from norface.results import Box, FaceAnalysis

MakeFace = Callable[..., FaceAnalysis]
RED = (255, 0, 0)


def count(picture: np.ndarray, color: tuple[int, int, int]) -> int:
    return int((picture == np.array(color)).all(axis=2).sum())


@pytest.mark.parametrize("faces", [0, 1, 3, 9])
@pytest.mark.parametrize(
    "size", [(1, 1), (64, 48), (640, 360), (1280, 720), (720, 1280), (4000, 300), (3840, 2160)]
)
def test_every_frame_and_every_number_of_faces_fits(
    size: tuple[int, int], faces: int, make_face: MakeFace
) -> None:
    width, height = size
    box = Box(x=width / 4, y=height / 4, width=width / 2, height=height / 2)
    image = np.full((height, width, 3), 100, np.uint8)
    drawn = annotate_frame(image, [make_face(i, box) for i in range(faces)])
    assert drawn.dtype == np.uint8
    assert (drawn.shape[1], drawn.shape[0]) == annotated_size(width, height)
    assert drawn.shape[0] % 2 == drawn.shape[1] % 2 == 0
    assert drawn.shape[0] <= 1080
    # The picture is there, and a normalized face for each card that fits.
    assert count(drawn, (100, 100, 100)) > 0.3 * 100
    cards = min(faces, max(1, (drawn.shape[0] - 10) // 234))
    assert count(drawn, RED) == cards * 144 * 144


def test_a_frame_of_usual_size_keeps_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    assert np.array_equal(annotate_frame(image, [])[:, :1280], image)


def test_persons_keep_their_colours_and_lowest_numbers_come_first(make_face: MakeFace) -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    faces = [make_face(n, Box(100 + 150 * n, 200, 100, 120)) for n in (4, 1, 0, 2)]
    drawn = annotate_frame(image, faces)
    picture, panel = drawn[:, :1280], drawn[:, 1280:]
    for number in (0, 1, 2, 4):
        assert count(picture, rgb(color_of(number))) > 500
    # There is room for three cards.
    assert all(count(panel, rgb(color_of(number))) for number in (0, 1, 2))
    assert not count(panel, rgb(color_of(4)))


def test_bars_are_as_long_as_units_are_strong(make_face: MakeFace) -> None:
    face = make_face(0, Box(10, 10, 50, 50))
    blue = rgb(color_of(0))
    lengths = {}
    for intensity in (0.0, 2.5, 5.0):
        units = {
            "AU12": type(face.action_units["AU12"])(intensity, 0.9, present=True),
        }
        drawn = annotate_frame(
            np.zeros((480, 640, 3), np.uint8),
            [make_face(0, Box(-90, -90, 5, 5), normalized=face.normalized, only=units)],
        )
        lengths[intensity] = count(drawn[44:, 640:], blue)
    assert lengths[0.0] == 0
    assert lengths[5.0] == 2 * lengths[2.5] > 0


@pytest.mark.parametrize(
    "box",
    [Box(-50, -50, 120, 120), Box(80, 80, 120, 120), Box(500, 500, 10, 10), Box(20, 20, 0, 0)],
)
def test_a_box_may_reach_outside_the_frame(box: Box, make_face: MakeFace) -> None:
    annotate_frame(np.zeros((100, 100, 3), np.uint8), [make_face(0, box, emotion=None)])


def test_what_was_not_read_is_said(make_face: MakeFace) -> None:
    box = Box(10, 10, 50, 50)
    image = np.zeros((480, 640, 3), np.uint8)
    without = annotate_frame(image, [make_face(0, box, units=False, emotion=None)])
    nobody = annotate_frame(image, [])
    grey = (156, 163, 175)
    assert count(without[:, 640:], grey) > 50
    assert count(nobody[:, 640:], grey) > 50


def test_letters_outside_the_picture_are_left_out() -> None:
    canvas = np.zeros((20, 20, 3), np.uint8)
    for x, middle in ((-5, 10), (15, 10), (5, -3), (5, 22), (400, 10), (5, 400), (-400, 10)):
        write_text(canvas, "AU12", x, middle, 14, (255, 255, 255))
    assert canvas.any()


def test_a_frame_of_720_pixels_is_drawn_within_five_milliseconds(make_face: MakeFace) -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    faces = [make_face(n, Box(100 + 150 * n, 200, 100, 120)) for n in range(3)]
    took = []
    for _ in range(20):
        start = time.thread_time()
        annotate_frame(image, faces)
        took.append(time.thread_time() - start)
    # The best of twenty: the others wait for whatever else the machine does.
    assert min(took) < 0.005
