"""F_nor as it stays while F_cla learns: one target face, no gradient."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from norface.data.augment import centre
from norface.models.normalization import NormalizationNetwork
from norface.training.pictures import from_images, to_images
from norface.training.speed import lay_channels_last


class FrozenNormalizer:
    """Normalizes faces onto one target, in bfloat16.

    Args:
        network: F_nor.
        target: (S, S, 3) uint8, the neutral target face.
        device: where to.

    Attributes:
        device: where it is.
        image_size: width of the images that its encoder reads.
        tokens, width: L and D of its tokens.
    """

    def __init__(
        self, network: NormalizationNetwork, target: NDArray[np.uint8], device: torch.device
    ) -> None:
        lay_channels_last(network)
        self._network = network.to(device).eval().requires_grad_(False)
        self.device = device
        self.image_size = network.encoder.image_size
        self.tokens, self.width = network.encoder.tokens, network.encoder.width
        self._target = to_images(target[None]).to(device)
        with torch.no_grad():
            self._target_tokens = network.encoder(network.shrink(self._target))

    @torch.no_grad()
    def render(self, images: Tensor, geometry: Tensor) -> Tensor:
        """Images (B, 3, S, S) in 0..1, geometry (B, 478, 3) -> normalized (B, 3, S', S')."""
        return self._read_and_render(images, geometry)[1]

    def pictures(
        self, faces: NDArray[np.uint8], geometry: NDArray[np.floating]
    ) -> NDArray[np.uint8]:
        """Faces (B, S, S, 3) uint8 of any S, geometry (B, 478, 3) -> (B, S', S', 3) uint8."""
        images = to_images(np.stack([centre(face, self.image_size) for face in faces]))
        shape = torch.from_numpy(geometry.astype(np.float32))
        return from_images(self.render(images.to(self.device), shape.to(self.device)))

    @torch.no_grad()
    def read_both(self, images: Tensor, geometry: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, L, D) of the originals and of the normalized faces; arguments as `render`."""
        tokens, normalized = self._read_and_render(images, geometry)
        with torch.autocast(self.device.type, torch.bfloat16):
            other = self._network.encoder(self._network.shrink(normalized))
        return tokens.float(), other.float()

    def _read_and_render(self, images: Tensor, geometry: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(self.device.type, torch.bfloat16):
            tokens = self._network.encoder(resized(images, self.image_size))
            normalized = self._network.render(tokens, geometry, self._target_tokens, self._target)
        return tokens, normalized.float()


def resized(images: Tensor, size: int) -> Tensor:
    """(B, 3, S, S) -> (B, 3, size, size), by averaging where S is a multiple."""
    if images.shape[-1] == size:
        return images
    if images.shape[-1] % size == 0:
        return F.avg_pool2d(images, images.shape[-1] // size)
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)
