"""Faces that the emotion network learns from: FER2013 and renders, normalized once if asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from norface.data.augment import centre
from norface.data.fer2013 import EmotionFaces
from norface.data.mirror import mirror_geometry
from norface.data.shards import load_shards, load_targets
from norface.models.checkpoint import load_normalization
from norface.training.emotions_config import EmotionsConfig
from norface.training.frozen_normalizer import FrozenNormalizer
from norface.training.pictures import to_images
from norface.training.run import Run

_READER_SIZE = 64
_ROWS = 96
_DRY_FACES = 96


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """N labelled faces.

    Attributes:
        image: (N, S, S) uint8 grey or (N, S, S, 3) uint8 RGB.
        geometry: (N, 478, 3).
        emotion: (N,) index into `norface.facs.EMOTIONS`.
        normalized: (2, N, 64, 64, 3) uint8, of the faces and of their mirror images; None
            without F_nor.
        contempt: whether contempt was among the labels one could give.
    """

    image: NDArray[np.uint8]
    geometry: NDArray[np.floating]
    emotion: NDArray[np.int8]
    normalized: NDArray[np.uint8] | None
    contempt: bool

    def __len__(self) -> int:
        return len(self.emotion)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(S, S, 3) uint8."""
        image = self.image[index]
        return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def load_photos(run: Run[EmotionsConfig], *, normalize: bool) -> tuple[Faces, Faces, Faces]:
    """FER2013: to train on, to validate, and PublicTest.

    Args:
        run: its options name the files; keeps the normalized faces in its folder.
        normalize: whether they are normalized too.
    """
    config = run.config
    every = EmotionFaces.load(config.faces)
    chosen = np.arange(len(every))
    if config.dry_run:
        chosen = np.random.default_rng(0).permutation(chosen)[:_DRY_FACES]
    image, geometry = every.image[chosen], every.geometry[chosen]
    emotion, test = every.emotion[chosen], every.test[chosen]
    normalized = _normalized(run, "photos", image, geometry) if normalize else None
    training = np.random.default_rng((config.seed, 9)).permutation(np.flatnonzero(~test))
    held_out = min(config.held_out, len(training) // 2)

    def faces(part: NDArray[np.int64]) -> Faces:
        return Faces(
            image[part],
            geometry[part],
            emotion[part],
            None if normalized is None else normalized[:, part],
            contempt=False,
        )

    return faces(training[held_out:]), faces(training[:held_out]), faces(np.flatnonzero(test))


def load_renders(run: Run[EmotionsConfig], *, normalize: bool) -> Faces | None:
    """Synthetic prototypes of the emotions; None without data. Arguments as `load_photos`."""
    config = run.config
    if not config.data:
        return None
    shards = load_shards(config.data, limit=_DRY_FACES if config.dry_run else None)
    chosen = np.flatnonzero((shards.emotion >= 0) & ~shards.real)
    image, geometry = shards.original[chosen], shards.geometry[chosen]
    normalized = _normalized(run, "renders", image, geometry) if normalize else None
    return Faces(image, geometry, shards.emotion[chosen], normalized, contempt=True)


def enlarged(pictures: NDArray[np.uint8], size: int) -> Tensor:
    """Normalized (N, 64, 64, 3) -> (N, 3, size, size) in 0..1; the reader averages it back."""
    images = to_images(pictures)
    times = size // _READER_SIZE
    return images.repeat_interleave(times, 2).repeat_interleave(times, 3)


def _normalized(
    run: Run[EmotionsConfig],
    name: str,
    images: NDArray[np.uint8],
    geometry: NDArray[np.floating],
) -> NDArray[np.uint8]:
    """Normalized faces (2, N, 64, 64, 3) of images and mirror images, kept in a file.

    The first process makes them, the others wait for the file.
    """
    path = run.config.out / f"normalized_{name}.npy"
    while not run.main and not path.exists():
        time.sleep(1.0)
    if path.exists():
        return np.asarray(np.load(path))
    assert run.config.normalization is not None
    target = load_targets(run.config.data)[0]
    network, _ = load_normalization(run.config.normalization)
    out = _normalize(
        FrozenNormalizer(network, target, run.device), images, geometry, run.record.say
    )
    temporary = path.with_suffix(".tmp.npy")
    np.save(temporary, out)
    temporary.replace(path)
    return out


def _normalize(
    normalizer: FrozenNormalizer,
    images: NDArray[np.uint8],
    geometry: NDArray[np.floating],
    say: Callable[[str], None],
) -> NDArray[np.uint8]:
    out = np.empty((2, len(images), _READER_SIZE, _READER_SIZE, 3), np.uint8)
    for flip in (0, 1):
        for start in range(0, len(images), _ROWS):
            part = slice(start, min(start + _ROWS, len(images)))
            pictures, shapes = images[part], geometry[part].astype(np.float32)
            if pictures.ndim == 3:
                pictures = np.repeat(pictures[..., None], 3, axis=3)
            if flip:
                pictures, shapes = pictures[:, :, ::-1], mirror_geometry(shapes)
            size = normalizer.image_size
            crops = np.stack([centre(np.ascontiguousarray(p), size) for p in pictures])
            faces = normalizer.render(
                to_images(crops).to(normalizer.device),
                torch.from_numpy(shapes).to(normalizer.device),
            )
            small = F.avg_pool2d(faces, faces.shape[-1] // _READER_SIZE)
            whole = small.permute(0, 2, 3, 1).mul(255).round().clamp(0, 255)
            out[flip, part] = whole.byte().cpu().numpy()
            if start // _ROWS % 60 == 59:
                say(f"normalized {flip * len(images) + part.stop} of {2 * len(images)}")
    return out
