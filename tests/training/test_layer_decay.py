"""Rates of each block, and what an encoder starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from norface.models import presets
from norface.models.checkpoint import CheckpointError, Recipe, save_network
from norface.models.encoder import ConvolutionalEncoder, Encoder
from norface.models.vision_transformer import VisionTransformer
from norface.training.encoder_start import start_encoder
from norface.training.layer_decay import layer_parts
from norface.training.optimizers import parameter_groups


def rates(encoder: Encoder, network: nn.Module, decay: float) -> dict[str, float]:
    """Name of each parameter that learns -> its rate."""
    parts: dict[str, tuple[nn.Module, float]] = layer_parts(encoder, 0.1, decay)
    groups = parameter_groups(parts | {"network": (network, 0.1)}, 0.05)
    of = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(of) == sum(len(group["params"]) for group in groups)
    return {name: of[id(p)] for name, p in network.named_parameters() if p.requires_grad}


def classifier(preset: str) -> nn.Module:
    return presets.classification(preset, reads="images", pretrained=False)


def test_transformer() -> None:
    network = classifier("test-vit")
    encoder = network.encoder
    assert isinstance(encoder, VisionTransformer)
    assert len(encoder.blocks) == 2
    found = rates(encoder, network, 0.5)
    assert found["encoder.cls_token"] == pytest.approx(0.1 / 8)
    assert found["encoder.patch_embed.proj.weight"] == pytest.approx(0.1 / 8)
    assert found["encoder.blocks.0.attn.qkv.weight"] == pytest.approx(0.1 / 4)
    assert found["encoder.blocks.1.mlp.fc2.bias"] == pytest.approx(0.1 / 2)
    assert found["encoder.norm.weight"] == pytest.approx(0.1)
    assert found["action_units.pooling.queries"] == pytest.approx(0.1)
    # The positions are fixed.
    assert "encoder.pos_embed" not in found


def test_convolutional() -> None:
    network = classifier("test")
    encoder = network.encoder
    assert isinstance(encoder, ConvolutionalEncoder)
    blocks = len(encoder.trunk.blocks)
    found = rates(encoder, network, 0.9)
    assert found["encoder.trunk.conv_stem.weight"] == pytest.approx(0.1 * 0.9 ** (blocks + 1))
    for block in range(blocks):
        name = f"encoder.trunk.blocks.{block}.project_conv.weight"
        assert found[name] == pytest.approx(0.1 * 0.9 ** (blocks - block))
    for name in ("projection.weight", "fine.weight", "position", "norm.bias"):
        assert found[f"encoder.{name}"] == pytest.approx(0.1)


def test_no_decay_is_one_rate() -> None:
    network = classifier("test-vit")
    assert isinstance(network.encoder, Encoder)
    assert set(rates(network.encoder, network, 1.0).values()) == {0.1}


@pytest.mark.parametrize(
    ("preset", "kind"), [("test-vit", "masked_autoencoder"), ("test", "normalization")]
)
def test_starts_from_our_checkpoints(preset: str, kind: str, tmp_path: Path) -> None:
    recipe = Recipe(kind=kind, preset=preset)
    source = recipe.build()
    path = tmp_path / "start.safetensors"
    save_network(path, source, recipe)
    encoder = classifier(preset).encoder
    assert isinstance(encoder, Encoder)
    assert str(path) in start_encoder(path, encoder)
    own = encoder.state_dict()
    assert isinstance(source.encoder, Encoder)
    for key, value in source.encoder.state_dict().items():
        torch.testing.assert_close(own[key], value, msg=key)


def test_starts_from_a_published_file(tmp_path: Path) -> None:
    source = classifier("test-vit").encoder
    assert isinstance(source, Encoder)
    path = tmp_path / "mae.pth"
    tensors = dict(source.state_dict())
    torch.save({"model": tensors | {"mask_token": torch.zeros(1, 1, 8)}}, path)
    encoder = classifier("test-vit").encoder
    assert isinstance(encoder, Encoder)
    assert "1 others" in start_encoder(path, encoder)
    torch.testing.assert_close(encoder.state_dict()["norm.weight"], tensors["norm.weight"])


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    recipe = Recipe(kind="normalization", preset="test")
    save_network(tmp_path / "conv.safetensors", recipe.build(), recipe)
    encoder = classifier("test-vit").encoder
    assert isinstance(encoder, Encoder)
    with pytest.raises(CheckpointError, match="conv"):
        start_encoder(tmp_path / "conv.safetensors", encoder)
