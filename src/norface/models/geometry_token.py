"""Landmarks as tokens (ours, not the paper's): they cross from synthetic to real faces well."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LANDMARKS = 478


class RunningStandardization(nn.Module):
    """Subtracts the running mean and divides by the running deviation, in training as well.

    Unlike batch normalization the result of one sample never depends on the others of its batch.
    The statistics are a plain average at first and a moving one (`memory` batches) later.

    Args:
        features: N.
        floor: smallest deviation that is still divided by; below it lies landmark noise.
        memory: batches after which old statistics fade.
    """

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(self, *, features: int, floor: float = 0.02, memory: int = 1000) -> None:
        super().__init__()
        self.floor = floor
        self.memory = memory
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.zeros(features))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, N) -> (B, N), float32."""
        x = x.float()
        if self.training:
            self._update(x.detach())
        return (x - self.mean) / (self.variance + self.floor**2).sqrt()

    @torch.no_grad()
    def _update(self, x: Tensor) -> None:
        rate = 1.0 / min(int(self.batches) + 1, self.memory)
        step = x.mean(0) - self.mean
        # Spread within the batch plus the spread of the batches' means (parallel-variance rule).
        spread = x.var(0, unbiased=False) - self.variance + (1.0 - rate) * step**2
        self.variance += rate * spread
        self.mean += rate * step
        self.batches += 1


class GeometryToken(nn.Module):
    """An MLP from the landmarks to a few tokens.

    Args:
        count: G, number of tokens.
        width: D.
        hidden: width of the hidden layer.
        dropout: share of samples, in training, whose tokens are emptied, lest the image be
            neglected.
    """

    def __init__(self, *, count: int, width: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.count = count
        self.dropout = dropout
        self.standardize = RunningStandardization(features=LANDMARKS * 3)
        self.mlp = nn.Sequential(
            nn.Linear(LANDMARKS * 3, hidden), nn.GELU(), nn.Linear(hidden, count * width)
        )
        self.norm = nn.LayerNorm(width)
        self.position = nn.Parameter(torch.zeros(count, width))
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, geometry: Tensor) -> Tensor:
        """Map geometry (B, 478, 3), see `norface.faces.align.geometry` -> tokens (B, G, D)."""
        x = self.mlp(self.standardize(geometry.flatten(1)))
        x = self.norm(torch.unflatten(x, -1, (self.count, -1)))
        if self.training and self.dropout > 0:
            keep = torch.rand(len(x), 1, 1, device=x.device) >= self.dropout
            x = x * keep
        out: Tensor = x + self.position
        return out
