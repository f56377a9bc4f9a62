"""Who is who across cuts that the frame as a whole does not show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from norface.faces.find import FaceFinder
from norface.faces.shots import ShotDetector
from norface.media.images import read_image
from norface.media.video import Frame
from norface.runtime.following import Follower

STEPS = 3


@pytest.fixture(scope="module")
def finder() -> Iterator[FaceFinder]:
    with FaceFinder() as loaded:
        yield loaded


@pytest.fixture(scope="module")
def film(people: Sequence[Path], finder: FaceFinder) -> list[np.ndarray]:
    """Three people in turn, each at the same place before the same backdrop."""
    frames = []
    for path in people[1:]:
        image = read_image(path)
        box = finder.find(image)[0].box
        zoom = 70 / box.width
        middle = box.x + box.width / 2, box.y + box.height / 2
        matrix = np.array([[zoom, 0, 320 - zoom * middle[0]], [0, zoom, 200 - zoom * middle[1]]])
        near = cv2.warpAffine(image, matrix, (640, 400), flags=cv2.INTER_AREA)
        rows, columns = np.mgrid[:400, :640]
        inside = np.hypot((columns - 320) / 60, (rows - 200) / 70) < 1
        frame = np.where(inside[..., None], near, np.linspace(90, 150, 640)[None, :, None])
        frames += [np.roll(frame.astype(np.uint8), n, axis=1) for n in range(STEPS)]
    return frames


def numbers(follower: Follower, images: Sequence[np.ndarray], start: int = 0) -> list[list[int]]:
    frames = [Frame(number=n, time=n / 25, image=image) for n, image in enumerate(images, start)]
    return [follower.follow(frame)[1] for frame in frames]


def test_people_before_one_backdrop_are_told_apart(
    film: list[np.ndarray], finder: FaceFinder
) -> None:
    shots = ShotDetector()
    assert not any(shots.cut(image) for image in film)
    expected = [[person] for person in range(3) for _ in range(STEPS)]
    assert numbers(Follower(finder=finder), film) == expected


def test_a_light_from_one_side_is_no_cut(film: list[np.ndarray], finder: FaceFinder) -> None:
    lamp = np.linspace(0.2, 1.6, 640)[None, :, None]
    lit = [np.clip(image * lamp, 0, 255).astype(np.uint8) for image in film[:STEPS]]
    shots = ShotDetector()
    assert any(shots.cut(image) for image in film[:STEPS] + lit)
    assert numbers(Follower(finder=finder), film[:STEPS] + lit) == [[0]] * 2 * STEPS


def test_a_cut_is_seen_right_after_going_on(film: list[np.ndarray], finder: FaceFinder) -> None:
    first = Follower(finder=finder)
    numbers(first, film[:STEPS])
    state = json.loads(json.dumps(first.state()))
    again = Follower(finder=finder)
    again.restore(state)
    assert numbers(again, film[STEPS : 2 * STEPS], STEPS) == [[1]] * STEPS
