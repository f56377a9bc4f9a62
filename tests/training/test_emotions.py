"""The emotion loop, first without and then with the normalized face."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from norface import facs
from norface.data.augment import AugmentationConfig
from norface.data.fer2013 import EmotionFaces
from norface.models.checkpoint import Recipe, load_classification, save_network
from norface.training import emotions as module
from norface.training.batches import Part
from norface.training.emotion_faces import Faces
from norface.training.emotions import Sizes, train_emotions
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


def write_faces(path: Path, emotions: list[int]) -> Path:
    """Faces by FER2013's hand, one grey value for each emotion; the last four are PublicTest."""
    rng = np.random.default_rng(0)
    count = len(emotions)
    image = np.array(emotions)[:, None, None] * 30 + rng.integers(0, 20, (count, 96, 96))
    EmotionFaces(
        image=image.astype(np.uint8),
        geometry=rng.normal(0, 0.3, (count, 478, 3)).astype(np.float16),
        found=np.ones(count, bool),
        emotion=np.array(emotions, np.int8),
        test=np.arange(count) >= count - 4,
    ).save(path)
    return path


def test_learns_four_faces_by_heart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []
    real = module.loss_terms

    def recorded(*arguments: Any) -> Any:
        terms = real(*arguments)
        losses.append(float(terms["emotion"].detach()))
        return terms

    monkeypatch.setattr(module, "loss_terms", recorded)
    config = EmotionsConfig(
        out=tmp_path / "run",
        faces=write_faces(tmp_path / "faces.npz", [0, 2, 4, 6] * 2),
        preset="test",
        batch=4,
        steps=40,
        held_out=0,
        threads=1,
        smoothing=0.0,
        learning_rate=5e-3,
        average=0.0,
        augmentation=AugmentationConfig(colour=0.0, grayscale=0.0, shading=0.0, occlusion=0.0),
    )
    checkpoint = train_emotions(config, QUIET)
    assert losses[-1] < 0.2 * losses[0]
    assert "public_test_accuracy" in load_classification(checkpoint)[1]["figures"]
    assert list((tmp_path / "run" / "pictures").glob("router_*.png"))


def test_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = EmotionsConfig(
        out=tmp_path / "whole",
        faces=write_faces(tmp_path / "faces.npz", [0, 1, 2, 3, 4, 5, 6] * 2),
        preset="test",
        batch=4,
        steps=4,
        held_out=2,
        threads=1,
        mixup=0.2,
    )
    train_emotions(whole, QUIET)
    real, calls = module.loss_terms, []

    def stopped(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    parts = dataclasses.replace(whole, out=tmp_path / "parts")
    monkeypatch.setattr(module, "loss_terms", stopped)
    train_emotions(parts, QUIET)
    assert len(calls) == 2
    monkeypatch.setattr(module, "loss_terms", real)
    again = train_emotions(parts, QUIET)
    a = load_classification(tmp_path / "whole" / "emotions.safetensors")[0].state_dict()
    for key, value in load_classification(again)[0].state_dict().items():
        torch.testing.assert_close(value, a[key], msg=key, rtol=0, atol=0)


def test_dry_run_leaves_nothing(faces: Path, tmp_path: Path) -> None:
    options = EmotionsConfig(
        out=tmp_path / "run", faces=faces, preset="test", batch=8, threads=1, dry_run=True
    )
    train_emotions(options, QUIET)
    assert not list((tmp_path / "run").rglob("*.*"))


def test_a_part_of_a_batch_is_its_share_of_the_whole(faces: Path) -> None:
    known = EmotionFaces.load(faces)
    every = Faces(known.image, known.geometry, known.emotion, None, contempt=False)
    options = EmotionsConfig(out=Path("x"), faces=faces, steps=1, batch=8)
    make = module.batch_maker(every, None, options, Sizes(64, 64))
    whole = make(3, Part(0, 1))
    for number in (0, 1):
        part = make(3, Part(number, 2))
        torch.testing.assert_close(part.original, whole.original[number::2])
        torch.testing.assert_close(part.label, whole.label[number::2])


def test_emotions_of_fer_are_norfaces() -> None:
    from norface.data.fer2013 import CLASSES

    assert set(CLASSES.values()) == set(facs.EMOTIONS) - {"contempt"}
