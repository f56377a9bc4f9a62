import cv2
import numpy as np
import pytest

from norface.faces.continuity import VIEW_SIDE, Look, change, view
from norface.media.images import read_image


@pytest.fixture(scope="module")
def others(examples, finder):
    """Pictures of other people, and their landmarks."""
    images = [read_image(examples / f"person_{number}.jpg") for number in (2, 3, 4)]
    return [(image, finder.find(image)[0].points) for image in images]


def seen(image, points):
    return view(np.asarray(image, np.uint8), points)


def test_a_view_does_not_depend_on_place_size_and_roll(person_image, found_person):
    one = view(person_image, found_person.points)
    assert one.shape == (VIEW_SIDE, VIEW_SIDE)
    matrix = cv2.getRotationMatrix2D((200, 150), 20, 0.6)
    image = cv2.warpAffine(person_image, matrix, person_image.shape[1::-1])
    points = found_person.points.copy()
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert change(one, view(image, points)) < 0.03


def test_people_differ_more_than_one_does_from_frame_to_frame(person_image, found_person, others):
    points = found_person.points
    look = Look(view(person_image, points))
    ramp = np.linspace(0.5, 1.2, person_image.shape[1])[None, :, None]
    for same in (
        person_image * 0.6,
        person_image * ramp,
        cv2.GaussianBlur(person_image, (0, 0), 0.02 * np.ptp(points[:, 0])),
    ):
        assert not look.next(np.asarray(same, np.uint8), points, points).is_another
    for image, theirs in others:
        # At the same place and as large.
        scale = np.ptp(points[:, 0]) / np.ptp(theirs[:, 0])
        shift = points[:, :2].mean(axis=0) - scale * theirs[:, :2].mean(axis=0)
        matrix = np.column_stack([scale * np.eye(2), shift])
        there = cv2.warpAffine(image, matrix, person_image.shape[1::-1])
        now = look.next(
            there, np.column_stack([theirs[:, :2] * scale + shift, theirs[:, 2]]), points
        )
        assert now.is_another
        assert not now.is_same


def test_what_comes_over_a_face_little_by_little_is_no_other_face():
    blank = np.zeros((VIEW_SIDE, VIEW_SIDE), np.uint8)
    assert Look(blank, change=0.3, unrest=0.01).is_another
    assert not Look(blank, change=0.3, unrest=0.07).is_another


def test_unrest_is_forgotten_soon(person_image, found_person):
    look = Look(view(person_image, found_person.points), change=0.2)
    for _ in range(6):
        look = look.next(person_image, found_person.points, found_person.points)
    assert 0 < look.unrest < 0.01


def test_dark_noise_is_no_change():
    random = np.random.default_rng(0)
    one, other = (np.uint8(10 + random.normal(0, 0.5, (VIEW_SIDE, VIEW_SIDE))) for _ in range(2))
    assert change(one, other) < 0.14  # with plain correlation 1


def test_a_look_is_restored(person_image, found_person):
    look = Look(view(person_image, found_person.points), 0.1, 0.2)
    again = Look.restored(look.state())
    assert (again.change, again.unrest) == (0.1, 0.2)
    assert (again.view == look.view).all()
