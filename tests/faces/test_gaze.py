"""The direction of the eyes, from hand-made eyeballs in a known head and from faces."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from norface.faces.bundle import canonical_face
from norface.faces.gaze import (
    BALL_CENTRE,
    IRIS_DISTANCE,
    MILLIMETRES,
    SHUT,
    estimate_gaze,
    eye_openings,
)
from norface.faces.landmark_network import LandmarkNetwork
from norface.faces.pose import rotation_from_pose
from norface.results import Direction, Gaze, Pose

AHEAD = Pose(0.0, 0.0, 0.0)
# Iris, inner and outer corner, the side; of the person's left eye and of the right one.
EYES = ((473, 362, 263, 1), (468, 133, 33, -1))
LIDS = {1: ((385, 380), (386, 374), (387, 373)), -1: ((158, 153), (159, 145), (160, 144))}


def toward(yaw: float, pitch: float) -> NDArray[np.float64]:
    """The vector of angles in degrees, as `Gaze` has them."""
    yaw, pitch = np.radians((yaw, pitch))
    return np.array([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), -np.cos(yaw) * np.cos(pitch)])


def looking(
    left: NDArray[np.float64],
    right: NDArray[np.float64] | None = None,
    *,
    head: Pose = AHEAD,
    scale: float = 12.0,
    shut: tuple[int, ...] = (),
) -> NDArray[np.float64]:
    """(478, 3) landmarks of a turned head whose eyes look there, seen from the camera."""
    rotation = rotation_from_pose(head)
    face = canonical_face().copy()
    for upper, lower in (pair for side in shut for pair in LIDS[side]):
        face[upper] = face[lower]
    points = face @ rotation.T
    for (iris, inner, outer, side), direction in zip(
        EYES, (left, left if right is None else right), strict=True
    ):
        centre = (face[inner] + face[outer]) / 2
        centre = centre + np.array(BALL_CENTRE) * (side, 1, 1) / MILLIMETRES
        points[iris] = rotation @ centre + direction * IRIS_DISTANCE / MILLIMETRES
    return scale * points + (640.0, 360.0, 0.0)


def gaze_of(points: NDArray[np.float64]) -> Gaze:
    gaze = estimate_gaze(points)
    assert gaze is not None
    return gaze


@pytest.mark.parametrize("head", [AHEAD, Pose(10.0, -25.0, 0.0), Pose(-8.0, 30.0, 20.0)])
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (25, 0), (-10, 15), (5, -20)])
def test_a_known_direction_is_found_however_the_head_is_turned(
    head: Pose, yaw: float, pitch: float
) -> None:
    gaze = gaze_of(looking(toward(yaw, pitch), head=head))
    assert gaze.left == pytest.approx(tuple(toward(yaw, pitch)), abs=1e-6)
    assert gaze.right == pytest.approx(tuple(toward(yaw, pitch)), abs=1e-6)
    assert (gaze.yaw, gaze.pitch) == pytest.approx((yaw, pitch), abs=1e-4)


def test_eyes_may_look_apart() -> None:
    gaze = gaze_of(looking(toward(-8, 0), toward(8, 0)))
    assert gaze.left == pytest.approx(tuple(toward(-8, 0)))
    assert gaze.right == pytest.approx(tuple(toward(8, 0)))
    assert (gaze.yaw, gaze.pitch) == pytest.approx((0, 0), abs=1e-6)


def test_the_size_of_the_face_does_not_matter() -> None:
    small, large = (gaze_of(looking(toward(12, 6), scale=scale)) for scale in (3.0, 60.0))
    assert small.direction == pytest.approx(large.direction)


def test_a_turned_picture_turns_the_direction() -> None:
    points = looking(toward(20, 0), head=Pose(5.0, 15.0, 0.0))
    quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    before, after = gaze_of(points), gaze_of(points @ quarter.T)
    assert after.direction == pytest.approx(tuple(quarter @ before.direction))


def test_a_shut_eye_looks_nowhere() -> None:
    gaze = gaze_of(looking(toward(15, 5), shut=(1,)))
    assert gaze.left is None
    assert gaze.direction == gaze.right == pytest.approx(tuple(toward(15, 5)))
    assert estimate_gaze(looking(toward(15, 5), shut=(1, -1))) is None


def test_openings_are_those_of_each_eye() -> None:
    open_, half = eye_openings(canonical_face()), eye_openings(looking(toward(0, 0), shut=(-1,)))
    assert open_[0] == pytest.approx(open_[1])
    assert open_[0] > SHUT
    assert half == pytest.approx((open_[0], 0.0))


def test_an_iris_off_the_ball_is_none() -> None:
    points = looking(toward(0, 0))
    points[473, 0] += 12.0 * 1.2 * IRIS_DISTANCE / MILLIMETRES
    gaze = gaze_of(points)
    assert gaze.left is None
    assert gaze.right is not None


def test_signs_and_the_mean_of_both_eyes() -> None:
    right: Direction = (0.6, 0.0, -0.8)
    up: Direction = (0.0, -0.6, -0.8)
    assert Gaze(right, None).yaw == pytest.approx(36.87, abs=0.01)
    assert Gaze(None, up).pitch == pytest.approx(36.87, abs=0.01)
    both = Gaze(right, up)
    assert np.linalg.norm(both.direction) == pytest.approx(1.0)
    assert (both.yaw, both.pitch) == pytest.approx((20.56, 19.35), abs=0.01)


def test_points_that_are_no_face_are_refused() -> None:
    with pytest.raises(ValueError, match="478"):
        estimate_gaze(np.zeros((468, 3)))


def test_both_landmark_networks_give_irises(person_image, found_person) -> None:
    followed = LandmarkNetwork()(person_image, [found_person.points])[0][0]
    for points in (found_person.points, followed):
        for iris, inner, outer, _ in EYES:
            place = points[iris, :2]
            width = np.linalg.norm(points[inner, :2] - points[outer, :2])
            rim = np.linalg.norm(points[iris + 1 : iris + 5, :2] - place, axis=1)
            assert (rim > 0.1 * width).all()
            assert (rim < 0.4 * width).all()
            across = sorted(points[[inner, outer], 0])
            assert across[0] < place[0] < across[1]


def test_an_example_looks_at_the_camera(found_person) -> None:
    gaze = found_person.gaze
    assert gaze == estimate_gaze(found_person.points)
    assert max(abs(gaze.yaw), abs(gaze.pitch)) < 15
