"""The embedding learns which face is the odd one out; its batches hang on the step alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from norface.data.augment import AugmentationConfig
from norface.data.shards import load_shards
from norface.models.checkpoint import load_network
from norface.training.batches import Part
from norface.training.expression_config import ExpressionConfig
from norface.training.expression_embedding import make_batch, split, train_expression

PLAIN = AugmentationConfig(
    rotation=0, scale=0, shift=0, colour=0, shading=0, small=0, blur=0, noise=0, compression=0,
    occlusion=0,
)  # fmt: skip


def config(out: Path, *data: Path, **options: object) -> ExpressionConfig:
    basic = ExpressionConfig(
        out=out, data=data, steps=2, preset="test", batch=8, triplets=32, held_out=0, threads=1
    )
    return dataclasses.replace(basic, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", ["test", "test-vit"])
def test_overfits_four_faces(preset: str, make_shards: Callable[..., None], tmp_path: Path) -> None:
    make_shards(tmp_path / "four", count=4)
    shards = load_shards([tmp_path / "four"])
    options = config(
        tmp_path / "run", tmp_path / "four", steps=30, preset=preset, learning_rate=3e-3,
        average=0.5, augmentation=PLAIN, gap=0.05,
    )  # fmt: skip
    network, notes = load_network(train_expression(options))
    assert notes["subject"] == "actions"
    batch = make_batch(shards, np.arange(4), options, 128, 0, Part(0, 1))
    with torch.no_grad():
        one, other, odd = network(batch.image)[batch.triplets].unbind(1)
    near, far = (one - other).square().sum(1), (one - odd).square().sum(1)
    assert float((near < far).float().mean()) > 0.9


@pytest.mark.parametrize("subject", ["actions", "identity"])
def test_batches_depend_on_the_step_alone(subject: str, shard_folder: Path) -> None:
    options = config(Path("unused"), shard_folder, subject=subject)
    shards = load_shards([shard_folder])

    def make(step: int, part: Part) -> torch.Tensor:
        return make_batch(shards, np.arange(32), options, 128, step, part).image

    whole = make(3, Part(0, 1))
    assert torch.equal(whole, make(3, Part(0, 1)))
    assert not torch.equal(whole, make(4, Part(0, 1)))
    halves = [make(3, Part(number, 2)) for number in (0, 1)]
    # Each kind of view is interleaved again.
    views = len(whole) // 4
    parts = torch.stack([h.view(views, 2, *h.shape[1:]) for h in halves], 2)
    assert torch.equal(whole, parts.flatten(0, 2))


def test_identity_pairs_are_of_one_person(shard_folder: Path) -> None:
    options = config(Path("unused"), shard_folder, subject="identity")
    shards = load_shards([shard_folder])
    batch = make_batch(shards, np.arange(32), options, 128, 0, Part(0, 1))
    assert len(batch.image) == 12
    assert len(batch.triplets)
    assert ((batch.triplets[:, :2] < 8).all(1) | (batch.triplets[:, :2] >= 8).all(1)).all()


def test_validation_identities_are_not_trained_on(shard_folder: Path) -> None:
    shards = load_shards([shard_folder])
    training, validation = split(shards, 8)
    assert len(validation) >= 8
    assert not set(shards.identity[training]) & set(shards.identity[validation])
    assert len(split(shards, 0)[1]) == 0


def test_options() -> None:
    with pytest.raises(ValueError, match="data"):
        config(Path("unused"))
    with pytest.raises(ValueError, match="margin"):
        config(Path("unused"), Path("data"), margin=-1.0)
