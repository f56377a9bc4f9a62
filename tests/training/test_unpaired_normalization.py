"""The unpaired regime, alone and mixed: who learns in which step, and that it learns."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from norface.data.shards import Shards, load_shards, write_shard
from norface.faces.align import geometry
from norface.faces.bundle import canonical_face
from norface.models.checkpoint import CheckpointError, Recipe, load_normalization, save_network
from norface.models.embeddings import EncoderSpec
from norface.models.landmarks import POINTS
from norface.training.batches import Part
from norface.training.judges import (
    Judges,
    Players,
    build_judges,
    build_players,
    seen_in,
    small_views,
)
from norface.training.normalization import train_normalization, train_step
from norface.training.normalization_batches import batch_maker, collate, plain_rows
from norface.training.normalization_config import NormalizationConfig, UnpairedConfig
from norface.training.normalization_figures import own_rank
from norface.training.normalization_plan import Plan, make_plan

from .test_normalization import PLAIN

WHOLE = Part(0, 1)


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """An embedding that was never trained."""
    recipe = Recipe(kind="expression_embedding", preset="test")
    path = tmp_path / "embedding.safetensors"
    save_network(path, recipe.build(), recipe)
    return path


@pytest.fixture
def options(tmp_path: Path, encoder: Path, photo_folder: Path) -> NormalizationConfig:
    """Photos alone."""
    spec = EncoderSpec(path=encoder)
    return NormalizationConfig(
        out=tmp_path / "run", unpaired_data=(photo_folder,), unpaired_share=1.0, steps=3,
        preset="test", batch=4, threads=1, precision="fp32",
        unpaired=UnpairedConfig(
            expression=spec, identity=spec, held_out=2, r1_interval=1, ramp=1,
            photo_target_share=0.0,
        ),
    )  # fmt: skip


class Parts:
    """What a step needs, without a run's folder; remembers who descended, and its gradients."""

    def __init__(self, config: NormalizationConfig) -> None:
        torch.manual_seed(0)
        self.config = config
        self.shards: Shards = load_shards((*config.data, *config.unpaired_data))
        self.plan: Plan = make_plan(self.shards, config, 128)
        self.network = Recipe(kind="normalization", preset="test").build()
        self.judges: Judges = build_judges(config, pretrained=False)
        self.players: Players = build_players(config, torch.rand(len(POINTS), 2))
        self.wrapped: dict[str, nn.Module] = {"network": self.network, **self.players.named()}
        self.schedule = SimpleNamespace(step=5)
        self.after: dict[str, Callable[[], None]] = {}

    def autocast(self) -> Any:
        return torch.autocast("cpu", enabled=False)

    def descend(self, name: str, loss: torch.Tensor) -> None:
        everyone = {**self.wrapped, "judges": self.judges}
        before = {k: copy.deepcopy(v.state_dict()) for k, v in everyone.items()}
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for module in everyone.values():
                for p in module.parameters():
                    if p.grad is not None:
                        p -= 0.1 * p.grad
                        p.grad = None
        self.changed = getattr(self, "changed", {})
        self.changed[name] = {
            k
            for k, v in everyone.items()
            if any(not torch.equal(a, before[k][n]) for n, a in v.state_dict().items())
        }

    def step(self) -> dict[str, torch.Tensor]:
        batch = batch_maker(self.shards, self.plan, self.config)(0, WHOLE)
        return train_step(self, batch, self.judges, self.players)  # type: ignore[arg-type]


def test_each_step_changes_its_own_network_alone(options: NormalizationConfig) -> None:
    parts = Parts(options)
    losses = parts.step()
    assert parts.changed == {name: {name} for name in ("network", "discriminator", "landmarks")}
    wanted = {
        "reconstruction", "background", "perceptual", "expression", "identity", "pose",
        "landmarks", "openings", "adversarial", "discriminator", "landmark_error",
    }  # fmt: skip
    assert wanted <= set(losses)
    assert all(value.isfinite() for value in losses.values())


def test_generator_step_leaves_the_discriminator_bit_for_bit(
    options: NormalizationConfig,
) -> None:
    parts = Parts(options)
    assert parts.players.discriminator is not None
    before = copy.deepcopy(parts.players.discriminator.state_dict())
    seen: dict[str, dict[str, torch.Tensor]] = {}
    real = parts.descend

    def descend(name: str, loss: torch.Tensor) -> None:
        real(name, loss)
        assert parts.players.discriminator is not None
        seen[name] = copy.deepcopy(parts.players.discriminator.state_dict())
        seen[f"{name} generator"] = copy.deepcopy(parts.network.state_dict())

    parts.descend = descend  # type: ignore[method-assign]
    parts.step()
    assert all(torch.equal(v, before[k]) for k, v in seen["network"].items())
    assert any(not torch.equal(v, before[k]) for k, v in seen["discriminator"].items())
    generator = seen["network generator"]
    assert all(torch.equal(v, generator[k]) for k, v in seen["discriminator generator"].items())


@pytest.mark.parametrize(
    ("weight", "loss"),
    [
        ("reconstruction_weight", "reconstruction"),
        ("perceptual_weight", "perceptual"),
        ("expression_weight", "expression"),
        ("identity_weight", "identity"),
        ("pose_weight", "pose"),
        ("opening_weight", "openings"),
        ("background_weight", "background"),
        ("adversarial_weight", "adversarial"),
    ],
)
def test_every_loss_alone_moves_the_generator(
    options: NormalizationConfig, weight: str, loss: str
) -> None:
    names = [n for n in UnpairedConfig.__slots__ if n.endswith("_weight")]
    alone = dataclasses.replace(
        options.unpaired, **{n: 1.0 if n == weight else 0.0 for n in names}, own_share=0.5
    )
    parts = Parts(dataclasses.replace(options, unpaired=alone, flow_weight=0.0))
    # At its start the result is the target, and some distances are 0 there with no slope.
    torch.nn.init.normal_(parts.network.decoder.head.weight, std=0.1)
    if parts.players.landmarks is not None:
        torch.nn.init.normal_(parts.players.landmarks.out.weight, std=0.1)
    losses = parts.step()
    assert float(losses[loss].detach()) > 0
    assert "network" in parts.changed["network"]
    assert (parts.judges.expression is None) == (loss != "expression")
    assert (parts.judges.identity is None) == (loss != "identity")
    assert (parts.judges.perceptual is None) == (loss != "perceptual")
    assert (parts.players.discriminator is None) == (loss != "adversarial")
    assert (parts.players.landmarks is None) == (loss not in ("pose", "openings"))


def put_landmarks_on(folder: Path) -> None:
    """Give all faces the landmarks of the canonical face, from the front."""
    for path in folder.glob("shard_*.npz"):
        with np.load(path) as content:
            arrays = {name: content[name] for name in content.files}
        count = len(arrays["identity"])
        arrays["geometry"] = np.tile(geometry(canonical_face()), (count, 1, 1))
        still = np.zeros(count)
        write_shard(path, **(arrays | {"yaw": still, "pitch": still, "roll": still}))


@pytest.mark.parametrize(("preset", "steps"), [("test", 40), ("test-vit", 300)])
def test_overfits_four_faces(
    preset: str,
    steps: int,
    options: NormalizationConfig,
    make_shards: Callable[..., None],
    tmp_path: Path,
) -> None:
    """Four faces mended after their expression was disturbed."""
    make_shards(tmp_path / "four", count=4, seed=5, real=True, jaw=1.0)
    put_landmarks_on(tmp_path / "four")
    weights = dataclasses.replace(
        options.unpaired, own_share=1.0, disturbance=2.0, held_out=0, adversarial_weight=0.0,
        opening_weight=0.0, pose_weight=0.0, landmark_weight=0.0, perceptual_weight=0.0,
        identity_weight=0.0, expression_weight=0.0, painting_weight=0.0,
    )  # fmt: skip
    config = dataclasses.replace(
        options, unpaired_data=(tmp_path / "four",), steps=steps, preset=preset, batch=8,
        learning_rate=3e-3, average=0.9, augmentation=PLAIN, unpaired=weights,
    )  # fmt: skip
    network, _ = load_normalization(train_normalization(config))
    size = network.encoder.image_size
    shards = load_shards(config.unpaired_data, crop=size)
    rows = plain_rows(np.arange(4), np.full(4, -1), kind="own")
    batch = collate(shards, make_plan(shards, config, size), rows, config, 10_000)
    with torch.no_grad():
        out = network(batch.original, batch.geometry, batch.target, batch.target_index)
    idle = ((batch.target[batch.target_index] - batch.truth).abs() * batch.weight).mean()
    assert ((out.image - batch.truth).abs() * batch.weight).mean() < 0.85 * idle


def test_mixed_regime(options: NormalizationConfig, shard_folder: Path, photo_folder: Path) -> None:
    mixed = dataclasses.replace(
        options, data=(shard_folder, photo_folder), unpaired_data=(), unpaired_share=0.5,
        batch=8, groups=2, held_out=8,
    )  # fmt: skip
    parts = Parts(mixed)
    batch = batch_maker(parts.shards, parts.plan, mixed)(0, WHOLE)
    assert (batch.paired, batch.own, len(batch.original)) == (4, 2, 8)
    # Photos are what the unpaired regime takes, where there are any; no rendered truth of theirs.
    assert parts.shards.real[parts.plan.unpaired].all()
    assert torch.equal(batch.truth[4:], batch.clean[4:])
    assert float(batch.action_mask[4:].sum()) == 0.0
    common = torch.from_numpy(parts.plan.targets[0]).permute(2, 0, 1) / 255.0
    assert any(torch.equal(batch.target[i], common) for i in batch.target_index[6:])
    halves = [batch_maker(parts.shards, parts.plan, mixed)(0, Part(n, 2)) for n in (0, 1)]
    assert [(h.paired, h.own) for h in halves] == [(2, 1), (2, 1)]
    for number, half in enumerate(halves):
        theirs = batch.target[batch.target_index[number::2]]
        assert torch.equal(half.target[half.target_index], theirs)
    checkpoint = train_normalization(mixed)
    assert load_normalization(checkpoint)[1]["unpaired"] > 0
    log = (mixed.out / "log.jsonl").read_text()
    for name in ("pixel", "expression", "val_pixel", "identity_to_target", "expression_rank"):
        assert name in log


def test_validation_photos_are_not_trained_on(
    options: NormalizationConfig, photo_folder: Path
) -> None:
    mixed = dataclasses.replace(options, data=(photo_folder,), unpaired_share=0.5)
    shards = load_shards((*mixed.data, *mixed.unpaired_data))
    plan = make_plan(shards, mixed, 128)
    seen = set(shards.identity[plan.unpaired]) | set(shards.identity[plan.training])
    assert len(plan.unpaired_validation)
    assert not seen & set(shards.identity[plan.unpaired_validation])


def test_points_follow_the_views() -> None:
    image = torch.zeros(3, 3, 64, 64)
    points = torch.tensor([[0.3, 0.4], [0.7, 0.6]]).expand(3, 2, 2)
    for x, y in points[0]:
        row, column = int(y * 64), int(x * 64)
        image[:, :, row - 1 : row + 2, column - 1 : column + 2] = 1.0
    views, theta = small_views(image)
    for view, seen in zip(views, seen_in(points, theta), strict=True):
        for x, y in seen:
            assert float(view[0, int(y * 64), int(x * 64)]) > 0.5


def test_rank_of_the_own_original() -> None:
    theirs = torch.eye(3)
    assert own_rank(theirs + 0.1, theirs) == 1.0
    assert own_rank(torch.ones(3, 3), theirs) == 0.5
    assert own_rank(theirs.roll(1, 0), theirs) == 0.25


def test_options_say_what_is_missing(tmp_path: Path, options: NormalizationConfig) -> None:
    with pytest.raises(ValueError, match="encoder of expression"):
        dataclasses.replace(options, unpaired=UnpairedConfig())
    with pytest.raises(ValueError, match="unpaired_data"):
        dataclasses.replace(options, unpaired_data=())
    with pytest.raises(ValueError, match="unless unpaired_share is 1"):
        dataclasses.replace(options, unpaired_share=0.5)
    with pytest.raises(ValueError, match="identity_weight"):
        UnpairedConfig(identity_weight=-1.0)
    missing = dataclasses.replace(
        options.unpaired, expression=EncoderSpec(path=tmp_path / "none.onnx")
    )
    with pytest.raises(CheckpointError, match=r"none\.onnx"):
        build_judges(dataclasses.replace(options, unpaired=missing))
