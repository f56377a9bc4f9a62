from __future__ import annotations

import time

import numpy as np
import pytest

from norface.data.augment import AugmentationConfig, augment, centre, geometry_noise

IMAGE = np.random.default_rng(0).integers(0, 256, (160, 160, 3)).astype(np.uint8)
STRONG = AugmentationConfig(
    grayscale=1, shading=1, small=1, blur=1, noise=1, compression=1, occlusion=1
)
NONE = AugmentationConfig(
    rotation=0, scale=0, shift=0, colour=0, grayscale=0, shading=0, small=0, blur=0, noise=0,
    compression=0, occlusion=0,
)  # fmt: skip


@pytest.mark.parametrize("config", [AugmentationConfig(), STRONG, NONE])
@pytest.mark.parametrize("size", [64, 128])
def test_shape_and_type(config: AugmentationConfig, size: int) -> None:
    for seed in range(20):
        out = augment(IMAGE, np.random.default_rng(seed), config, size=size)
        assert out.shape == (size, size, 3)
        assert out.dtype == np.uint8
        assert out.flags.c_contiguous


def test_equal_seeds_give_equal_pictures_and_the_source_stays() -> None:
    before = IMAGE.copy()
    first = augment(IMAGE, np.random.default_rng(3), STRONG)
    assert np.array_equal(first, augment(IMAGE, np.random.default_rng(3), STRONG))
    assert not np.array_equal(first, augment(IMAGE, np.random.default_rng(4), STRONG))
    assert np.array_equal(IMAGE, before)


def test_without_augmentation_the_face_stays_in_place() -> None:
    smooth = np.zeros((160, 160, 3), np.uint8)
    smooth[40:80, 60:100] = 255
    out = augment(smooth, np.random.default_rng(0), NONE)
    assert np.abs(out.astype(int) - centre(smooth)).mean() < 3


def test_geometry_noise_is_small() -> None:
    shape = np.random.default_rng(1).normal(0, 0.5, (478, 3)).astype(np.float16)
    noisy = geometry_noise(shape, np.random.default_rng(2))
    assert noisy.dtype == np.float32
    assert 0.001 < np.abs(noisy - shape).mean() < 0.05


def test_fast_enough_for_a_cpu_loop() -> None:
    rng, start = np.random.default_rng(0), time.process_time()
    for _ in range(100):
        augment(IMAGE, rng, AugmentationConfig())
    assert (time.process_time() - start) / 100 < 0.004


@pytest.mark.parametrize("bad", [{"blur": 1.5}, {"smallest": 2}])
def test_bad_options(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        AugmentationConfig(**bad)  # type: ignore[arg-type]
