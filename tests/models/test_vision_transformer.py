from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from norface.models.masked_autoencoder import MaskedAutoencoder
from norface.models.transformer import Blocks
from norface.models.vision_transformer import (
    DropPath,
    SelfAttention,
    VisionTransformer,
    sine_positions,
)

BLOCK = {
    "norm1.weight": (1, 0),
    "norm1.bias": (1, 0),
    "attn.qkv.weight": (3, 1),
    "attn.qkv.bias": (3, 0),
    "attn.proj.weight": (1, 1),
    "attn.proj.bias": (1, 0),
    "norm2.weight": (1, 0),
    "norm2.bias": (1, 0),
    "mlp.fc1.weight": (4, 1),
    "mlp.fc1.bias": (4, 0),
    "mlp.fc2.weight": (1, 4),
    "mlp.fc2.bias": (1, 0),
}
"""Tensors of a block as published, their sizes in widths; 0 for none."""


def published_encoder(width: int, depth: int, side: int) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of the encoder in facebookresearch/mae, models_mae.py."""
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, side * side + 1, width),
        "patch_embed.proj.weight": (width, 3, 16, 16),
        "patch_embed.proj.bias": (width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    return shapes | published_blocks("blocks", width, depth)


def published_blocks(name: str, width: int, depth: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.{i}.{key}": tuple(size * width for size in sizes if size)
        for i in range(depth)
        for key, sizes in BLOCK.items()
    }


def _small(**options: float) -> VisionTransformer:
    return VisionTransformer(image_size=64, width=16, depth=3, heads=2, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("width", "depth", "heads", "parameters"),
    [(768, 12, 12, 85_798_656), (1024, 24, 16, 303_301_632)],
)
def test_keys_shapes_and_size_are_the_published_ones(
    width: int, depth: int, heads: int, parameters: int
) -> None:
    with torch.device("meta"):
        network = VisionTransformer(image_size=224, width=width, depth=depth, heads=heads)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert shapes == published_encoder(width, depth, 14)
    # ViT-B/16 and ViT-L/16 at 224 without their heads.
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert {name for name, p in network.named_parameters() if not p.requires_grad} == {"pos_embed"}


def test_keys_of_the_decoder_are_the_published_ones() -> None:
    with torch.device("meta"):
        encoder = VisionTransformer(image_size=224, width=768, depth=12, heads=12)
        network = MaskedAutoencoder(encoder=encoder)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    decoder: dict[str, tuple[int, ...]] = {
        "mask_token": (1, 1, 512),
        "decoder_embed.weight": (512, 768),
        "decoder_embed.bias": (512,),
        "decoder_pos_embed": (1, 197, 512),
        "decoder_norm.weight": (512,),
        "decoder_norm.bias": (512,),
        "decoder_pred.weight": (768, 512),
        "decoder_pred.bias": (768,),
    } | published_blocks("decoder_blocks", 512, 8)
    own = {key: shape for key, shape in shapes.items() if not key.startswith("encoder.")}
    assert own == decoder


def test_positions_are_sines_of_column_and_row() -> None:
    positions = sine_positions(width=16, side=3)
    assert positions.shape == (1, 10, 16)
    assert not positions[0, 0].any()
    for row in range(3):
        for column in range(3):
            cell = positions[0, 1 + 3 * row + column]
            for i in range(4):
                rate = 10000.0 ** -(i / 4)
                wanted = torch.tensor([column * rate, row * rate])
                torch.testing.assert_close(cell[[i, 8 + i]], wanted.sin(), atol=1e-6, rtol=0)
                torch.testing.assert_close(cell[[4 + i, 12 + i]], wanted.cos(), atol=1e-6, rtol=0)


def test_patches_are_embedded_as_by_the_convolution() -> None:
    embed, image = _small().patch_embed, torch.rand(2, 3, 64, 64)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    wanted = embed.proj((image - mean) / deviation).flatten(2).transpose(1, 2)
    torch.testing.assert_close(embed(embed.cut(image)), wanted, atol=1e-4, rtol=1e-4)


def test_attention_equals_a_plain_softmax() -> None:
    attention, x = SelfAttention(width=8, heads=2), torch.randn(2, 5, 8)
    with torch.no_grad():
        q, k, v = attention.qkv(x).reshape(2, 5, 3, 2, 4).unbind(2)
        weights = (torch.einsum("bihd,bjhd->bhij", q, k) / 2.0).softmax(-1)
        heads = torch.einsum("bhij,bjhd->bihd", weights, v).reshape(2, 5, 8)
        torch.testing.assert_close(attention(x), attention.proj(heads), atol=1e-5, rtol=1e-5)


def test_the_whole_equals_pytorchs_own_layers() -> None:
    """The same weights in torch.nn.TransformerEncoderLayer."""
    network, image = _small().eval(), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        x = network.patch_embed(network.patch_embed.cut(image))
        x = torch.cat([network.cls_token.expand(2, -1, -1), x], 1) + network.pos_embed
        for block in network.blocks:
            layer = nn.TransformerEncoderLayer(
                16, 2, 64, 0.0, "gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
            ).eval()
            state = block.state_dict()
            layer.load_state_dict(
                {
                    "self_attn.in_proj_weight": state["attn.qkv.weight"],
                    "self_attn.in_proj_bias": state["attn.qkv.bias"],
                    "self_attn.out_proj.weight": state["attn.proj.weight"],
                    "self_attn.out_proj.bias": state["attn.proj.bias"],
                    "linear1.weight": state["mlp.fc1.weight"],
                    "linear1.bias": state["mlp.fc1.bias"],
                    "linear2.weight": state["mlp.fc2.weight"],
                    "linear2.bias": state["mlp.fc2.bias"],
                    **{k: v for k, v in state.items() if k.startswith("norm")},
                }
            )
            x = layer(x)
        got = network(image)
        assert got.shape == (2, 16, 16)
        torch.testing.assert_close(got, network.norm(x)[:, 1:], atol=1e-5, rtol=1e-5)


def test_all_patches_seen_in_any_order_are_the_same_tokens() -> None:
    network, image = _small().eval(), torch.rand(2, 3, 64, 64)
    order = torch.stack([torch.randperm(16), torch.randperm(16)])
    with torch.no_grad():
        tokens, seen = network(image), network.forward_visible(image, order)
    wanted = torch.stack([t[o] for t, o in zip(tokens, order, strict=True)])
    torch.testing.assert_close(seen[:, 1:], wanted, atol=1e-5, rtol=1e-5)


def test_hidden_patches_have_no_effect() -> None:
    network, image = _small().eval(), torch.rand(1, 3, 64, 64)
    other = image.clone()
    other[..., 16:] = 0.0
    first_column = torch.tensor([[0, 4, 8, 12]])
    with torch.no_grad():
        assert torch.equal(
            network.forward_visible(image, first_column),
            network.forward_visible(other, first_column),
        )


def test_larger_images_are_averaged_and_others_refused() -> None:
    network, image = _small().eval(), torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        small = nn.functional.avg_pool2d(image, 2)
        torch.testing.assert_close(network(image), network(small))
    with pytest.raises(ValueError, match="reads images of 64 pixels or a multiple, not 96"):
        network(torch.rand(1, 3, 96, 96))
    with pytest.raises(ValueError, match="multiple of 16"):
        VisionTransformer(image_size=100, width=16, depth=1, heads=2)


def test_dropped_paths_keep_the_expectation() -> None:
    add = DropPath(rate=0.3)
    x, branch = torch.zeros(20_000, 1, 1), torch.ones(20_000, 1, 1)
    summed = add(x, branch)
    dropped = summed == 0
    assert abs(float(dropped.float().mean()) - 0.3) < 0.02
    torch.testing.assert_close(summed[~dropped], torch.full_like(summed[~dropped], 1 / 0.7))
    assert abs(float(summed.mean()) - 1.0) < 0.03
    assert torch.equal(add.eval()(x, branch), x + branch)
    with pytest.raises(ValueError, match="drop path"):
        DropPath(rate=1.0)


def test_drop_path_grows_with_depth_and_is_off_in_evaluation() -> None:
    network, image = _small(drop_path=0.4), torch.rand(2, 3, 64, 64)
    rates = [m.rate for m in network.modules() if isinstance(m, DropPath)]
    assert rates == pytest.approx([0.0, 0.2, 0.4])
    plain = _small()
    plain.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert not torch.equal(network(image), plain(image))
        assert torch.equal(network.eval()(image), plain.eval()(image))


def _gradients(network: nn.Module, image: Tensor) -> dict[str, Tensor]:
    network.zero_grad(set_to_none=True)
    torch.manual_seed(1)
    network(image).square().sum().backward()
    return {k: p.grad.clone() for k, p in network.named_parameters() if p.grad is not None}


def test_checkpointing_gives_the_same_gradients() -> None:
    """Dropped paths included, and in fact computing every block again."""
    network, image = _small(drop_path=0.4), torch.rand(4, 3, 64, 64)
    calls: list[int] = []
    network.blocks[1].register_forward_pre_hook(lambda *_: calls.append(1))
    wanted = _gradients(network, image)
    assert len(calls) == 1
    network.checkpointing = True
    stacks = [m for m in network.modules() if isinstance(m, Blocks)]
    assert [stack.checkpointing for stack in stacks] == [True]
    got = _gradients(network, image)
    assert len(calls) == 3
    assert got.keys() == wanted.keys()
    for key, value in wanted.items():
        torch.testing.assert_close(got[key], value, msg=key)
