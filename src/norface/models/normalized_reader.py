"""The encoder of the normalized face that the small emotion network has (ours, not the paper's)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from norface.models.encoder import Encoder


class NormalizedReader(Encoder):
    """A small convolutional encoder: enough for a face that is always the same person."""

    def __init__(self, *, width: int, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.width = width
        self.side = image_size // 16
        self.tokens = self.side**2
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
            for inputs, outputs in ((3, 32), (32, 64), (64, 128))
        )
        self.projection = nn.Conv2d(128, width, 1)
        self.norm = nn.LayerNorm(width)
        self.position = nn.Parameter(torch.zeros(self.tokens, width))
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S), RGB in 0..1 -> tokens (B, L, D)."""
        x = F.avg_pool2d(image, 2) * 4.0 - 2.0
        for conv in self.convs:
            x = F.relu(conv(x))
        out: Tensor = self.norm(self.projection(x).flatten(2).transpose(1, 2)) + self.position
        return out
