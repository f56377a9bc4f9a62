from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from norface.models import presets
from norface.models.checkpoint import CheckpointError, Recipe, save_network
from norface.models.published import interpolate_positions, load_mae_checkpoint
from norface.models.vision_transformer import VisionTransformer, sine_positions

WIDTH, DEPTH = 16, 2


def _published(side: int = 14) -> dict[str, Tensor]:
    """A checkpoint in MAE's layout as its authors write it, made from the keys alone."""
    block = {
        "norm1.weight": (WIDTH,),
        "norm1.bias": (WIDTH,),
        "attn.qkv.weight": (3 * WIDTH, WIDTH),
        "attn.qkv.bias": (3 * WIDTH,),
        "attn.proj.weight": (WIDTH, WIDTH),
        "attn.proj.bias": (WIDTH,),
        "norm2.weight": (WIDTH,),
        "norm2.bias": (WIDTH,),
        "mlp.fc1.weight": (4 * WIDTH, WIDTH),
        "mlp.fc1.bias": (4 * WIDTH,),
        "mlp.fc2.weight": (WIDTH, 4 * WIDTH),
        "mlp.fc2.bias": (WIDTH,),
    }
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, WIDTH),
        "patch_embed.proj.weight": (WIDTH, 3, 16, 16),
        "patch_embed.proj.bias": (WIDTH,),
        "norm.weight": (WIDTH,),
        "norm.bias": (WIDTH,),
        **{f"blocks.{i}.{key}": shape for i in range(DEPTH) for key, shape in block.items()},
    }
    tensors = {key: torch.randn(shape) for key, shape in shapes.items()}
    return tensors | {"pos_embed": sine_positions(width=WIDTH, side=side)}


def _decoder() -> dict[str, Tensor]:
    return {
        "mask_token": torch.zeros(1, 1, 8),
        "decoder_pos_embed": torch.zeros(1, 197, 8),
        "decoder_blocks.0.norm1.weight": torch.zeros(8),
        "decoder_pred.bias": torch.zeros(768),
    }


def _encoder(image_size: int = 256) -> VisionTransformer:
    return VisionTransformer(image_size=image_size, width=WIDTH, depth=DEPTH, heads=2)


@pytest.mark.parametrize("kind", ["pth", "pth of weights alone", "safetensors"])
def test_positions_of_another_size_are_interpolated(tmp_path: Path, kind: str) -> None:
    tensors, encoder = _published(), _encoder()
    path = tmp_path / ("mae.safetensors" if kind == "safetensors" else "mae.pth")
    if kind == "safetensors":
        save_file(tensors | _decoder(), path)
    else:
        content = tensors | _decoder()
        torch.save({"model": content, "epoch": 799} if kind == "pth" else content, path)
    report = load_mae_checkpoint(path, encoder)
    assert (report.loaded, report.side) == (len(tensors), 14)
    assert report.ignored == tuple(sorted(_decoder()))
    state = encoder.state_dict()
    for key, value in tensors.items():
        if key != "pos_embed":
            assert torch.equal(state[key], value), key
    assert state["pos_embed"].shape == (1, 257, WIDTH)
    torch.testing.assert_close(state["pos_embed"], interpolate_positions(tensors["pos_embed"], 16))
    assert not encoder.pos_embed.requires_grad
    assert encoder(torch.rand(1, 3, 256, 256)).shape == (1, 256, WIDTH)


def test_interpolated_positions_are_those_of_a_stretched_grid() -> None:
    """Cell 0.5 of 16 lies at 0.5 * 14 / 16 of 14: the slow sines say so."""
    old = sine_positions(width=64, side=14)
    new = interpolate_positions(old, 16)
    assert torch.equal(new[:, 0], old[:, 0])
    place = (torch.arange(16) + 0.5) * 14 / 16 - 0.5
    rate = 10000.0 ** -(8 / 16)
    row = new[0, 1:].unflatten(0, (16, 16))[8]
    # Beyond the outermost cells' centres nothing is known.
    torch.testing.assert_close(row[1:15, 8], (place * rate).sin()[1:15], atol=2e-3, rtol=0)
    assert torch.equal(interpolate_positions(old, 14), old)


def test_the_same_size_gives_the_same_result_as_in_pretraining(tmp_path: Path) -> None:
    """Norface's own pre-training, and any network with the encoder in it."""
    recipe = Recipe("masked_autoencoder", "test-vit")
    source = recipe.build().eval()
    save_network(tmp_path / "mae.safetensors", source, recipe)
    target = presets.normalization("test-vit").eval()
    report = load_mae_checkpoint(tmp_path / "mae.safetensors", target.encoder)  # type: ignore[arg-type]
    assert "decoder_pred.weight" in report.ignored
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(target.encoder(image), source.encoder(image))


def test_all_mismatches_are_named(tmp_path: Path) -> None:
    tensors, path = _published(), tmp_path / "mae.pth"
    del tensors["blocks.1.attn.qkv.bias"]
    tensors["fc_norm.weight"] = torch.zeros(WIDTH)
    tensors["head.bias"] = torch.zeros(12)
    tensors["cls_token"] = torch.zeros(1, 1, 24)
    torch.save({"model": tensors}, path)
    encoder = _encoder()
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_mae_checkpoint(path, encoder)
    message = str(caught.value)
    for part in (
        str(path),
        "blocks.1.attn.qkv.bias is missing",
        "fc_norm.weight is unknown",
        "head.bias is unknown",
        "cls_token has shape (1, 1, 24), not (1, 1, 16)",
    ):
        assert part in message
    for key, value in encoder.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_positions_that_are_no_square_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mae.pth"
    torch.save(_published() | {"pos_embed": torch.zeros(1, 198, WIDTH)}, path)
    with pytest.raises(CheckpointError, match=r"pos_embed has shape \(1, 198, 16\)"):
        load_mae_checkpoint(path, _encoder())


def test_unusable_files_are_named(tmp_path: Path) -> None:
    encoder = _encoder()
    with pytest.raises(CheckpointError, match=r"none\.pth does not exist"):
        load_mae_checkpoint(tmp_path / "none.pth", encoder)
    for name in ("broken.pth", "broken.safetensors"):
        (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(CheckpointError, match=name):
            load_mae_checkpoint(tmp_path / name, encoder)
    # What MAE's own training writes: its options are an object, which could run anything.
    torch.save({"model": _published(), "args": Namespace(lr=1.0)}, tmp_path / "training.pth")
    with pytest.raises(CheckpointError, match=r"training\.pth cannot be read as weights alone"):
        load_mae_checkpoint(tmp_path / "training.pth", encoder)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="no dictionary of weights"):
        load_mae_checkpoint(tmp_path / "list.pth", encoder)
    torch.save({"epoch": 3}, tmp_path / "none.pth")
    with pytest.raises(CheckpointError, match="what is no weight: epoch"):
        load_mae_checkpoint(tmp_path / "none.pth", encoder)
