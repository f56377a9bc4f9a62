from __future__ import annotations

import torch

from norface.models.decoder import Change, Decoder, apply_change


def _decoder() -> Decoder:
    return Decoder(width=16, code=12, side=8, widths=(16, 16, 8))


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
def test_the_code_alone_changes_the_target_where_it_says() -> None:
    decoder = _decoder()
    torch.nn.init.normal_(decoder.head.weight, std=1.0)
    details = decoder.detail(torch.rand(1, 3, 128, 128))
    tokens, code = torch.randn(1, 64, 16), torch.zeros(1, 12)
    # Weights for one number of the code at one place: only its neighbourhood changes.
    decoder.enter_code.weight.zero_()
    decoder.enter_code.weight.view(16, 8, 8, 12)[:, 2, 5, 3] = 5.0
    for stage in decoder.stages:
        stage.norm = torch.nn.Identity()  # its statistics span the picture
    quiet = decoder(tokens, code, details).residual
    code[0, 3] = 1.0
    moved = (decoder(tokens, code, details).residual - quiet).abs().amax(dim=(0, 1))
    row, column = divmod(int(moved.argmax()), 128)
    assert abs(row / 16 - 2.5) < 1.5
    assert abs(column / 16 - 5.5) < 1.5
    assert moved[96:].max() == 0


@torch.no_grad()
def test_the_flow_is_limited() -> None:
    decoder = _decoder()
    torch.nn.init.normal_(decoder.head.weight, std=10.0)
    change = decoder(torch.randn(2, 64, 16), torch.randn(2, 12), decoder.detail(torch.rand(2, 3, 128, 128)))
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
