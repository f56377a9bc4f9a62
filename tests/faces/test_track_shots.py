import numpy as np
import pytest

from norface.faces.shots import ShotDetector


def scene(seed, shift=0, size=(180, 320)):
    """Soft shapes, as seen by a camera that has moved by ``shift`` pixels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]] / size[1]
    picture = np.zeros((*size, 3))
    for _ in range(12):
        cx, cy, radius = random.uniform(0, 2), random.uniform(0, 0.6), random.uniform(0.05, 0.3)
        blob = np.exp(-((x + shift / size[1] - cx) ** 2 + (y - cy) ** 2) / radius**2)
        picture += blob[..., None] * random.uniform(-120, 120, 3)
    return np.clip(picture + 110, 0, 255).astype(np.uint8)


def cuts(frames):
    detector = ShotDetector()
    return [n for n, frame in enumerate(frames) if detector.cut(frame)]


def test_cuts_are_seen_where_they_are():
    shots = [[scene(seed, shift) for shift in range(0, 30, 3)] for seed in (1, 2, 3)]
    assert cuts([frame for shot in shots for frame in shot]) == [10, 20]


def test_a_short_shot_back_and_forth_is_two_cuts():
    assert cuts([scene(1)] * 5 + [scene(2)] * 2 + [scene(1)] * 5) == [5, 7]


@pytest.mark.parametrize("speed", [2, 8, 16])
def test_a_camera_that_swings_is_no_cut(speed):
    assert cuts(scene(4, shift) for shift in range(0, 20 * speed, speed)) == []


def test_a_flash_and_a_switched_light_are_none():
    dim = (scene(5) * 0.5).astype(np.uint8)
    flash = np.clip(scene(5).astype(int) + 60, 0, 255).astype(np.uint8)
    assert cuts([scene(5)] * 5 + [flash] + [scene(5)] * 3 + [dim] * 4) == []


def test_noise_is_none():
    random = np.random.default_rng(0)
    flat = np.full((180, 320, 3), 20.0)
    assert cuts((flat + random.normal(0, 12, flat.shape)).astype(np.uint8) for _ in range(9)) == []


def test_from_black_into_a_scene_is_one():
    assert cuts([np.zeros((180, 320, 3), np.uint8)] * 4 + [scene(6)] * 4) == [4]


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (2160, 3840)])
def test_any_size_is_taken(size):
    assert cuts([np.zeros((*size, 3), np.uint8)] * 2) == []
