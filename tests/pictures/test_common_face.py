from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from norface.pictures.common_face import Row, Scene, ground_color
from norface.results import Box, FaceAnalysis, FrameAnalysis

MakeFace = Callable[..., FaceAnalysis]
GREY = (130, 140, 150)


def frame(
    *faces: FaceAnalysis, time: float = 0.0, size: tuple[int, int] = (640, 360)
) -> FrameAnalysis:
    return FrameAnalysis(0, time, size, faces)


def reddish(picture: np.ndarray) -> np.ndarray:
    return picture[:, :, 0].astype(int) - picture[:, :, 1] > 60


def centre(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def test_a_scene_shows_faces_where_they_were_and_nothing_else(make_face: MakeFace) -> None:
    scene = Scene(width=640, height=360, ground=GREY)
    small = make_face(0, Box(100, 120, 40, 50))
    large = make_face(1, Box(400, 100, 120, 150))
    drawn = scene.draw(frame(small, large))
    assert drawn.shape == (360, 640, 3)
    left, right = reddish(drawn[:, :320]), reddish(drawn[:, 320:])
    assert centre(left) == pytest.approx((120, 145), abs=8)
    assert centre(right) == pytest.approx((460 - 320, 175), abs=20)
    assert right.sum() / left.sum() == pytest.approx(9, rel=0.2)
    assert (drawn[:, :40] == GREY).all()


def test_the_larger_face_is_in_front(make_face: MakeFace) -> None:
    scene = Scene(width=640, height=360, ground=GREY)
    blue = np.full((256, 256, 3), (0, 0, 255), np.uint8)
    near = make_face(0, Box(260, 120, 120, 150), normalized=blue)
    far = make_face(1, Box(300, 150, 40, 50))
    for order in ((near, far), (far, near)):
        assert not reddish(scene.draw(frame(*order))).any()


def test_a_large_scene_is_made_smaller_and_so_are_frames_that_change(make_face: MakeFace) -> None:
    scene = Scene(width=3840, height=2160, ground=GREY)
    assert scene.size == (1280, 720)
    large = scene.draw(frame(make_face(0, Box(1920, 1080, 300, 360)), size=(3840, 2160)))
    half = scene.draw(frame(make_face(0, Box(960, 540, 150, 180)), size=(1920, 1080)))
    assert centre(reddish(large)) == pytest.approx(centre(reddish(half)), abs=1)


@pytest.mark.parametrize("box", [Box(-60, -60, 90, 90), Box(620, 340, 90, 90), Box(9e3, 0, 9, 9)])
def test_faces_may_reach_outside(box: Box, make_face: MakeFace) -> None:
    Scene(width=640, height=360, ground=GREY).draw(frame(make_face(0, box)))


def at(row: Row, time: float, *faces: FaceAnalysis) -> list[bool]:
    drawn = row.draw(frame(*faces, time=time))
    return [bool((drawn[:, p * 256 : (p + 1) * 256] != GREY).any()) for p in range(2)]


def test_people_keep_their_places_in_a_row(make_face: MakeFace) -> None:
    row = Row(places=2, side=256, ground=GREY)
    box = Box(0, 0, 50, 50)
    a, b, c = (make_face(n, box) for n in range(3))
    assert at(row, 0.0, b, a) == [True, True]
    assert at(row, 0.5, b) == [False, True]
    assert at(row, 0.6, b, c) == [False, True]  # a may come back
    assert row.left_out == 1
    assert at(row, 0.7, a, b) == [True, True]
    assert at(row, 2.0, b, c) == [True, True]
    assert at(row, 2.1, c) == [True, False]
    assert row.left_out == 1


def test_a_row_shows_the_normalized_faces_as_they_are(make_face: MakeFace) -> None:
    normalized = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    row = Row(places=3, side=256, ground=GREY)
    drawn = row.draw(frame(make_face(5, Box(0, 0, 9, 9), normalized=normalized)))
    assert np.array_equal(drawn[:, :256], normalized)
    assert (drawn[:, 256:] == GREY).all()


def test_a_row_needs_a_place() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Row(places=0, side=256, ground=GREY)


def test_the_ground_is_that_of_the_target() -> None:
    target = np.full((256, 256, 3), (200, 30, 30), np.uint8)
    target[:20, :20] = target[:20, -20:] = GREY
    assert ground_color(target) == GREY
