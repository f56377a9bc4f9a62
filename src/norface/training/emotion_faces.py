"""Faces that the emotion network learns from: those of a data set, and renders; kept in memory.

They are kept as small as the network needs them: 28,000 grey faces take 400 MB, their normalized
faces 350 MB.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from norface.data.augment import centre
from norface.data.labelled_samples import ChosenRows
from norface.data.shards import Shards, load_shards
from norface.losses.emotion import emotion_labels
from norface.media.images import read_image
from norface.models.checkpoint import load_normalization
from norface.runtime.normalizer import TARGET_FILE
from norface.runtime.places import DEFAULT_WEIGHTS
from norface.synthesis.shard_format import original_size
from norface.training.emotions_config import EmotionsConfig
from norface.training.fold import Fold
from norface.training.frozen_normalizer import FrozenNormalizer
from norface.training.normalized_faces import kept_normalized
from norface.training.pictures import to_images
from norface.training.run import Run
from norface.training.samples import Rows

_READER_SIZE = 64
_ROWS = 96
_DRY_FACES = 96


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """N labelled faces.

    Attributes:
        image: (N, S, S) uint8, grey.
        geometry: (N, 478, 3).
        label: (N, 8), probabilities over `norface.facs.EMOTIONS`.
        normalized: (N, 64, 64, 3) uint8; None without F_nor.
        contempt: whether contempt was among the labels one could give.
    """

    image: NDArray[np.uint8]
    geometry: NDArray[np.floating]
    label: NDArray[np.float32]
    normalized: NDArray[np.uint8] | None
    contempt: bool

    def __len__(self) -> int:
        return len(self.label)

    @property
    def emotion(self) -> NDArray[np.int64]:
        """(N,), the likeliest emotions."""
        emotion: NDArray[np.int64] = self.label.argmax(axis=1)
        return emotion

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(S, S, 3) uint8."""
        return np.repeat(self.image[index][..., None], 3, axis=2)


def load_photos(
    run: Run[EmotionsConfig], fold: Fold, *, size: int, normalize: bool
) -> tuple[Faces, Faces]:
    """The faces of a fold: to learn from, and to choose by.

    Args:
        run: its options.
        fold: of a protocol of emotions.
        size: of the pictures that the network reads.
        normalize: whether the normalized faces are read, which lie beside the faces.

    Raises:
        FaceFolderError: the normalized faces are not made yet.
    """
    limit, votes = _DRY_FACES if run.config.dry_run else None, run.config.distributions
    samples = fold.labelled()
    kept = None
    if normalize:
        assert run.config.normalization is not None
        kept = ChosenRows(kept_normalized(fold.faces.folder, run.config.normalization), fold.rows)

    def faces(part: NDArray[np.int64]) -> Faces:
        part = part[:limit]
        return Faces(
            grey_faces(samples.original, part, original_size(size)),
            samples.geometry[part],
            _labels(samples.emotion[part], samples.distribution(part) if votes else None),
            None if kept is None else small_faces(kept, part),
            contempt="contempt" in fold.protocol.labels,
        )

    return faces(fold.training), faces(fold.validation)


def load_renders(run: Run[EmotionsConfig], *, size: int, normalize: bool) -> Faces | None:
    """Synthetic prototypes of the emotions; None without data. Arguments as `load_photos`."""
    config = run.config
    if not config.data:
        return None
    shards = load_shards(config.data, limit=_DRY_FACES if config.dry_run else None)
    chosen = np.flatnonzero((shards.emotion >= 0) & ~shards.real)
    return Faces(
        grey_faces(shards.original, chosen, original_size(size)),
        shards.geometry[chosen],
        _labels(shards.emotion[chosen]),
        _normalized_renders(run, shards, chosen) if normalize else None,
        contempt=True,
    )


def enlarged(pictures: NDArray[np.uint8], size: int) -> Tensor:
    """Normalized (N, 64, 64, 3) -> (N, 3, size, size) in 0..1; the reader averages it back."""
    images = to_images(pictures)
    times = size // _READER_SIZE
    return images.repeat_interleave(times, 2).repeat_interleave(times, 3)


def _labels(
    emotion: NDArray[np.int8], distribution: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    votes = None if distribution is None else torch.from_numpy(distribution)
    labels: NDArray[np.float32] = emotion_labels(
        torch.from_numpy(emotion), distribution=votes
    ).numpy()
    return labels


def grey_faces(rows: Rows, part: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """Some rows (S, S, 3) as (N, size, size) uint8."""
    out = np.empty((len(part), size, size), np.uint8)
    for place, row in zip(out, part, strict=True):
        place[:] = centre(cv2.cvtColor(rows[row], cv2.COLOR_RGB2GRAY), size)
    return out


def small_faces(rows: Rows, part: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Some normalized faces as (N, 64, 64, 3) uint8."""
    return np.stack([centre(rows[row], _READER_SIZE) for row in part])


def _normalized_renders(
    run: Run[EmotionsConfig], shards: Shards, chosen: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Normalized faces (N, 64, 64, 3) of renders, kept in a file of the run's folder.

    The first process makes them, the others wait for the file.
    """
    path = run.config.out / "normalized_renders.npy"
    while not run.main and not path.exists():
        time.sleep(1.0)
    if path.exists():
        return np.asarray(np.load(path))
    assert run.config.normalization is not None
    network, _ = load_normalization(run.config.normalization)
    # The same face as that of the photos, which `norface data prepare` normalized.
    normalizer = FrozenNormalizer(network, read_image(DEFAULT_WEIGHTS / TARGET_FILE), run.device)
    out = np.empty((len(chosen), _READER_SIZE, _READER_SIZE, 3), np.uint8)
    for start in range(0, len(chosen), _ROWS):
        part = chosen[start : start + _ROWS]
        faces = normalizer.pictures(shards.original[part], shards.geometry[part])
        out[start : start + len(part)] = small_faces(faces, np.arange(len(part)))
    temporary = path.with_suffix(".tmp.npy")
    np.save(temporary, out)
    temporary.replace(path)
    return out
