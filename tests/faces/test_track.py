import itertools

import numpy as np
import pytest

from norface.faces.bundle import canonical_face
from norface.faces.landmarks import FaceLandmarks
from norface.faces.track import Tracker

NOTHING = np.full(52, np.nan, np.float32)
IMAGE = np.zeros((720, 1280, 3), np.uint8)
FRAME = 0.04


def face(x, y=300.0, width=100.0, who=0):
    """A face with its middle at (x, y); ``who`` is hidden in a landmark's depth."""
    points = canonical_face() * width / np.ptp(canonical_face()[:, 0])
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    points = points - [*((low + high) / 2), 0.0] + [x, y, 0.0]
    points[0, 2] = who
    return FaceLandmarks.from_points(points.astype(np.float32), NOTHING, 0.9)


class Embedder:
    """Knows a person by the number that `face` hid."""

    same, different = 0.5, 0.7

    def __init__(self):
        self.looks = 0

    def __call__(self, image, points):
        self.looks += 1
        return np.eye(8, dtype=np.float32)[round(float(points[0, 2]))]


def test_people_who_stand_keep_their_numbers_in_any_order():
    tracker = Tracker()
    assert tracker.update(0.0, [face(100), face(500), face(900)]) == [0, 1, 2]
    assert tracker.update(FRAME, [face(905), face(98), face(502)]) == [2, 0, 1]
    assert tracker.update(2 * FRAME, []) == []
    assert tracker.update(3 * FRAME, [face(500)]) == [1]


def test_people_who_pass_each_other_keep_their_numbers():
    tracker = Tracker()
    for n, x in enumerate(np.linspace(200, 800, 60)):
        # One is hidden behind the other in the middle.
        faces = [face(x)] + ([face(1000 - x, 310.0)] if abs(x - 500) > 25 else [])
        assert tracker.update(n * FRAME, faces) == [0, 1][: len(faces)]


def test_no_two_faces_of_a_frame_share_a_number():
    tracker, random = Tracker(embedder=Embedder()), np.random.default_rng(0)
    for n in range(100):
        count = random.integers(0, 8)
        faces = [face(*random.uniform(0, 400, 2), who=random.integers(0, 3)) for _ in range(count)]
        numbers = tracker.update(n * FRAME, faces, IMAGE, cut=n % 30 == 29)
        assert len(set(numbers)) == count


def test_the_same_frames_give_the_same_numbers():
    def numbers():
        tracker, random = Tracker(), np.random.default_rng(1)
        for n in range(60):
            faces = [face(*random.uniform(0, 600, 2)) for _ in range(random.integers(0, 6))]
            yield tracker.update(n * FRAME, faces)

    assert list(numbers()) == list(numbers())


@pytest.mark.parametrize(("gone", "number"), [(0.5, 0), (1.9, 0), (2.5, 1)])
def test_a_face_that_comes_back_soon_is_the_same_person(gone, number):
    tracker = Tracker(memory=2.0)
    assert tracker.update(0.0, [face(300)]) == [0]
    assert tracker.update(gone, [face(330)]) == [number]


def test_another_size_or_place_is_another_person():
    tracker = Tracker()
    tracker.update(0.0, [face(300)])
    assert tracker.update(FRAME, [face(300, width=250.0)]) == [1]
    assert tracker.update(2 * FRAME, [face(600)]) == [2]


def test_time_counts_not_frames():
    # 400 pixels a second: a quarter of a face a frame at 25 frames a second, 2 at 2.
    for pace, expected in ((FRAME, {0}), (0.25, {0}), (1.0, {0, 1, 2, 3})):
        tracker = Tracker()
        times = np.arange(4) * pace
        assert {tracker.update(t, [face(100 + 400 * t)])[0] for t in times} == expected


def test_after_a_cut_nobody_is_known_without_identity():
    tracker = Tracker()
    assert tracker.update(0.0, [face(300)]) == [0]
    assert tracker.update(FRAME, [face(300)], cut=True) == [1]
    assert tracker.update(2 * FRAME, [face(300)], cut=True) == [2]


def test_identity_links_across_cuts_and_long_absences():
    tracker = Tracker(embedder=Embedder())
    assert tracker.update(0.0, [face(300, who=4), face(600, who=5)], IMAGE) == [0, 1]
    shot = [face(300, who=5), face(600, who=6)]
    assert tracker.update(FRAME, shot, IMAGE, cut=True) == [1, 2]
    assert tracker.update(60.0, [face(100, who=4)], IMAGE) == [0]
    assert tracker.update(120.0, [face(900, who=6), face(100, who=5)], IMAGE, cut=True) == [2, 1]


def test_identity_tells_who_comes_back_at_the_place_of_another():
    plain, knowing = Tracker(), Tracker(embedder=Embedder())
    for tracker in (plain, knowing):
        tracker.update(0.0, [face(300, who=1)], IMAGE)
    assert plain.update(1.0, [face(300, who=2)], IMAGE) == [0]
    assert knowing.update(1.0, [face(300, who=2)], IMAGE) == [1]
    assert knowing.update(2.0, [face(300, who=1)], IMAGE) == [0]


def test_identity_mends_a_swap_within_a_second():
    tracker = Tracker(embedder=Embedder())
    tracker.update(0.0, [face(300, who=1), face(600, who=2)], IMAGE)
    for n in range(1, 30):
        numbers = tracker.update(n * FRAME, [face(300, who=2), face(600, who=1)], IMAGE)
    assert numbers == [1, 0]


def test_a_person_who_was_taken_for_another_does_not_take_the_place_back():
    tracker = Tracker(embedder=Embedder())
    tracker.update(0.0, [face(300, who=1)], IMAGE)
    numbers = [tracker.update(n * FRAME, [face(300, who=2)], IMAGE)[0] for n in range(1, 60)]
    assert numbers[0] == 0
    assert numbers[30:] == [1] * 29


def test_who_comes_in_over_the_border_is_known_when_seen_whole():
    embedder = Embedder()
    tracker = Tracker(embedder=embedder)
    assert tracker.update(0.0, [face(300, who=1)], IMAGE) == [0]
    at_border = [tracker.update(9 + n * FRAME, [face(10 * n, who=1)], IMAGE)[0] for n in range(4)]
    assert at_border == [1] * 4
    assert embedder.looks == 1
    inside = [tracker.update(9.2 + n * FRAME, [face(60, who=1)], IMAGE)[0] for n in range(50)]
    assert inside == [0] * 50


def test_a_stranger_who_comes_in_over_the_border_keeps_the_number():
    tracker = Tracker(embedder=Embedder())
    tracker.update(0.0, [face(300, who=1)], IMAGE)
    xs = [*range(0, 100, 10), *[100] * 50]
    numbers = [tracker.update(9 + n * FRAME, [face(x, who=2)], IMAGE)[0] for n, x in enumerate(xs)]
    assert set(numbers) == {1}


def test_one_embedding_a_second_is_enough():
    embedder = Embedder()
    tracker = Tracker(embedder=embedder, look_every=1.0)
    for n in range(100):
        tracker.update(n * FRAME, [face(300)], IMAGE)
    assert embedder.looks == 4


def test_memory_does_not_grow_with_the_file():
    tracker = Tracker()
    for n in range(2000):
        tracker.update(n * FRAME, [face(100 + 150 * (n % 7))], cut=n % 10 == 0)
    assert len(tracker._people) < 60


def test_identity_needs_the_picture():
    with pytest.raises(ValueError, match="image"):
        Tracker(embedder=Embedder()).update(0.0, [face(300)])


@pytest.mark.parametrize("options", [{"memory": -1.0}, {"look_every": 0.0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match="memory"):
        Tracker(**options)


def test_numbers_are_given_in_order_of_appearance():
    tracker = Tracker()
    seen = [tracker.update(n * FRAME, [face(200 * k) for k in range(n + 1)]) for n in range(5)]
    assert list(itertools.chain.from_iterable(seen[-1:])) == [0, 1, 2, 3, 4]


def test_whose_place_another_has_taken_is_not_linked_by_place():
    tracker = Tracker()
    assert tracker.update(0.0, [face(300), face(600)]) == [0, 1]
    assert tracker.update(FRAME, [face(300), face(600)], gone=[0]) == [2, 1]


def test_with_identity_a_false_alarm_costs_a_look_and_no_number():
    tracker = Tracker(embedder=Embedder())
    tracker.update(0.0, [face(300, who=3)], IMAGE)
    assert tracker.update(FRAME, [face(300, who=3)], IMAGE, gone=[0]) == [0]
    assert tracker.update(2 * FRAME, [face(300, who=4)], IMAGE, gone=[0]) == [1]
