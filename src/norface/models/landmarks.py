"""A small network from a picture to landmarks and pose, so that both can be part of a loss.

Ours: the paper names a pose or landmark loss at most, not its network. This one needs nothing from
outside: it learns during the training of F_nor from originals whose landmarks are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RIGID: Final = (33, 133, 362, 263, 168, 6, 197, 195, 2, 127, 356, 234, 454)
"""Landmarks that expressions hardly move: eye corners, nose, sides of the face."""

MOVING: Final = (159, 145, 386, 374, 13, 14, 61, 291)
"""Upper and lower lid (right, left), upper and lower inner lip, corners of the mouth."""

POINTS: Final = (*RIGID, *MOVING)
OPENINGS: Final = 6


class FaceFrame(NamedTuple):
    """What the network reads.

    Attributes:
        points: (B, K, 2), `POINTS` as shares of the crop.
        pose: (B, 2), yaw and pitch in degrees.
    """

    points: Tensor
    pose: Tensor

    @property
    def rigid(self) -> Tensor:
        """(B, K', 2), those that expressions hardly move."""
        return self.points[:, : len(RIGID)]


class LandmarkNetwork(nn.Module):
    """Strided convolutions and two linear layers; the result starts at the mean face.

    Args:
        widths: channels after each halving.
        hidden: width of the hidden linear layer.
        image_size: of its pictures; others are averaged to it.
    """

    mean_points: Tensor

    def __init__(
        self,
        *,
        widths: Sequence[int] = (16, 32, 64, 64),
        hidden: int = 128,
        image_size: int = 128,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
            for inputs, outputs in zip((3, *widths[:-1]), widths, strict=True)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(8, width) for width in widths)
        side = image_size // 2 ** len(widths)
        self.hidden = nn.Linear(widths[-1] * side**2, hidden)
        self.out = nn.Linear(hidden, 2 * len(POINTS) + 2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.register_buffer("mean_points", torch.full((len(POINTS), 2), 0.5))

    def start_from(self, points: Tensor) -> None:
        """Take (K, 2) as the mean face."""
        self.mean_points.copy_(points)

    def forward(self, image: Tensor) -> FaceFrame:
        """Read image (B, 3, S, S), RGB in 0..1, an aligned crop."""
        x = image
        if image.shape[-1] != self.image_size:
            x = F.adaptive_avg_pool2d(image, self.image_size)
        x = x * 2.0 - 1.0
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.relu(norm(convolution(x)))
        found = self.out(F.relu(self.hidden(x.flatten(1)))).float()
        points = torch.unflatten(found[:, :-2], 1, (len(POINTS), 2)) * 0.1 + self.mean_points
        return FaceFrame(points, found[:, -2:] * 15.0)


def openings(points: Tensor) -> Tensor:
    """What expressions open and lift, nearly free of identity.

    Args:
        points: (B, K, 2), `POINTS`.

    Returns:
        (B, 6): gap of the right and of the left lids over the width of an eye; gap of the lips,
        their width, and the lift of the right and of the left corner of the mouth over the distance
        of the eyes.
    """
    at = {index: points[:, place] for place, index in enumerate(POINTS)}
    eyes = _distance(at[263], at[33]).clamp(min=0.05)
    lips = (at[13] + at[14]) / 2
    # An eye is about a third as wide as its outer corners are apart.
    values = [
        3.0 * (at[145] - at[159])[:, 1],
        3.0 * (at[374] - at[386])[:, 1],
        (at[14] - at[13])[:, 1],
        _distance(at[291], at[61]),
        (lips - at[61])[:, 1],
        (lips - at[291])[:, 1],
    ]
    return torch.stack(values, dim=1) / eyes[:, None]


def _distance(one: Tensor, other: Tensor) -> Tensor:
    # With a gradient even where both are the same.
    return ((one - other).square().sum(1) + 1e-12).sqrt()
