"""MobileFaceNet (Chen et al., 2018) up to its features: a trunk that has looked at many faces.

The names of the weights are those of the public checkpoints that `MobileFaceNet.load_published`
reads. The part that tells people apart (the global depthwise convolution and what follows) is left
out: expressions are read from the map of features.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Stage(NamedTuple):
    """Bottlenecks of one width; the first has the stride."""

    expansion: int
    width: int
    repeats: int
    stride: int


STEM: Final = 64
STAGES: Final = (
    Stage(2, 64, 5, 2),
    Stage(4, 128, 1, 2),
    Stage(2, 128, 6, 1),
    Stage(4, 128, 1, 2),
    Stage(2, 128, 2, 1),
)
FEATURES: Final = 512
_NOT_READ: Final = ("gdconv.", "conv3.", "bn.")
_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)


class MobileFaceNet(nn.Module):
    """Faces (B, 3, S, S) in 0..1 -> features (B, C, S / 16, S / 16).

    Args:
        stem: channels of the first convolutions.
        stages: the bottlenecks.
        features: C.

    Attributes:
        width: C.
        stride: pixels per cell of the result.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        stem: int = STEM,
        stages: Sequence[Stage] = STAGES,
        features: int = FEATURES,
    ) -> None:
        super().__init__()
        self.conv1 = _convolution(3, stem, kernel=3, stride=2)
        self.dw_conv = _DepthwiseSeparable(stem)
        blocks: list[nn.Module] = []
        width, self.stride = stem, 2
        for stage in stages:
            for repeat in range(stage.repeats):
                stride = stage.stride if repeat == 0 else 1
                blocks.append(
                    _Bottleneck(
                        inputs=width, outputs=stage.width, expansion=stage.expansion, stride=stride
                    )
                )
                width = stage.width
                self.stride *= stride
        self.features = nn.Sequential(*blocks)
        self.conv2 = _convolution(width, features, kernel=1)
        self.width = features
        for name, value in (("mean", _MEAN), ("std", _STD)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S), RGB in 0..1 -> features (B, C, S / stride, S / stride)."""
        x = self.dw_conv(self.conv1((image - self.mean) / self.std))
        out: Tensor = self.conv2(self.features(x))
        return out

    def load_published(self, path: Path) -> None:
        """Load the weights of a MobileFaceNet that was trained to tell people apart.

        Args:
            path: a PyTorch state dict; no other pickled object is read.

        Raises:
            FileNotFoundError: the file is missing.
            ValueError: it is damaged, or of another network.
        """
        try:
            published = torch.load(path, map_location="cpu", weights_only=True)
            kept = {k: v for k, v in published.items() if not k.startswith(_NOT_READ)}
            self.load_state_dict(kept)
        except (RuntimeError, AttributeError, pickle.UnpicklingError, EOFError) as error:
            raise ValueError(f"{path} holds no weights of MobileFaceNet: {error}") from error


class _DepthwiseSeparable(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.pointwise = nn.Conv2d(width, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, H, W) -> (B, C, H, W)."""
        x = F.relu(self.bn1(self.depthwise(x)))
        return F.relu(self.bn2(self.pointwise(x)))


class _Bottleneck(nn.Module):
    """Expand, depthwise convolution, project without activation; residual where shapes allow."""

    def __init__(self, *, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            _convolution(inputs, hidden, kernel=1),
            _convolution(hidden, hidden, kernel=3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, H, W) -> (B, C', H / stride, W / stride)."""
        out: Tensor = self.conv(x)
        return x + out if self.residual else out


def _convolution(
    inputs: int, outputs: int, *, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(),
    )
