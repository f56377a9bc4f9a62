"""The paired regime: the loop learns, and a resumed run equals one that was never stopped."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from norface.data.augment import AugmentationConfig
from norface.data.shards import load_shards
from norface.losses.pixels import weighted_l1
from norface.models.checkpoint import load_normalization
from norface.training import normalization as module
from norface.training.batches import Part
from norface.training.normalization import train_normalization
from norface.training.normalization_batches import (
    Batch,
    batch_maker,
    collate,
    plain_rows,
)
from norface.training.normalization_config import NormalizationConfig
from norface.training.normalization_plan import make_plan, pixel_weights

WHOLE = Part(0, 1)
PLAIN = AugmentationConfig(
    rotation=0, scale=0, shift=0, colour=0, shading=0, small=0, blur=0, noise=0, compression=0,
    occlusion=0,
)  # fmt: skip


def config(out: Path, *data: Path, steps: int = 6) -> NormalizationConfig:
    return NormalizationConfig(
        out=out, data=data, steps=steps, preset="test", batch=8, groups=2, held_out=8, threads=1
    )


@pytest.mark.parametrize("preset", ["test", "test-vit"])
def test_overfits_four_faces(preset: str, make_shards: Callable[..., None], tmp_path: Path) -> None:
    folder = tmp_path / "four"
    make_shards(folder, count=4, jaw=1.0)
    options = dataclasses.replace(
        config(tmp_path / "run", folder, steps=50), preset=preset,
        learning_rate=3e-3, average=0.9, held_out=0, augmentation=PLAIN,
    )  # fmt: skip
    network, notes = load_normalization(train_normalization(options))
    assert notes["steps"] == 50
    size = network.encoder.image_size
    shards = load_shards([folder], crop=size)
    plan = make_plan(shards, options, size)
    rows = plain_rows(np.arange(4), shards.target_id, kind="paired")
    batch = collate(shards, plan, rows, options, None)
    with torch.no_grad():
        out = network(batch.original, batch.geometry, batch.target, batch.target_index)
    idle = weighted_l1(batch.target[batch.target_index], batch.truth, batch.weight)
    assert weighted_l1(out.image, batch.truth, batch.weight) < 0.7 * idle
    assert list((tmp_path / "run").rglob("*samples*.png"))
    assert json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])["step"] == 50


def test_resumed_run_equals_uninterrupted(
    shard_folder: Path, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_normalization(config(tmp_path / "whole", shard_folder, photo_folder))
    out = tmp_path / "parts"
    real, calls = module.train_step, []

    def killed(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 4:
            # As a signal would: the step ends, the state is saved.
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "train_step", killed)
    train_normalization(config(out, shard_folder, photo_folder))
    assert len(calls) == 4
    parts = train_normalization(config(out, shard_folder, photo_folder))
    assert len(calls) == 6
    a, b = load_normalization(whole)[0].state_dict(), load_normalization(parts)[0].state_dict()
    for key, value in a.items():
        torch.testing.assert_close(value, b[key], msg=key, rtol=0, atol=0)


def test_batches_depend_on_the_step_alone(shard_folder: Path, photo_folder: Path) -> None:
    options = config(Path("unused"), shard_folder, photo_folder)
    shards = load_shards(options.data)
    make = batch_maker(shards, make_plan(shards, options, 128), options)
    first, other, again = make(3, WHOLE), make(4, WHOLE), make(3, WHOLE)
    assert all(_same(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.original, other.original)
    assert first.original.shape == (8, 3, 128, 128)
    assert len(first.target) <= 2
    assert int(first.target_index.max()) < len(first.target)


def test_parts_make_the_whole_batch(shard_folder: Path, photo_folder: Path) -> None:
    options = config(Path("unused"), shard_folder, photo_folder)
    shards = load_shards(options.data)
    make = batch_maker(shards, make_plan(shards, options, 128), options)
    whole: Batch = make(3, WHOLE)
    for number in (0, 1):
        part: Batch = make(3, Part(number, 2))
        assert torch.equal(part.original, whole.original[number::2])
        assert torch.equal(part.truth, whole.truth[number::2])
        theirs = whole.target[whole.target_index[number::2]]
        assert torch.equal(part.target[part.target_index], theirs)


def _same(a: torch.Tensor | int, b: torch.Tensor | int) -> bool:
    return (
        torch.equal(a, b) if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) else a == b
    )


def test_validation_identities_are_not_trained_on(shard_folder: Path) -> None:
    options = config(Path("unused"), shard_folder)
    shards = load_shards(options.data)
    plan = make_plan(shards, options, 128)
    assert len(plan.validation) >= 8
    assert not set(shards.identity[plan.validation]) & set(shards.identity[plan.training])


def test_pixels_that_move_weigh_more(shard_folder: Path, photo_folder: Path) -> None:
    shards = load_shards([shard_folder, photo_folder])
    weights = pixel_weights(shards, 0, 0.2)
    assert weights.shape == (2, 128, 128)
    mouth, corner = weights[0, 92, 64], weights[0, 4, 4]
    assert mouth > 4 * corner
    assert np.isclose(weights[0].mean(), 1.0)
    assert (weights[1] <= weights[0] + 1e-5).all()
