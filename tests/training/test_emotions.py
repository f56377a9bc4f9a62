"""The emotion loop, first without and then with the normalized face."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from norface import facs
from norface.data.fer2013 import EmotionFaces
from norface.models.checkpoint import Recipe, load_classification, save_network
from norface.training.emotions import train_emotions
from norface.training.emotions_config import EmotionsConfig

QUIET = Console(file=io.StringIO())


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    count = 24
    path = tmp_path / "aligned.npz"
    EmotionFaces(
        image=rng.integers(0, 256, (count, 96, 96)).astype(np.uint8),
        geometry=rng.normal(0, 0.3, (count, 478, 3)).astype(np.float16),
        found=np.ones(count, bool),
        emotion=(np.arange(count) % 7).astype(np.int8),
        test=np.arange(count) >= 18,
    ).save(path)
    return path


def test_both_phases(faces: Path, shard_folder: Path, tmp_path: Path) -> None:
    common = {"faces": faces, "preset": "test", "batch": 8, "held_out": 4, "threads": 1}
    first = train_emotions(
        EmotionsConfig(out=tmp_path / "first", steps=3, mixup=0.2, **common),  # type: ignore[arg-type]
        QUIET,
    )
    network, notes = load_classification(first)
    assert not network.use_normalized
    assert 0 <= notes["figures"]["public_test_accuracy"] <= 1
    recipe = Recipe(kind="normalization", preset="test")
    torch.manual_seed(0)
    save_network(tmp_path / "normalization.safetensors", recipe.build(), recipe)
    second = train_emotions(
        EmotionsConfig(
            out=tmp_path / "second",
            steps=2,
            start=first,
            data=(shard_folder,),
            normalization=tmp_path / "normalization.safetensors",
            **common,  # type: ignore[arg-type]
        ),
        QUIET,
    )
    assert load_classification(second)[0].use_normalized


def test_emotions_of_fer_are_norfaces() -> None:
    from norface.data.fer2013 import CLASSES

    assert set(CLASSES.values()) == set(facs.EMOTIONS) - {"contempt"}
