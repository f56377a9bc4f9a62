"""What F_cla learns from: labelled faces as cached tokens, or as images."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from norface.data.augment import AugmentationConfig, augment, centre, geometry_noise
from norface.data.labelled_samples import ChosenRows
from norface.data.mirror import mirror_geometry, mirror_intensity, mirrored_units
from norface.training.frozen_normalizer import FrozenNormalizer, resized
from norface.training.pictures import unpacked
from norface.training.samples import Samples
from norface.training.tokens import TokenCache


class LabelledFaces(NamedTuple):
    """B faces.

    Attributes:
        original: (B, L, D) tokens, or (B, 3, S, S) images in 0..1; before `FaceSource.completed`
            (B, S, S, 3) uint8.
        normalized: the same of the normalized faces; None where it is not read or not yet made.
        geometry: (B, 478, 3).
        intensity: (B, A, 3) in 0..5, NaN where unknown.
        presence: (B, A), 1, 0, or -1 where unknown; some data sets know it without the intensity.
        emotion: (B,) long, index into `norface.facs.EMOTIONS`, -1 where unknown.
        distribution: (B, 8) shares of votes on the emotions, NaN where unknown.
    """

    original: Tensor
    normalized: Tensor | None
    geometry: Tensor
    intensity: Tensor
    presence: Tensor
    emotion: Tensor
    distribution: Tensor


class FaceSource(Protocol):
    """Where batches come from.

    Attributes:
        views: versions of each sample to validate on; the first is plain.
    """

    views: int

    def varied(self, samples: NDArray[np.int64], rngs: list[np.random.Generator]) -> LabelledFaces:
        """Faces to learn from, each varied by its own generator."""

    def view(self, number: int, samples: NDArray[np.int64]) -> LabelledFaces:
        """Faces to validate on, always the same."""

    def completed(self, faces: LabelledFaces) -> LabelledFaces:
        """With what is made on the device: the normalized faces."""


class TokenFaces:
    """Tokens of F_nor's encoder, from the cache; only the landmarks are varied anew.

    Args:
        samples: geometry and labels.
        cache: tokens of the same.
    """

    def __init__(self, samples: Samples, cache: TokenCache) -> None:
        self._samples, self._cache = samples, cache
        self.views = len(cache.original)

    def varied(self, samples: NDArray[np.int64], rngs: list[np.random.Generator]) -> LabelledFaces:
        """One of the copies of each sample; see `FaceSource`."""
        copies = np.array([rng.integers(0, self.views) for rng in rngs], np.int64)
        geometry = [
            geometry_noise(self._samples.geometry[i], rng)
            for i, rng in zip(samples, rngs, strict=True)
        ]
        return self._faces(copies, samples, np.stack(geometry))

    def view(self, number: int, samples: NDArray[np.int64]) -> LabelledFaces:
        """Copy `number`; see `FaceSource`."""
        copies = np.full(len(samples), number)
        return self._faces(copies, samples, self._samples.geometry[samples].astype(np.float32))

    def completed(self, faces: LabelledFaces) -> LabelledFaces:
        """Nothing is missing."""
        return faces

    def _faces(
        self, copies: NDArray[np.int64], samples: NDArray[np.int64], geometry: NDArray[np.float32]
    ) -> LabelledFaces:
        return LabelledFaces(
            torch.from_numpy(self._cache.original[copies, samples].astype(np.float32)),
            torch.from_numpy(self._cache.normalized[copies, samples].astype(np.float32)),
            torch.from_numpy(geometry),
            *_labels(self._samples, samples),
        )


class ImageFaces:
    """Images, varied anew at each step and normalized as they are: no face is seen twice.

    That costs a forward pass of F_nor a step and spares the disk (a normalized face of 256 pixels
    takes 197 kB, for each sample and copy).

    Args:
        samples: images, geometry and labels.
        size: S, of the images that F_cla reads.
        normalizer: makes the normalized faces; None does without.
        normalized: rows of normalized faces that are kept, of which none is made then.
        augmentation: how strongly faces are varied.
        mirror: probability of a mirrored face.
        views: versions of each sample to validate on.
        seed: chooses how those are varied.
    """

    def __init__(
        self,
        samples: Samples,
        *,
        size: int,
        normalizer: FrozenNormalizer | None,
        normalized: ChosenRows | None = None,
        augmentation: AugmentationConfig,
        mirror: float,
        views: int,
        seed: int,
    ) -> None:
        cv2.setNumThreads(0)
        self._normalized = normalized
        self._samples, self._size, self._normalizer = samples, size, normalizer
        self._augmentation, self._mirror = augmentation, mirror
        self.views, self._seed = views, seed
        # OpenCV works without the interpreter's lock, so threads share this among the cores.
        self._pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))

    def varied(self, samples: NDArray[np.int64], rngs: list[np.random.Generator]) -> LabelledFaces:
        """See `FaceSource`."""
        kept = self._room(len(samples))
        varied = list(self._pool.map(self._vary, samples, rngs, kept))
        intensity, presence, *emotions = _labels(self._samples, samples)
        for n, face in enumerate(varied):
            if face.mirrored:
                units = self._samples.units
                swapped = mirror_intensity(intensity[n].numpy(), units)
                intensity[n] = torch.from_numpy(swapped.copy())
                presence[n] = presence[n, torch.from_numpy(mirrored_units(units))]
        return LabelledFaces(
            torch.from_numpy(np.stack([face.image for face in varied])),
            None if self._normalized is None else torch.from_numpy(kept),
            torch.from_numpy(np.stack([face.shape for face in varied])),
            intensity,
            presence,
            *emotions,
        )

    def _vary(self, sample: int, rng: np.random.Generator, kept: NDArray[np.uint8]) -> _Varied:
        """A face to learn from; its normalized one is put into `kept`."""
        image = augment(self._samples.original[sample], rng, self._augmentation, size=self._size)
        shape = geometry_noise(self._samples.geometry[sample], rng)
        # As it was made of the plain face: no variation changes whom and what it shows.
        self._read_kept(sample, kept)
        if rng.random() >= self._mirror:
            return _Varied(image, shape, mirrored=False)
        if kept.size:
            cv2.flip(kept, 1, dst=kept)
        flipped = np.asarray(cv2.flip(image, 1), np.uint8)
        return _Varied(flipped, mirror_geometry(shape), mirrored=True)

    def _room(self, count: int) -> NDArray[np.uint8]:
        """For the normalized faces of a batch; of no size where none are kept."""
        side = 0 if self._normalized is None else self._size
        return np.empty((count, side, side, 3), np.uint8)

    def _read_kept(self, sample: int, out: NDArray[np.uint8]) -> None:
        rows = self._normalized
        if rows is None:
            return
        if rows.shape[1:] == out.shape:
            rows.read_into(sample, out)
        else:
            out[:] = centre(rows[sample], self._size)

    def view(self, number: int, samples: NDArray[np.int64]) -> LabelledFaces:
        """See `FaceSource`."""
        images = []
        for i in samples:
            image = self._samples.original[i]
            if number == 0:
                images.append(centre(image, self._size))
            else:
                rng = np.random.default_rng((self._seed, 7, number, i))
                images.append(augment(image, rng, self._augmentation, size=self._size))
        normalized = None
        if self._normalized is not None:
            kept = self._room(len(samples))
            for i, out in zip(samples, kept, strict=True):
                self._read_kept(int(i), out)
            normalized = torch.from_numpy(kept)
        return LabelledFaces(
            torch.from_numpy(np.stack(images)),
            normalized,
            torch.from_numpy(self._samples.geometry[samples].astype(np.float32)),
            *_labels(self._samples, samples),
        )

    def completed(self, faces: LabelledFaces) -> LabelledFaces:
        """As (B, 3, S, S) in 0..1, with the normalized faces."""
        original = unpacked(faces.original)
        if faces.normalized is not None:
            return faces._replace(original=original, normalized=unpacked(faces.normalized))
        if self._normalizer is None:
            return faces._replace(original=original)
        normalized = self._normalizer.render(original, faces.geometry)
        return faces._replace(original=original, normalized=resized(normalized, self._size))


class _Varied(NamedTuple):
    """Image (S, S, 3) and geometry (478, 3)."""

    image: NDArray[np.uint8]
    shape: NDArray[np.float32]
    mirrored: bool


def _labels(samples: Samples, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Intensity, presence, emotion and distribution of `LabelledFaces`."""
    return (
        torch.from_numpy(samples.intensity[rows].astype(np.float32)),
        torch.from_numpy(samples.presence(rows)),
        torch.from_numpy(samples.emotion[rows].astype(np.int64)),
        torch.from_numpy(samples.distribution(rows)),
    )
