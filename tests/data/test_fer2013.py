from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from norface import facs
from norface.data.fer2013 import EmotionFaces, prepare, read_fer2013

CLASSES = np.array(["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"])


def write(path: Path, count: int = 5) -> None:
    rng = np.random.default_rng(0)
    np.savez(
        path,
        images=rng.integers(0, 256, (count, 48, 48)).astype(np.uint8),
        labels=np.arange(count) % 7,
        classes=CLASSES,
        usage=np.where(np.arange(count) < 3, "Training", "PublicTest"),
    )


def test_labels_and_split(tmp_path: Path) -> None:
    write(tmp_path / "fer2013.npz", 7)
    images, emotion, test = read_fer2013(tmp_path / "fer2013.npz")
    assert images.shape == (7, 48, 48)
    names = [facs.EMOTIONS[i] for i in emotion]
    assert names == ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    assert test.tolist() == [False] * 3 + [True] * 4


def test_faceless_pictures_get_the_fixed_crop(tmp_path: Path) -> None:
    write(tmp_path / "fer2013.npz")
    faces = prepare(tmp_path / "fer2013.npz", say=lambda _: None)
    assert len(faces) == 5
    assert not faces.found.any()
    assert faces.image.shape == (5, 96, 96)
    assert faces.image.std() > 0
    faces.save(tmp_path / "aligned.npz")
    again = EmotionFaces.load(tmp_path / "aligned.npz")
    assert np.array_equal(again.image, faces.image)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"fer2013\.npz"):
        read_fer2013(tmp_path / "fer2013.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="lacks"):
        read_fer2013(tmp_path / "other.npz")
