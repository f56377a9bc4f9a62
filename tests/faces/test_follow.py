import cv2
import numpy as np
import pytest

from norface.faces.find import FaceFinder
from norface.faces.landmark_network import SIDE, LandmarkNetwork, region
from norface.media.images import read_image


@pytest.fixture(scope="module")
def head(person_image, found_person):
    """A person's head and shoulders, 150 pixels a face."""
    box = found_person.box
    side = round(2 * max(box.width, box.height))
    x, y = round(box.x + box.width / 2 - side / 2), round(box.y + box.height / 2 - side / 2)
    x, y = max(0, x), max(0, y)
    scale = 150 / box.width
    cut = person_image[y : y + side, x : x + side]
    return cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def frame(*placed):
    """1280 x 720 with heads at (x, y)."""
    picture = np.full((720, 1280, 3), (90, 110, 100), np.uint8)
    for head, x, y in placed:
        picture[y : y + head.shape[0], x : x + head.shape[1]] = head
    return picture


@pytest.fixture
def searches(finder, monkeypatch):
    """Counts the searches of whole frames."""
    done = []
    search = finder._candidates
    monkeypatch.setattr(finder, "_candidates", lambda image: done.append(1) or search(image))
    monkeypatch.setattr(finder, "_frames_to_search", 0)
    monkeypatch.setattr(finder, "_frames_between", finder._search_every)
    return done


def middle(face):
    return np.array([face.box.x + face.box.width / 2, face.box.y + face.box.height / 2])


def test_the_network_agrees_with_mediapipe_where_both_look(person_image, found_person):
    points, presence = LandmarkNetwork()(person_image, [found_person.points])
    apart = np.linalg.norm(points[0] - found_person.points, axis=1).mean()
    assert apart < 0.02 * found_person.box.width
    assert presence[0] > 0.99


def test_many_faces_at_once_are_read_as_each_alone(examples, finder):
    image = read_image(examples / "group.jpg")
    faces = [face.points for face in finder.find(image)]
    assert len(faces) > 8  # more than go through the network together
    network = LandmarkNetwork()
    together, sure = network(image, faces)
    for i in (0, 3, len(faces) - 1):
        alone, sure_alone = network(image, [faces[i]])
        np.testing.assert_allclose(together[i], alone[0], atol=0.02)
        assert sure[i] == pytest.approx(sure_alone[0], abs=1e-4)


def test_the_region_holds_the_face_with_level_eyes(found_person):
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    points = found_person.points.copy()
    points[:, :2] = 3.0 * points[:, :2] @ turn.T + (40, 70)
    matrix = region(points)
    there = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert there[33, 1] == pytest.approx(there[263, 1], abs=0.01)
    assert there[33, 0] < there[263, 0]
    assert there.min() > 0
    assert there.max() < SIDE


@pytest.mark.parametrize("value", [0, 120])
def test_where_no_face_is_none_is_present(person_image, found_person, value):
    blank = np.full_like(person_image, value)
    assert LandmarkNetwork()(blank, [found_person.points])[1][0] < 0.01


def test_a_moving_face_is_followed_without_a_search(finder, head, searches):
    faces = finder.follow(frame((head, 300, 200)), [])
    assert len(searches) == 1
    for step in range(1, 8):
        x, y = 300 + 12 * step, 200 + 5 * step
        (face,) = faces = finder.follow(frame((head, x, y)), faces)
        (found,) = finder.find(frame((head, x, y))) if step == 7 else (face,)
        apart = np.linalg.norm(face.points - found.points, axis=1).mean()
        assert apart < 0.03 * found.box.width
    assert len(searches) == 2  # the second is that of `find`
    assert np.isnan(face.blendshapes).all()
    assert face.confidence > 0.9


def test_a_face_that_jumps_is_found_again_in_the_same_frame(finder, head, searches):
    (face,) = faces = finder.follow(frame((head, 100, 200)), [])
    (there,) = finder.follow(frame((head, 800, 200)), faces)
    np.testing.assert_allclose(middle(there) - middle(face), (700, 0), atol=8)
    assert len(searches) == 2


def test_a_face_that_is_gone_is_looked_for_ever_less_often(finder, head, searches):
    other = np.ascontiguousarray(head[:, ::-1])
    faces = finder.follow(frame((head, 100, 200), (other, 800, 200)), [])
    assert len(faces) == 2
    searched = []
    for _ in range(20):
        before = len(searches)
        faces = finder.follow(frame((head, 100, 200)), faces)
        searched.append(len(searches) > before)
        assert len(faces) == 1
    assert [i for i, done in enumerate(searched) if done] == [0, 1, 3, 7, 15]


def test_a_new_face_is_found_at_the_next_search_and_comes_last(finder, head, searches):
    other = np.ascontiguousarray(head[:, ::-1])
    faces = finder.follow(frame((head, 100, 200)), [])
    first = middle(faces[0])
    counts = []
    for _ in range(12):
        faces = finder.follow(frame((head, 100, 200), (other, 800, 200)), faces)
        np.testing.assert_allclose(middle(faces[0]), first, atol=5)
        counts.append(len(faces))
    assert counts == [1] * 9 + [2] * 3
    assert middle(faces[1])[0] > 700


def test_a_video_is_followed_alike_whatever_came_before(finder, head):
    other = np.ascontiguousarray(head[:, ::-1])
    video = [frame((head, 100, 200), *([(other, 800, 200)] if n > 2 else [])) for n in range(14)]

    def counts():
        faces = []
        for picture in video:
            faces = finder.follow(picture, faces)
            yield len(faces)

    first = list(counts())
    assert first == [1] * 10 + [2] * 4
    faces = finder.follow(video[-1], finder.follow(video[0], []))
    assert len(finder.follow(np.zeros_like(video[0]), faces)) == 0
    assert list(counts()) == first


def test_two_followers_of_one_face_become_one(finder, head):
    picture = frame((head, 300, 200))
    (face,) = finder.find(picture)
    assert len(finder.follow(picture, [face, face])) == 1


def test_nothing_is_followed_in_nothing(finder, found_person, person_image):
    blank = np.full_like(person_image, 120)
    assert finder.follow(blank, []) == []
    assert finder.follow(blank, [found_person]) == []


def test_a_face_far_outside_the_picture_is_lost(finder, found_person):
    assert finder.follow(np.full((48, 64, 3), 90, np.uint8), [found_person]) == []


def test_a_senseless_pace_is_refused():
    with pytest.raises(ValueError, match="search_every"):
        FaceFinder(search_every=0)
