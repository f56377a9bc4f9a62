"""The action unit loop: cached tokens, masks, thresholds, resuming."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from norface import facs
from norface.data.shards import load_shards
from norface.models.checkpoint import Recipe, load_classification, save_network
from norface.models.classification import ClassificationOutput
from norface.training import classification as module
from norface.training.classification import (
    concordance,
    loss_terms,
    split_identities,
    train_classification,
)
from norface.training.classification_config import ClassificationConfig

QUIET = Console(file=io.StringIO())


@pytest.fixture
def normalization(tmp_path: Path) -> Path:
    recipe = Recipe(kind="normalization", preset="test")
    path = tmp_path / "normalization.safetensors"
    torch.manual_seed(0)
    save_network(path, recipe.build(), recipe)
    return path


def config(out: Path, normalization: Path, *data: Path) -> ClassificationConfig:
    return ClassificationConfig(
        out=out,
        data=data,
        normalization=normalization,
        steps=4,
        preset="test",
        batch=8,
        threads=1,
        copies=1,
        limit=24,
    )


def test_trains_and_resumes(
    normalization: Path,
    shard_folder: Path,
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = config(tmp_path / "whole", normalization, shard_folder, photo_folder)
    path = train_classification(options, QUIET)
    _, notes = load_classification(path)
    assert set(notes["thresholds"]) == set(facs.ACTION_UNIT_NAMES)
    assert notes["steps"] == 4
    # A run that ends early and goes on; the tokens are shared.
    half = dataclasses.replace(options, out=tmp_path / "parts", cache=tmp_path / "whole" / "tokens")
    real, calls = module.loss_terms, []

    def stopped(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "loss_terms", stopped)
    train_classification(half, QUIET)
    monkeypatch.setattr(module, "loss_terms", real)
    assert len(calls) == 2
    again = train_classification(half, QUIET)
    a, b = load_classification(path)[0].state_dict(), load_classification(again)[0].state_dict()
    for key, value in a.items():
        torch.testing.assert_close(value, b[key], msg=key, rtol=0, atol=0)


def test_tokens_of_other_data_are_refused(
    normalization: Path, shard_folder: Path, photo_folder: Path, tmp_path: Path
) -> None:
    options = config(tmp_path / "run", normalization, shard_folder)
    train_classification(options, QUIET)
    other = dataclasses.replace(options, data=(shard_folder, photo_folder))
    with pytest.raises(ValueError, match="other data"):
        train_classification(other, QUIET)


def test_ablations_train(normalization: Path, shard_folder: Path, tmp_path: Path) -> None:
    options = config(tmp_path / "run", normalization, shard_folder)
    for switch in ("use_original", "use_normalized", "input_moe", "output_moe"):
        changed = dataclasses.replace(
            options, out=tmp_path / switch, cache=tmp_path / "tokens", steps=1, **{switch: False}
        )
        load_classification(train_classification(changed, QUIET))


def test_unknown_intensities_carry_no_gradient() -> None:
    units = len(facs.ACTION_UNITS)
    intensity = torch.rand(4, units, 3, requires_grad=True)
    presence = torch.zeros(4, units, requires_grad=True)
    truth = torch.rand(4, units, 3) * 5
    truth[:, 3] = float("nan")
    options = ClassificationConfig(
        out=Path("x"), data=(Path("x"),), normalization=Path("x"), steps=1
    )
    losses = loss_terms(
        ClassificationOutput(intensity, presence, None, {}), truth, torch.ones(units), options
    )
    losses["loss"].backward()
    assert intensity.grad is not None
    assert presence.grad is not None
    assert torch.isfinite(intensity.grad).all()
    assert (intensity.grad[:, 3] == 0).all()
    assert (presence.grad[:, 3] == 0).all()
    assert (presence.grad[:, 2] != 0).any()


def test_concordance_is_one_for_the_truth() -> None:
    truth = torch.rand(32, 5, 3) * 5
    known = torch.ones_like(truth, dtype=torch.bool)
    assert concordance(truth, truth, known) == pytest.approx(1.0, abs=1e-2)
    assert concordance(truth * 0 + 2.5, truth, known) == pytest.approx(0.0, abs=1e-2)


def test_no_person_on_both_sides(shard_folder: Path, photo_folder: Path) -> None:
    shards = load_shards([shard_folder, photo_folder])
    training, held = split_identities(shards, 0.2, 0)
    renders = training[~shards.real[training]]
    assert not set(shards.identity[renders]) & set(shards.identity[held])
    assert not shards.real[held].any()
    assert len(np.union1d(training, held)) == len(shards)
