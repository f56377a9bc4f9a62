from __future__ import annotations

import dataclasses

import pytest
import torch

from norface.models import presets
from norface.models.classification import ClassificationNetwork
from norface.models.encoder import ConvolutionalEncoder
from norface.models.vision_transformer import DropPath, VisionTransformer


@pytest.mark.parametrize(("name", "parameters"), [("base", 85_844_736), ("large", 303_363_072)])
def test_the_papers_scale(name: str, parameters: int) -> None:
    """256 x 256 pixels are 16 x 16 tokens; nothing is there that the paper does not have."""
    with torch.device("meta"):
        network = presets.normalization(name).eval()
        encoder = network.encoder
        assert isinstance(encoder, VisionTransformer)
        assert (encoder.image_size, encoder.side, encoder.tokens) == (256, 16, 256)
        assert sum(p.numel() for p in encoder.parameters()) == parameters
        assert network.geometry is None
        assert network.dense is None
        assert network.decoder.basis is None
        assert len(network.merging.blocks) == 4
        target = torch.empty(2, 3, 256, 256)
        out = network(torch.empty(3, 3, 256, 256), None, target, torch.zeros(3, dtype=torch.long))
        assert out.image.shape == (3, 3, 256, 256)
        assert out.change.flow.shape == (3, 2, 128, 128)
        assert out.change.residual.shape == (3, 3, 256, 256)
        assert out.tokens.shape == (3, 256, encoder.width)
        both = presets.classification(name, heads=("action_units", "emotions"), reads="images")
        said = both.eval()(target, target, None)
        assert said.presence is not None
        assert said.emotion is not None
        assert (said.presence.shape, said.emotion.shape) == ((2, 25), (2, 8))
        assert said.routings["input"].gates.shape == (2, 4)
        assert isinstance(both.encoder, VisionTransformer)
        assert both.normalized_encoder is None


@pytest.mark.parametrize("name", ["test", "test-vit"])
def test_heads_are_as_asked(name: str) -> None:
    for heads in (("action_units",), ("emotions",), ("action_units", "emotions")):
        network = presets.classification(name, heads=list(heads))
        assert network.heads == heads
    with pytest.raises(ValueError, match="unknown heads pain; there are action_units, emotions"):
        presets.classification(name, heads=("pain",))
    with pytest.raises(ValueError, match="at least one head"):
        presets.classification(name, heads=())


def test_the_same_encoder_reads_both_faces() -> None:
    network = presets.classification("test-vit", reads="images").eval()
    one, other = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 128, 128)
    assert isinstance(network.encoder, VisionTransformer)
    with torch.no_grad():
        original, normalized = network.read(one, other)
        torch.testing.assert_close(original, network.encoder(one), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(normalized, network.encoder(other), atol=1e-5, rtol=1e-5)
        from_images = network(one, other, None)
        tokens = presets.classification("test-vit").eval()
        tokens.load_state_dict(
            {k: v for k, v in network.state_dict().items() if not k.startswith("encoder.")}
        )
        from_tokens = tokens(original, normalized, None)
    assert from_images.presence is not None
    torch.testing.assert_close(from_images.presence, from_tokens.presence)


@pytest.mark.parametrize("used", ["original", "normalized"])
def test_an_own_encoder_reads_the_face_that_is_left(used: str) -> None:
    network = presets.classification(
        "test-vit",
        reads="images",
        use_original=used == "original",
        use_normalized=used == "normalized",
    ).eval()
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        alone = network(*((image, None) if used == "original" else (None, image)), None)
        both = network(image, image, None)
    assert torch.equal(alone.presence, both.presence)


def test_convolutional_presets_read_images_too() -> None:
    network = presets.classification("test", reads="images", pretrained=False).eval()
    assert isinstance(network.encoder, ConvolutionalEncoder)
    image = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        out = network(image, image, torch.randn(1, 478, 3))
    assert out.presence is not None
    assert out.presence.shape == (1, 25)


def test_landmarks_are_asked_for_where_they_are_read() -> None:
    image = torch.rand(1, 3, 128, 128)
    network = presets.normalization("test", pretrained=False)
    with pytest.raises(ValueError, match="needs the geometry input"):
        network(image, None, image, torch.zeros(1, dtype=torch.long))
    tokens = torch.rand(1, 64, 32)
    with pytest.raises(ValueError, match="needs the geometry input"):
        presets.classification("test")(tokens, tokens, None)


def test_drop_path_needs_a_transformer_of_its_own() -> None:
    network = presets.classification("test-vit", reads="images", drop_path=0.1)
    assert max(m.rate for m in network.modules() if isinstance(m, DropPath)) == 0.1
    with pytest.raises(ValueError, match="set reads to 'images'"):
        presets.classification("test-vit", drop_path=0.1)
    with pytest.raises(ValueError, match="needs a transformer"):
        presets.classification("test", reads="images", drop_path=0.1, pretrained=False)
    with pytest.raises(ValueError, match="reads must be"):
        presets.classification("test", reads="pixels")  # type: ignore[arg-type]


def test_the_special_emotion_network_is_tinys() -> None:
    assert isinstance(presets.emotions("test"), ClassificationNetwork)
    with pytest.raises(ValueError, match="'base' has no emotion network of its own"):
        presets.emotions("base")


def test_maps_of_change_need_the_dense_code() -> None:
    with pytest.raises(ValueError, match="set dense as well"):
        dataclasses.replace(presets.preset("tiny"), dense=None)


def test_the_actions_are_read_from_the_mean_token_without_dense_tokens() -> None:
    network = presets.normalization("test-vit").eval()
    image, target = torch.rand(2, 3, 64, 64), torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        out = network(image, None, target, torch.zeros(2, dtype=torch.long))
        tokens = network.encoder(target).expand(2, -1, -1)
        merged = network.merging(network.encoder(image), tokens)
        wanted = network.actions(merged.mean(1))
    torch.testing.assert_close(out.actions, wanted, atol=1e-5, rtol=1e-5)
    network.freeze_reading()
    assert not network.actions.weight.requires_grad
    assert next(network.merging.parameters()).requires_grad
