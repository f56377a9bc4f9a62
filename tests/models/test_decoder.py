from __future__ import annotations

import torch

from norface.models.decoder import Change, ChangeBasis, Decoder, apply_change


def _decoder() -> Decoder:
    return Decoder(width=16, code=12, side=8, widths=(16, 16, 8), basis=5)


def test_the_untrained_decoder_returns_the_target() -> None:
    decoder, target = _decoder(), torch.rand(2, 3, 256, 256)
    change = decoder(torch.randn(2, 64, 16), torch.randn(2, 12), decoder.detail(target))
    assert change.flow.shape == (2, 2, 64, 64)
    assert change.residual.shape == (2, 3, 128, 128)
    torch.testing.assert_close(apply_change(target, change), target, atol=1e-5, rtol=0)


def test_flow_says_where_to_look() -> None:
    """A flow of a quarter to the right shows what stood a quarter further right."""
    target = torch.rand(1, 3, 64, 64)
    flow = torch.zeros(1, 2, 32, 32)
    flow[:, 0] = 0.25
    moved = apply_change(target, Change(flow, torch.zeros(1, 3, 64, 64)))
    torch.testing.assert_close(moved[..., :48], target[..., 16:], atol=1e-4, rtol=0)
    # Beyond the border its last column goes on.
    torch.testing.assert_close(
        moved[..., 48:], target[..., -1:].expand(-1, -1, -1, 16), atol=1e-4, rtol=0
    )


def test_the_second_channel_of_the_flow_is_vertical() -> None:
    target = torch.rand(1, 3, 64, 64)
    flow = torch.zeros(1, 2, 32, 32)
    flow[:, 1] = -0.25
    moved = apply_change(target, Change(flow, torch.zeros(1, 3, 64, 64)))
    torch.testing.assert_close(moved[:, :, 16:], target[:, :, :48], atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_code_mixes_the_maps() -> None:
    basis = ChangeBasis(code=4, count=3, channels=2, size=8)
    torch.nn.init.normal_(basis.maps)
    code = torch.randn(2, 4)
    mixture = code @ basis.mix.weight.T + basis.mix.bias
    expected = torch.einsum("bk,kchw->bchw", mixture, basis.maps.view(3, 2, 8, 8))
    torch.testing.assert_close(basis(code), expected)


@torch.no_grad()
def test_the_flow_is_limited() -> None:
    decoder = _decoder()
    torch.nn.init.normal_(decoder.head.weight, std=10.0)
    change = decoder(
        torch.randn(2, 64, 16), torch.randn(2, 12), decoder.detail(torch.rand(2, 3, 128, 128))
    )
    assert 0.1 < float(change.flow.abs().max()) < decoder.flow_limit + 1e-6


def test_both_sizes_show_the_same_change() -> None:
    """Trained at 128 pixels, used at 256."""
    coarse = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), size=128, mode="bicubic")
    small, large = (
        torch.nn.functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        for size in (128, 256)
    )
    wave = torch.linspace(0, 6.0, 64).sin()
    flow = 0.03 * torch.stack([wave.expand(64, 64), wave[:, None].expand(64, 64)])[None]
    change = Change(flow, 0.1 * torch.nn.functional.interpolate(flow, size=128)[:, [0, 1, 0]])
    changed = apply_change(small, change)
    assert (changed - small).abs().mean() > 0.02
    shrunk = torch.nn.functional.avg_pool2d(apply_change(large, change), 2)
    assert (shrunk - changed).abs().mean() < 0.1 * (changed - small).abs().mean()


def test_a_flow_out_of_the_picture_shows_its_border() -> None:
    target = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    flow = torch.zeros(1, 2, 32, 32)
    flow[:, 0, :, 16:], flow[:, 1, 16:] = 0.7, 0.7
    place = (torch.arange(32) + 0.5) / 32 * 2 - 1
    grid = torch.stack(torch.meshgrid(place, place, indexing="xy"), -1)[None]
    expected = torch.nn.functional.grid_sample(
        target, grid + 2 * flow.permute(0, 2, 3, 1), padding_mode="border", align_corners=False
    )
    changed = apply_change(target, Change(flow, torch.zeros(1, 3, 32, 32)))
    torch.testing.assert_close(changed, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(changed[:, :, 24:, 24:], target[:, :, -1:, -1:].expand(1, 3, 8, 8))
