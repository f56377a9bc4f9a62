"""Faces on which exported networks are compared with their originals, and by which they are
quantized.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from norface.data.shards import load_shards
from norface.models.geometry_token import LANDMARKS
from norface.models.normalization import NormalizationNetwork
from norface.runtime.normalizer import resize, to_network

COMPARED: Final = 8
"""Faces on which results are compared; further ones calibrate the quantization."""
CALIBRATING: Final = 32
_SIDE: Final = 256
_SERIES: Final = 8080
"""Of the rendered faces; no data set is made of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Aligned faces.

    Attributes:
        source: what they are, said in the manifest.
        images: (N, 3, S, S) float32 in 0..1.
        geometry: (N, 478, 3) float32.
    """

    source: str
    images: NDArray[np.float32]
    geometry: NDArray[np.float32]


def noise_faces(count: int = COMPARED, side: int = _SIDE) -> Faces:
    """Patches of random colour: enough to compare networks that compute the same."""
    rng = np.random.default_rng(0)
    images = [
        cv2.resize(rng.random((16, 16, 3), np.float32), (side, side)).clip(0.0, 1.0)
        for _ in range(count)
    ]
    geometry = rng.standard_normal((count, LANDMARKS, 3), np.float32) / np.float32(2)
    return Faces("noise", np.stack(images).transpose(0, 3, 1, 2).astype(np.float32), geometry)


def rendered_faces(count: int = COMPARED + CALIBRATING) -> Faces:
    """Synthetic people, as `norface synth` makes them."""
    # Compiles and loads what renders, for those who need it.
    from norface.faces.align import align, geometry
    from norface.faces.find import FaceFinder
    from norface.synthesis.samples import render_sample

    images, shapes = [], []
    with FaceFinder() as finder:
        for index in range(2 * count):
            picture = render_sample(_SERIES, index, 288, face_height=0.62).picture.image
            found = finder.landmark_crop(picture)
            if found is not None:
                images.append(align(picture, found.points, _SIDE).image)
                shapes.append(geometry(found.points))
            if len(images) == count:
                break
    return Faces("rendered faces", to_network(np.stack(images)), np.stack(shapes))


def shard_faces(folder: Path, count: int = COMPARED + CALIBRATING) -> Faces:
    """The first faces of training shards.

    Raises:
        ShardError: a file is missing or damaged.
        ValueError: there are too few faces.
    """
    shards = load_shards([folder], limit=count)
    if len(shards) < count:
        raise ValueError(f"{folder} holds {len(shards)} faces; {count} are needed")
    return Faces(
        folder.name, to_network(np.asarray(shards.original)), shards.geometry.astype(np.float32)
    )


class FaceExamples:
    """What networks read of example faces, by the original networks; computed when asked for.

    Args:
        faces: N of them.
        normalization: F_nor; None where nothing is read that it makes. Other faces then take the
            place of the normalized ones.
        common_face: (256, 256, 3) uint8.
    """

    def __init__(
        self,
        faces: Faces,
        normalization: NormalizationNetwork | None,
        common_face: NDArray[np.uint8],
    ) -> None:
        self.source = faces.source
        self._images = faces.images
        self._normalization = normalization
        self.geometry = torch.from_numpy(faces.geometry)
        self.target_image = torch.from_numpy(to_network(common_face[None]))

    def image(self, side: int) -> Tensor:
        """(N, 3, side, side) in 0..1."""
        return torch.from_numpy(resize(self._images, side))

    def normalized_image(self, side: int) -> Tensor:
        """(N, 3, side, side) in 0..1."""
        return torch.from_numpy(resize(self._normalized_faces, side))

    @cached_property
    def original(self) -> Tensor:
        """Tokens (N, L, D)."""
        return self._tokens(self._images)

    @cached_property
    def normalized(self) -> Tensor:
        """Tokens (N, L, D) of the normalized faces."""
        return self._tokens(self._normalized_faces)

    @cached_property
    def target(self) -> Tensor:
        """Tokens (1, L, D) of the common face."""
        return self._tokens(self.target_image.numpy())

    @cached_property
    def _normalized_faces(self) -> NDArray[np.float32]:
        network = self._normalization
        if network is None:
            return np.roll(self._images, 1, axis=0)
        with torch.no_grad():
            faces = [
                network.render(own[None], shape[None], self.target, self.target_image)
                for own, shape in zip(self.original, self.geometry, strict=True)
            ]
        return torch.cat(faces).numpy()

    def _tokens(self, images: NDArray[np.float32]) -> Tensor:
        if self._normalization is None:
            raise ValueError("tokens come from F_nor's encoder, and there is none")
        encoder = self._normalization.encoder
        small = torch.from_numpy(resize(images, encoder.image_size))
        with torch.no_grad():
            # One by one: a large encoder needs much memory for many.
            return torch.cat([encoder(image[None]) for image in small])
