"""The classification loop: heads, tokens and images, masks, thresholds, resuming."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from norface import facs
from norface.data.augment import AugmentationConfig
from norface.data.shards import load_shards
from norface.losses.presence import presence_of
from norface.models.checkpoint import (
    Recipe,
    load_classification,
    load_normalization,
    save_network,
)
from norface.models.classification import ClassificationOutput
from norface.training import classification as module
from norface.training.batches import Part
from norface.training.classification import split_identities, train_classification
from norface.training.classification_config import ClassificationConfig
from norface.training.classification_faces import ImageFaces, LabelledFaces
from norface.training.classification_losses import (
    LabelWeights,
    emotion_weights,
    loss_terms,
    positive_weights,
)
from norface.training.classification_validation import Validation
from norface.training.frozen_normalizer import FrozenNormalizer
from norface.training.record import Record
from norface.training.router_load import RouterLoad
from norface.training.tokens import TokenCache, cache_tokens

QUIET = Console(file=io.StringIO())
UNITS = len(facs.ACTION_UNITS)
BOTH = ("action_units", "emotions")
STILL = AugmentationConfig(
    rotation=0.0,
    scale=0.0,
    shift=0.0,
    colour=0.0,
    grayscale=0.0,
    shading=0.0,
    small=0.0,
    blur=0.0,
    noise=0.0,
    compression=0.0,
    occlusion=0.0,
)


@pytest.fixture
def normalization(tmp_path: Path) -> Path:
    return write_normalizer(tmp_path / "normalization.safetensors", "test")


def write_normalizer(path: Path, preset: str) -> Path:
    recipe = Recipe(kind="normalization", preset=preset)
    torch.manual_seed(0)
    save_network(path, recipe.build(), recipe)
    return path


def config(out: Path, normalization: Path | None, *data: Path, **options: Any) -> Any:
    return ClassificationConfig(
        **{
            "out": out,
            "data": data,
            "normalization": normalization,
            "steps": 4,
            "preset": "test",
            "batch": 8,
            "threads": 1,
            "copies": 1,
            "limit": 24,
            **options,
        }
    )


def test_trains_and_resumes(
    normalization: Path,
    shard_folder: Path,
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = config(tmp_path / "whole", normalization, shard_folder, photo_folder, heads=BOTH)
    path = train_classification(options, QUIET)
    network, notes = load_classification(path)
    assert network.heads == BOTH
    assert set(notes["thresholds"]) == set(facs.ACTION_UNIT_NAMES)
    assert notes["steps"] == 4
    assert load_classification(path.with_name(f"best_{path.name}"))[1]["thresholds"]
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
    options = config(tmp_path / "run", normalization, shard_folder, steps=1)
    train_classification(options, QUIET)
    other = dataclasses.replace(options, data=(shard_folder, photo_folder))
    with pytest.raises(ValueError, match="other data"):
        train_classification(other, QUIET)


def test_other_processes_wait_for_the_tokens(
    normalization: Path, shard_folder: Path, tmp_path: Path
) -> None:
    shards = load_shards([shard_folder], limit=8)
    network, _ = load_normalization(normalization)
    made: list[TokenCache | None] = [None, None]

    def work(number: int) -> None:
        made[number] = cache_tokens(
            tmp_path / "tokens",
            FrozenNormalizer(network, shards.targets[0], torch.device("cpu")),
            shards,
            checkpoint=normalization,
            target=0,
            copies=2,
            augmentation=STILL,
            seed=0,
            record=Record(tmp_path, QUIET),
            write=number == 0,
        )

    waiting = threading.Thread(target=work, args=(1,))
    waiting.start()
    work(0)
    waiting.join(timeout=30)
    first, second = made
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.original, second.original)
    np.testing.assert_array_equal(first.normalized, second.normalized)
    # Nothing is varied, but the plain copy is shrunk by averaging.
    assert np.abs(first.original[0] - first.original[1]).mean() < 0.2


@pytest.mark.parametrize("switch", ["use_original", "use_normalized", "input_moe", "output_moe"])
@pytest.mark.parametrize(("preset", "reads"), [("test", "tokens"), ("test-vit", "images")])
def test_switches(switch: str, preset: str, reads: str, shard_folder: Path, tmp_path: Path) -> None:
    options = config(
        tmp_path / "run",
        write_normalizer(tmp_path / "normalization.safetensors", preset),
        shard_folder,
        preset=preset,
        reads=reads,
        steps=1,
        **{switch: False},
    )
    network, _ = load_classification(train_classification(options, QUIET))
    assert (network.encoder is not None) == (reads == "images")
    gates = [name for name in network.state_dict() if ".gate." in name]
    assert any("input_moe" in name for name in gates) == (switch != "input_moe")
    assert any("output_moe" in name for name in gates) == (switch != "output_moe")
    pictures = list((tmp_path / "run" / "pictures").glob("router_*.png"))
    assert pictures


def test_the_original_alone_needs_no_normalizer(shard_folder: Path, tmp_path: Path) -> None:
    options = config(
        tmp_path / "run", None, shard_folder, reads="images", use_normalized=False, mirror=0.5
    )
    assert not load_classification(train_classification(options, QUIET))[0].use_normalized


def test_networks_of_other_sizes_meet(
    normalization: Path, shard_folder: Path, tmp_path: Path
) -> None:
    """F_nor renders 256 pixels from 128; F_cla reads 64."""
    options = config(
        tmp_path / "run", normalization, shard_folder, preset="test-vit", reads="images", steps=1
    )
    network, notes = load_classification(train_classification(options, QUIET))
    assert network.encoder is not None
    assert network.encoder.image_size == 64
    assert np.isfinite(notes["validation"]["f1"])


@pytest.mark.parametrize(
    ("figures", "score"),
    [
        ({"f1": 0.4, "emotion_accuracy": 0.6}, 0.5),
        ({"f1": 0.4, "emotion_accuracy": float("nan")}, 0.4),
        ({"f1": float("nan")}, None),
    ],
)
def test_score(figures: dict[str, float], score: float | None) -> None:
    found = Validation(figures, {}, RouterLoad([])).score
    assert found is None if score is None else found == pytest.approx(score)


def test_dry_run_leaves_nothing(normalization: Path, shard_folder: Path, tmp_path: Path) -> None:
    options = config(tmp_path / "run", normalization, shard_folder, steps=None, dry_run=True)
    train_classification(options, QUIET)
    assert not list((tmp_path / "run").rglob("*.*"))


@pytest.mark.parametrize(
    ("preset", "reads", "heads", "steps"),
    [
        ("test", "tokens", BOTH, 40),
        ("test", "images", BOTH, 15),
        ("test-vit", "images", BOTH, 25),
        ("test-vit", "tokens", ("action_units",), 40),
    ],
)
def test_learns_four_faces_by_heart(
    preset: str,
    reads: str,
    heads: tuple[str, ...],
    steps: int,
    make_shards: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_shards(tmp_path / "shards", count=6, seed=3)
    normalizer = write_normalizer(tmp_path / "normalization.safetensors", preset)
    losses: list[dict[str, float]] = []
    real = module.loss_terms

    def recorded(*arguments: Any) -> Any:
        terms = real(*arguments)
        losses.append({name: float(value.detach()) for name, value in terms.items()})
        return terms

    monkeypatch.setattr(module, "loss_terms", recorded)
    options = config(
        tmp_path / "run",
        normalizer,
        tmp_path / "shards",
        preset=preset,
        reads=reads,
        heads=heads,
        steps=steps,
        batch=4,
        learning_rate=5e-3,
        smoothing=0.0,
        average=0.0,
        augmentation=STILL,
    )
    train_classification(options, QUIET)
    assert losses[-1]["presence"] < 0.5 * losses[0]["presence"]
    assert losses[-1]["intensity"] < 0.5 * losses[0]["intensity"]
    if "emotions" in heads:
        assert losses[-1]["emotion"] < 0.5 * losses[0]["emotion"]


def test_starts_from_an_encoder(normalization: Path, shard_folder: Path, tmp_path: Path) -> None:
    """The encoder of F_nor, left where it started by a rate of almost nothing."""
    options = config(
        tmp_path / "run",
        normalization,
        shard_folder,
        reads="images",
        encoder=normalization,
        steps=1,
        learning_rate=1e-12,
    )
    network, _ = load_classification(train_classification(options, QUIET))
    assert network.encoder is not None
    source = load_normalization(normalization)[0].encoder.state_dict()
    for key, value in network.encoder.named_parameters():
        torch.testing.assert_close(value, source[key], msg=key)


def test_a_part_of_a_batch_is_its_share_of_the_whole(
    shard_folder: Path, photo_folder: Path
) -> None:
    options = config(
        Path("x"), None, shard_folder, reads="images", use_normalized=False, mirror=0.5
    )
    shards = load_shards([shard_folder, photo_folder])
    source = ImageFaces(
        shards,
        size=64,
        normalizer=None,
        augmentation=options.augmentation,
        mirror=0.5,
        views=1,
        seed=0,
    )
    make = module.batch_maker(source, shards, np.arange(len(shards)), options)
    whole = make(2, Part(0, 1))
    for number in (0, 1):
        part = make(2, Part(number, 2))
        for value, all_values in zip(part, whole, strict=True):
            if value is not None:
                torch.testing.assert_close(value, all_values[number::2], equal_nan=True)


# Losses -------------------------------------------------------------------------------------


def output(count: int = 4) -> tuple[ClassificationOutput, list[torch.Tensor]]:
    torch.manual_seed(0)
    leaves = [
        torch.rand(count, UNITS, 3, requires_grad=True),
        torch.randn(count, UNITS, requires_grad=True),
        torch.randn(count, 8, requires_grad=True),
    ]
    return ClassificationOutput(*leaves, {}), leaves  # type: ignore[arg-type]


def labels(intensity: torch.Tensor, emotion: torch.Tensor) -> LabelledFaces:
    nothing = torch.empty(0)
    presence = presence_of(intensity[..., 0])
    distribution = torch.full((len(emotion), 8), torch.nan)
    return LabelledFaces(nothing, None, nothing, intensity, presence, emotion, distribution)


def options_of_losses(presence: str) -> ClassificationConfig:
    return ClassificationConfig(
        out=Path("x"),
        data=(Path("x"),),
        normalization=Path("x"),
        steps=1,
        heads=BOTH,  # type: ignore[arg-type]
        presence=presence,  # type: ignore[arg-type]
    )


WEIGHTS = LabelWeights(torch.full((UNITS,), 2.0), torch.linspace(0.5, 1.5, 8))


@pytest.mark.parametrize("presence", ["weighted", "asymmetric"])
def test_no_label_no_loss(presence: str) -> None:
    out, leaves = output()
    truth = labels(torch.full((4, UNITS, 3), torch.nan), torch.full((4,), -1))
    losses = loss_terms(out, truth, WEIGHTS, options_of_losses(presence))
    assert float(losses["loss"].detach()) == 0.0
    losses["loss"].backward()  # type: ignore[no-untyped-call]
    for leaf in leaves:
        assert leaf.grad is not None
        assert (leaf.grad == 0).all()


def test_votes_are_learned_if_asked() -> None:
    out, _ = output()
    truth = labels(torch.full((4, UNITS, 3), torch.nan), torch.zeros(4, dtype=torch.long))
    other = torch.eye(8)[torch.tensor([3, 3, 3, 3])]
    plain = options_of_losses("weighted")
    asked = dataclasses.replace(plain, distributions=True)

    def loss(faces: LabelledFaces, config: ClassificationConfig) -> float:
        return float(loss_terms(out, faces, WEIGHTS, config)["emotion"].detach())

    voted = truth._replace(distribution=other)
    assert loss(voted, plain) == loss(truth, plain) == loss(truth, asked)
    shown = truth._replace(emotion=torch.full((4,), 3))
    assert loss(voted, asked) == loss(shown, plain) != loss(truth, plain)


@pytest.mark.parametrize("presence", ["weighted", "asymmetric"])
def test_the_unknown_does_not_move_gradients(presence: str) -> None:
    """What the network says where nothing is known changes no gradient elsewhere."""
    intensity = torch.rand(4, UNITS, 3) * 5
    intensity[:2, 3] = torch.nan
    intensity[1] = torch.nan
    truth = labels(intensity, torch.tensor([2, -1, 0, -1]))
    gradients = []
    for other in (0.0, 7.0):
        out, leaves = output()
        with torch.no_grad():
            leaves[0][:2, 3] += other
            leaves[1][1] += other
            leaves[2][1] -= other
        terms = loss_terms(out, truth, WEIGHTS, options_of_losses(presence))
        terms["loss"].backward()  # type: ignore[no-untyped-call]
        gradients.append([leaf.grad for leaf in leaves])
    for first, second in zip(*gradients, strict=True):
        assert first is not None
        assert second is not None
        assert torch.isfinite(first).all()
        torch.testing.assert_close(first, second)
    units, chances, emotions = gradients[0]
    assert units is not None
    assert (units[:2, 3] == 0).all()
    assert chances is not None
    assert (chances[1] == 0).all()
    assert (chances[2] != 0).any()
    assert emotions is not None
    assert (emotions[[1, 3]] == 0).all()


def test_weights_against_rarity() -> None:
    presence = np.zeros((20, UNITS), np.int8)
    presence[:4, 0] = 1
    presence[10:, 1] = -1
    presence[:1, 1] = 1
    # 16 absent to 4 present; 9 to 1 of those known; never present: at most 5.
    assert positive_weights(presence)[:3].tolist() == pytest.approx([2.0, 3.0, 20**0.5])
    emotion = np.array([0] * 9 + [1] + [-1] * 5)
    weights = emotion_weights(emotion)
    assert float(weights[1] / weights[0]) == pytest.approx(3.0)
    assert float((weights[0] * 9 + weights[1]) / 10) == pytest.approx(1.0)


def test_no_person_on_both_sides(shard_folder: Path, photo_folder: Path) -> None:
    shards = load_shards([shard_folder, photo_folder])
    training, held = split_identities(shards, 0.2, 0)
    renders = training[~shards.real[training]]
    assert not set(shards.identity[renders]) & set(shards.identity[held])
    assert not shards.real[held].any()
    assert len(np.union1d(training, held)) == len(shards)


def test_photos_validate_where_there_are_no_renders(photo_folder: Path, shard_folder: Path) -> None:
    (photo_folder / "targets.npz").write_bytes((shard_folder / "targets.npz").read_bytes())
    shards = load_shards([photo_folder])
    training, held = split_identities(shards, 0.2, 0)
    assert len(held)
    assert not set(shards.identity[training]) & set(shards.identity[held])
