"""Convolutional decoder: merged tokens to a change of the target face.

The picture is the target face warped by a flow, plus a residual: what moves is moved, and only what
appears (teeth, wrinkles, closed lids) has to be painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Change(NamedTuple):
    """What the decoder predicts.

    Attributes:
        flow: (B, 2, H, H), x and y; where to look in the target, as a share of its size.
        residual: (B, 3, 2H, 2H), added to the warped target.
    """

    flow: Tensor
    residual: Tensor


class UpBlock(nn.Module):
    """A 3 x 3 convolution, doubling of the resolution, and a second 3 x 3 convolution as residual.

    The wide convolution runs before the doubling, at a quarter of the cost.
    """

    def __init__(self, *, inputs: int, outputs: int, normalize: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(8, outputs) if normalize else nn.Identity()
        self.refine = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor, detail: Tensor) -> Tensor:
        """Map x (B, C, H, W), detail (B or 1, C', 2H, 2W) -> (B, C', 2H, 2W)."""
        x = F.interpolate(self.norm(self.conv(x)), scale_factor=2.0, mode="nearest")
        x = F.relu(x + detail)
        return x + F.relu(self.refine(x))


class TargetDetail(nn.Module):
    """Shallow features of the target face at the decoder's resolutions.

    Tokens of 16 x 16 pixels do not say where exactly a lip ends; these maps do. They are taken once
    per target.
    """

    def __init__(self, *, widths: Sequence[int], sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.maps = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(3, 24, 3, padding=1), nn.ReLU(), nn.Conv2d(24, width, 3, padding=1)
            )
            for width in widths
        )

    def forward(self, target: Tensor) -> list[Tensor]:
        """Map target (T, 3, S, S) -> one (T, C, H, H) for each size H."""
        details = []
        for size, branch in zip(self.sizes, self.maps, strict=True):
            factor = target.shape[-1] // size
            details.append(branch(F.avg_pool2d(target, factor) if factor > 1 else target))
        return details


class ChangeBasis(nn.Module):
    """The part of a change that all target faces share: learned maps, mixed by the expression.

    In an aligned face an action always moves and folds the same places. Maps with a value of their
    own for every place learn this far sooner than convolutions, which add what is the target's.

    Args:
        code: C.
        count: number of maps.
        channels, size: of each map.
    """

    def __init__(self, *, code: int, count: int, channels: int, size: int) -> None:
        super().__init__()
        self.shape = (channels, size, size)
        self.mix = nn.Linear(code, count)
        # A change starts as none, and the first step moves the maps, not the mixture.
        self.maps = nn.Parameter(torch.zeros(count, channels * size * size))

    def forward(self, code: Tensor) -> Tensor:
        """Map code (B, C) -> (B, channels, size, size)."""
        return torch.unflatten(self.mix(code) @ self.maps.to(code.dtype), -1, self.shape)


class Decoder(nn.Module):
    """Tokens on a square grid, and the code of the expression, to flow and residual.

    Args:
        width: D.
        code: C.
        side: cells of the token grid along a side.
        widths: channels after each doubling; the last stands at half the residual's resolution.
        basis: number of maps in the `ChangeBasis`; 0 does without.
        flow_limit: largest displacement, as a share of the picture.
    """

    def __init__(
        self,
        *,
        width: int,
        code: int,
        side: int,
        widths: Sequence[int],
        basis: int,
        flow_limit: float = 0.15,
    ) -> None:
        super().__init__()
        self.side = side
        self.flow_limit = flow_limit
        self.sizes = tuple(side * 2 ** (i + 1) for i in range(len(widths)))
        self.enter = nn.Conv2d(width, widths[0], 1)
        self.detail = TargetDetail(widths=widths, sizes=self.sizes)
        self.stages = nn.ModuleList(
            UpBlock(inputs=inputs, outputs=outputs, normalize=size <= 4 * side)
            for inputs, outputs, size in zip(
                (widths[0], *widths[:-1]), widths, self.sizes, strict=True
            )
        )
        # Flow, and the residual at twice the resolution.
        self.head = nn.Conv2d(widths[-1], 2 + 3 * 4, 3, padding=1)
        self.basis = (
            ChangeBasis(code=code, count=basis, channels=2 + 3 * 4, size=self.sizes[-1])
            if basis
            else None
        )
        # The untrained decoder returns the target face itself.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, tokens: Tensor, code: Tensor, details: Sequence[Tensor]) -> Change:
        """Change the target.

        Args:
            tokens: (B, L, D).
            code: (B, C).
            details: a (B or 1, C', H, H) for each stage.

        Returns:
            the change, float32.
        """
        x = torch.unflatten(tokens.transpose(1, 2), -1, (self.side, self.side))
        x = self.enter(x)
        for stage, detail in zip(self.stages, details, strict=True):
            x = stage(x, detail)
        x = self.head(x).float()
        if self.basis is not None:
            x = x + self.basis(code).float()
        x = x.contiguous()
        flow = torch.tanh(x[:, :2]) * self.flow_limit
        return Change(flow=flow, residual=F.pixel_shuffle(x[:, 2:], 2))


def apply_change(target: Tensor, change: Change) -> Tensor:
    """Warp the target and add the residual; both are upsampled to the target's size.

    Args:
        target: (B, 3, S, S) in 0..1.
        change: flow and residual of any size.

    Returns:
        (B, 3, S, S), not clamped.
    """
    target = target.float().contiguous()
    size = target.shape[-2:]
    flow = _resize(change.flow, size)
    y = (torch.arange(size[0], device=target.device, dtype=torch.float32) + 0.5) / size[0]
    x = (torch.arange(size[1], device=target.device, dtype=torch.float32) + 0.5) / size[1]
    # Up to the centres of the border pixels: what lies outside shows the border. Padding with it
    # would do the same, but ONNX Runtime samples more than three times as fast without.
    x = (x[None, None, :] + flow[:, 0]).clamp(0.5 / size[1], 1 - 0.5 / size[1])
    y = (y[None, :, None] + flow[:, 1]).clamp(0.5 / size[0], 1 - 0.5 / size[0])
    # grid_sample counts from -1 to 1 between the outer edges of the border pixels.
    warped = F.grid_sample(
        target,
        torch.stack([x, y], dim=-1) * 2 - 1,
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )
    return warped + _resize(change.residual, size)


def _resize(x: Tensor, size: torch.Size) -> Tensor:
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size=(size[0], size[1]), mode="bilinear", align_corners=False)
