from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from norface.models.checkpoint import CheckpointError, Recipe, save_network
from norface.models.embeddings import (
    Embedding,
    EncoderSpec,
    PerceptualFeatures,
    load_embedding,
    resample,
)


class Means(nn.Module):
    """The mean of each channel."""

    def forward(self, image: Tensor) -> Tensor:
        return image.mean((2, 3))


def test_changes_the_picture_as_specified() -> None:
    image = torch.tensor([0.2, 0.4, 0.8]).view(1, 3, 1, 1).expand(2, 3, 128, 128)
    spec = EncoderSpec(size=112, mean=(0.1, 0.2, 0.3), std=(0.5, 0.5, 0.1), order="bgr")
    found = Embedding(network=Means(), spec=spec)(image)
    expected = torch.tensor([(0.8 - 0.1) / 0.5, (0.4 - 0.2) / 0.5, (0.2 - 0.3) / 0.1])
    torch.testing.assert_close(found[0], expected / expected.norm())


def test_arcface_frame_puts_the_eyes_where_it_wants_them() -> None:
    image = torch.zeros(1, 3, 256, 256)
    # The left eye of the picture lies at (0.327, 0.218) of a frontal crop.
    image[:, :, 55:57, 83:85] = 1.0
    theta = Embedding(network=Means(), spec=EncoderSpec()).theta
    seen = resample(image, theta, 112)[0, 0]
    y, x = divmod(int(seen.argmax()), 112)
    assert abs(x + 0.5 - 38.3) < 2.5
    assert abs(y + 0.5 - 51.7) < 2.5


def test_a_checkpoint_of_norface(tmp_path: Path) -> None:
    recipe = Recipe(kind="expression_embedding", preset="test")
    network = recipe.build()
    save_network(tmp_path / "e.safetensors", network, recipe)
    embedding = load_embedding(EncoderSpec(path=tmp_path / "e.safetensors"))
    image = torch.rand(2, 3, 128, 128, requires_grad=True)
    found = embedding.train()(image)
    torch.testing.assert_close(found, network.eval()(image), atol=1e-5, rtol=1e-4)
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    assert all(p.grad is None for p in embedding.parameters())
    assert not embedding.training


def test_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.onnx or \.safetensors"):
        EncoderSpec(path=Path("face.pt"))
    with pytest.raises(CheckpointError, match=r"none\.onnx"):
        load_embedding(EncoderSpec(path=tmp_path / "none.onnx"))
    recipe = Recipe(kind="normalization", preset="test")
    save_network(tmp_path / "n.safetensors", recipe.build(), recipe)
    with pytest.raises(CheckpointError, match="no embedding"):
        load_embedding(EncoderSpec(path=tmp_path / "n.safetensors"))


def test_perceptual_features_are_the_trunks() -> None:
    features = PerceptualFeatures(blocks=(1, 3), pretrained=False)
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    first, second = features(image)
    assert first.shape == (1, 16, 16, 16)
    assert second.shape == (1, 24, 8, 8)
    with torch.no_grad():
        whole = features.trunk((image * 255.0 - 127.0) / 128.0)
    torch.testing.assert_close(second.flip(2, 3), whole)
    second.sum().backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    assert all(p.grad is None for p in features.parameters())
