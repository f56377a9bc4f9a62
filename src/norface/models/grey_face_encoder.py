"""The encoder of the original face that the small emotion network has (ours, not the paper's)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from norface.models.encoder import Encoder
from norface.models.mobile_face_net import MobileFaceNet


class GreyFaceEncoder(Encoder):
    """A trunk that has seen many faces, a 1 x 1 projection, and a learned position for each cell.

    Colours are taken out first: the faces of emotions that it learns from are grey.

    Args:
        trunk: what makes the features.
        width: D.
        image_size: S, a multiple of the trunk's stride; larger images are averaged down to it.
    """

    def __init__(self, *, trunk: MobileFaceNet, width: int, image_size: int) -> None:
        super().__init__()
        if image_size % trunk.stride:
            raise ValueError(f"image_size must be a multiple of {trunk.stride}, not {image_size}")
        self.image_size = image_size
        self.width = width
        self.side = image_size // trunk.stride
        self.tokens = self.side**2
        self.trunk = trunk
        self.projection = nn.Conv2d(trunk.width, width, 1)
        self.norm = nn.LayerNorm(width)
        self.position = nn.Parameter(torch.zeros(self.tokens, width))
        nn.init.trunc_normal_(self.position, std=0.02)
        self.frozen = False

    def freeze(self) -> None:
        """Learn no more: no gradient, and the running statistics stay as they are."""
        self.frozen = True
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> GreyFaceEncoder:
        """Set training mode; a frozen encoder stays in evaluation mode."""
        super().train(mode and not self.frozen)
        return self

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S), RGB in 0..1 -> tokens (B, L, D)."""
        red, green, blue = self.shrink(image).unbind(1)
        grey = 0.299 * red + 0.587 * green + 0.114 * blue
        x = self.projection(self.trunk(torch.stack([grey, grey, grey], 1)))
        out: Tensor = self.norm(x.flatten(2).transpose(1, 2)) + self.position
        return out
