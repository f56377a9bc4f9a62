"""Aligned faces in, the same expressions on the face of one common identity out."""

from __future__ import annotations

import io
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from norface.results import UInt8Image
from norface.runtime.places import WeightsError
from norface.runtime.sessions import FloatArray, Session, Weights

TARGET_FILE: Final = "common_face.png"
NETWORK_FILES: Final = ("encoder.onnx", "normalizer.onnx")


class Normalizer:
    """Renders the expression of any face on one target face.

    Args:
        encoder: network from crops to tokens.
        network: network from a face's tokens (and geometry, if it reads that), and a target, to the
            normalized face.
        crop_size: side of the crops that the encoder reads, in pixels.
        target: (S, S, 3) uint8 RGB, the target face in the framing of `norface.faces.align`; its
            side S, a multiple of 128, is that of the normalized faces.
    """

    def __init__(
        self, *, encoder: Session, network: Session, crop_size: int, target: UInt8Image
    ) -> None:
        self._encoder = encoder
        self._network = network
        self.crop_size = crop_size
        self.target = target
        self._target_image = to_network(target[None])
        self._target_tokens = self.encode(resize(self._target_image, crop_size))

    @classmethod
    def load(cls, weights: Weights, *, threads: int | None = None) -> Normalizer:
        """The normalizer of a weights folder, with its common face as the target.

        Raises:
            WeightsError: a file is damaged, or the folder holds no normalization network.
        """
        missing = [name for name in NETWORK_FILES if name not in weights.manifest.files]
        if missing:
            there = sorted(name for name in weights.manifest.files if name.endswith(".onnx"))
            raise WeightsError(
                f"{weights.folder} holds no normalization network ({', '.join(missing)} missing; "
                f"there: {', '.join(there) or 'no network'}). Export one into it: norface export "
                "--normalization F_NOR.safetensors --classification F_CLA.safetensors --out FOLDER"
            )
        with Image.open(io.BytesIO(weights.read(TARGET_FILE))) as picture:
            target = np.asarray(picture.convert("RGB"))
        return cls(
            encoder=weights.session(NETWORK_FILES[0], threads=threads),
            network=weights.session(NETWORK_FILES[1], threads=threads),
            crop_size=weights.manifest.crop_size,
            target=target,
        )

    def with_target(self, target: UInt8Image) -> Normalizer:
        """The same networks with another target face (framed like an aligned face)."""
        return Normalizer(
            encoder=self._encoder, network=self._network, crop_size=self.crop_size, target=target
        )

    def encode(self, crops: FloatArray) -> FloatArray:
        """Tokens (N, L, D) of crops (N, 3, crop_size, crop_size) in 0 to 1."""
        return self._encoder.run(image=crops)["tokens"]

    def normalize(self, tokens: FloatArray, geometry: FloatArray) -> FloatArray:
        """Normalized faces (N, 3, S, S) in 0 to 1.

        Args:
            tokens: (N, L, D), from `encode`.
            geometry: (N, 478, 3), from `norface.faces.align.geometry`.
        """
        return self._network.run(
            original=tokens,
            geometry=geometry,
            target=self._target_tokens,
            target_image=self._target_image,
        )["normalized"]


def to_network(images: NDArray[np.uint8]) -> FloatArray:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in 0 to 1."""
    scaled: FloatArray = images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    return scaled


def from_network(images: FloatArray) -> NDArray[np.uint8]:
    """(N, 3, H, W) in 0 to 1 to (N, H, W, 3) uint8."""
    scaled = np.clip(images.transpose(0, 2, 3, 1) * 255, 0, 255)
    return np.ascontiguousarray(np.rint(scaled).astype(np.uint8))


def resize(images: FloatArray, size: int) -> FloatArray:
    """(N, 3, H, W) to (N, 3, size, size), each pixel the mean of the area that it covers."""
    if images.shape[2:] == (size, size):
        return images
    resized = [
        cv2.resize(image.transpose(1, 2, 0), (size, size), interpolation=cv2.INTER_AREA)
        for image in images
    ]
    return np.stack(resized).transpose(0, 3, 1, 2).astype(np.float32)
