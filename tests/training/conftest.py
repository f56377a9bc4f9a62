"""Miniature data: a folder of shards as synthesis writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from norface import facs
from norface.data.shards import write_shard

ACTIONS = len(facs.FACIAL_ACTIONS)
UNITS = len(facs.ACTION_UNITS)


def fake_faces(
    actions: NDArray[np.float32], size: int, tone: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Blobs that a network can learn: jawOpen opens a mouth, eyeBlink closes the eyes."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    out = np.empty((len(actions), size, size, 3), np.uint8)
    jaw = actions[:, facs.ACTION_INDEX["jawOpen"]]
    blink = actions[:, facs.ACTION_INDEX["eyeBlinkLeft"]]
    for i in range(len(actions)):
        face = np.ones((size, size, 3), np.float32) * tone[i]
        mouth = ((x - 0.5) / 0.18) ** 2 + ((y - 0.72) / (0.02 + 0.14 * jaw[i])) ** 2 < 1
        face[mouth] *= 0.2
        for centre in (0.32, 0.68):
            eye = ((x - centre) / 0.08) ** 2 + ((y - 0.4) / (0.01 + 0.05 * (1 - blink[i]))) ** 2 < 1
            face[eye] *= 0.3
        out[i] = (face * 255).clip(0, 255)
    return out


def write_fake_shards(
    folder: Path, *, count: int, seed: int = 0, real: bool = False, jaw: float | None = None
) -> None:
    """`count` samples in two shards, and two targets; `jaw` opens every mouth as far."""
    rng = np.random.default_rng(seed)
    tones = np.array([[0.8, 0.6, 0.5], [0.5, 0.4, 0.3]], np.float32)
    for number, part in enumerate(np.array_split(np.arange(count), 2)):
        n = len(part)
        actions = (rng.random((n, ACTIONS)) * (rng.random((n, ACTIONS)) < 0.4)).astype(np.float32)
        if jaw is not None:
            actions[:, facs.ACTION_INDEX["jawOpen"]] = jaw
        units = np.zeros((n, UNITS, 3), np.float32)
        units[:, facs.ACTION_UNIT_NAMES.index("AU26")] = (
            5 * actions[:, facs.ACTION_INDEX["jawOpen"], None]
        )
        target_id = rng.integers(0, 2, n)
        extra = {}
        if real:
            extra["action_mask"] = np.arange(ACTIONS) % 2 == 0
            units[:, 3] = np.nan
        write_shard(
            folder / f"shard_{number:04d}.npz",
            original=fake_faces(actions, 160, rng.uniform(0.3, 1, (n, 3)).astype(np.float32)),
            geometry=rng.normal(0, 0.1, (n, 478, 3)),
            actions=actions,
            intensity=units,
            emotion=rng.integers(-1, 8, n),
            identity=part // 2,
            yaw=rng.normal(0, 10, n),
            pitch=rng.normal(0, 10, n),
            roll=rng.normal(0, 10, n),
            target=fake_faces(actions, 128, tones[target_id]),
            target_id=target_id,
            **extra,
        )
    neutral = fake_faces(np.zeros((2, ACTIONS), np.float32), 256, tones)
    np.savez(folder / "targets.npz", image=neutral)


@pytest.fixture
def make_shards() -> Callable[..., None]:
    """The function that writes a folder of shards."""
    return write_fake_shards


@pytest.fixture
def shard_folder(tmp_path: Path) -> Path:
    """32 synthetic samples."""
    folder = tmp_path / "shards"
    write_fake_shards(folder, count=32)
    return folder


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    """8 samples of photos."""
    folder = tmp_path / "photos"
    write_fake_shards(folder, count=8, seed=1, real=True)
    return folder
