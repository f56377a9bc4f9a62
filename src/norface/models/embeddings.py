"""Judges from outside: embeddings of expression or identity, and perceptual features, frozen.

Each is a network that someone trained; gradients pass through it to the picture. Any ONNX file or
checkpoint of norface can be one (`EncoderSpec`); a user who may use ArcFace gives its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from norface.models.checkpoint import CheckpointError, load_network
from norface.models.encoder import EfficientNetLite0
from norface.models.expression_embedding import ExpressionEmbedding
from norface.models.onnx_network import OnnxError, OnnxNetwork

FRAMES: Final = ("crop", "arcface")

# Where eyes, tip of the nose and corners of the mouth lie on a frontal face in the crop (as a share
# of it), and on the 112-pixel picture that ArcFace and its kin were trained on.
_CROP_POINTS: Final = (
    (0.3269, 0.2184), (0.6731, 0.2184), (0.5, 0.4246), (0.3650, 0.6012), (0.6350, 0.6012),
)  # fmt: skip
_ARCFACE_POINTS: Final = (
    (38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655),
    (70.7299, 92.2041),
)  # fmt: skip
_ARCFACE_SIDE: Final = 112.0


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderSpec:
    """A trained encoder and the pictures that it wants.

    Attributes:
        path: .onnx, or a .safetensors checkpoint of norface, which knows its pictures itself, so
            that the other fields are for ONNX alone.
        size: width and height of its pictures.
        mean, std: of its pictures, for values in 0..1: (x - mean) / std, in the order of the
            channels; ArcFace wants 0.5 and 0.5.
        order: of the colour channels.
        frame: crop: the face as `norface.faces.align` frames it; arcface: eyes, nose and mouth
            where the five-point alignment of ArcFace and its kin puts them.
    """

    path: Path | None = None
    size: int = 112
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    order: Literal["rgb", "bgr"] = "rgb"
    frame: Literal["crop", "arcface"] = "arcface"

    def __post_init__(self) -> None:
        if self.size <= 0:
            raise ValueError(f"size must be positive, not {self.size}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be positive, not {self.std}")
        if self.path is not None and self.path.suffix not in (".onnx", ".safetensors"):
            raise ValueError(f"{self.path}: an encoder is an .onnx or .safetensors file")


class Embedding(nn.Module):
    """A frozen network behind the change from norface's crops to its own pictures.

    Always in evaluation mode, no parameter takes a gradient; the picture does.
    """

    mean: Tensor
    std: Tensor
    theta: Tensor

    def __init__(self, *, network: nn.Module, spec: EncoderSpec) -> None:
        super().__init__()
        self.network = network
        self.spec = spec
        self.register_buffer("mean", torch.tensor(spec.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(spec.std).view(1, 3, 1, 1))
        theta = _arcface_frame() if spec.frame == "arcface" else torch.eye(3)[:2]
        self.register_buffer("theta", theta)
        self.requires_grad_(False)
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S), RGB in 0..1, an aligned crop -> (B, E) of length 1."""
        x = resample(image.float(), self.theta, self.spec.size)
        if self.spec.order == "bgr":
            x = x.flip(1)
        return F.normalize(self.network((x - self.mean) / self.std).flatten(1).float(), dim=1)

    def train(self, mode: bool = True) -> Embedding:
        """Stay in evaluation mode."""
        super().train(False)
        return self


def load_embedding(spec: EncoderSpec) -> Embedding:
    """The network of a specification.

    Raises:
        CheckpointError: the file is missing, broken or of another kind of network.
    """
    if spec.path is None:
        raise CheckpointError("no encoder is given")
    if spec.path.suffix == ".onnx":
        try:
            return Embedding(network=OnnxNetwork(path=spec.path), spec=spec)
        except OnnxError as error:
            raise CheckpointError(str(error)) from error
    network, _ = load_network(spec.path)
    if not isinstance(network, ExpressionEmbedding):
        raise CheckpointError(f"{spec.path} holds no embedding network")
    own = EncoderSpec(
        path=spec.path,
        size=network.encoder.image_size,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        frame="crop",
    )
    return Embedding(network=network, spec=own)


class PerceptualFeatures(nn.Module):
    """Features of EfficientNet-Lite0 trained on ImageNet, frozen; the default perceptual network.

    The paper's is not known; VGG, which is usual, is 30 times as dear.

    Args:
        blocks: after which blocks features are compared.
        pretrained: without, its weights are random (for tests).
    """

    def __init__(self, *, blocks: Sequence[int] = (1, 3, 5, 8), pretrained: bool = True) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        self.trunk = EfficientNetLite0(blocks=max(blocks))
        if pretrained:
            self.trunk.load_imagenet()
        self.requires_grad_(False)
        self.eval()

    def forward(self, image: Tensor) -> list[Tensor]:
        """Map image (B, 3, S, S), RGB in 0..1 -> a map (B, C, H, W) for each of `blocks`."""
        # The trunk works upside down (see there); for a distance it does not matter.
        x = (image.flip(2, 3) * 255.0 - 127.0) / 128.0
        x = F.relu6(self.trunk.bn0(self.trunk.conv_stem(x)))
        found = []
        for number, block in enumerate(self.trunk.blocks, start=1):
            x = block(x)
            if number in self.blocks:
                found.append(x)
        return found

    def train(self, mode: bool = True) -> PerceptualFeatures:
        """Stay in evaluation mode."""
        super().train(False)
        return self


def resample(image: Tensor, theta: Tensor, size: int) -> Tensor:
    """Pictures under an affine map, differentiable.

    Args:
        image: (B, 3, S, S).
        theta: (2, 3) or (B, 2, 3), from positions in the result to positions in the image, both
            from -1 to 1 between the outer edges.
        size: of the result.

    Returns:
        (B, 3, size, size)
    """
    factor = image.shape[-1] // size
    if factor > 1:
        # Or else shrinking would skip pixels.
        image = F.avg_pool2d(image, factor)
    theta = theta.expand(len(image), 2, 3).to(image)
    grid = F.affine_grid(theta, [len(image), 3, size, size], align_corners=False)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _arcface_frame() -> Tensor:
    """(2, 3), from positions in ArcFace's frame to positions in the crop, -1 to 1 each."""
    crop = torch.view_as_complex(torch.tensor(_CROP_POINTS) * 2 - 1)
    arcface = torch.view_as_complex(torch.tensor(_ARCFACE_POINTS) / _ARCFACE_SIDE * 2 - 1)
    # Least-squares similarity, as complex numbers.
    centred = arcface - arcface.mean()
    turn = (centred.conj() * (crop - crop.mean())).sum() / centred.abs().square().sum()
    shift = crop.mean() - turn * arcface.mean()
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return torch.stack([torch.stack(row) for row in rows])
