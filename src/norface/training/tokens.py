"""Cached tokens of original and normalized faces.

The encoder of F_nor stays as it is while F_cla learns from its tokens, so what it says is computed
once and kept on disk: for each sample one plain copy and some augmented ones. An interrupted
computation goes on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from norface.data.augment import AugmentationConfig, augment, centre
from norface.data.shards import ShardError
from norface.media.hashes import add_file
from norface.models.checkpoint import write_whole
from norface.training.batches import ahead
from norface.training.frozen_normalizer import FrozenNormalizer
from norface.training.pictures import to_images
from norface.training.record import Record
from norface.training.samples import Samples
from norface.training.stop import StopRequest

_ROWS = 96
_NAMES = ("original", "normalized")


@dataclass(frozen=True, slots=True, eq=False)
class TokenCache:
    """Tokens of N samples in K copies, read from disk as needed.

    Attributes:
        original, normalized: (K, N, L, D) float16; copy 0 is not augmented.
    """

    original: NDArray[np.float16]
    normalized: NDArray[np.float16]


def cache_tokens(
    folder: Path,
    normalizer: FrozenNormalizer,
    samples: Samples,
    *,
    checkpoint: Path,
    target: int,
    copies: int,
    augmentation: AugmentationConfig,
    seed: int,
    record: Record,
    write: bool = True,
) -> TokenCache | None:
    """Compute the tokens, or only what is missing of them.

    Args:
        folder: where they are kept.
        normalizer: F_nor.
        samples: the faces.
        checkpoint: of F_nor; tokens of another one are refused.
        target: the number of its target face, likewise.
        copies: K.
        augmentation: of the copies after the first.
        seed: of the augmentation.
        record: told how it goes.
        write: off, for all processes but one: wait until the one has made them.

    Returns:
        the cache, or None when a signal asked to stop.

    Raises:
        ShardError: the folder holds tokens of other faces or of another network.
    """
    rows = copies * len(samples)
    digest = hashlib.sha256()
    add_file(digest, checkpoint)
    digest.update(samples.geometry[:: max(len(samples) // 64, 1)].tobytes())
    key = {
        "source": digest.hexdigest(),
        "samples": len(samples),
        "copies": copies,
        "target": target,
        "seed": seed,
    }
    progress = folder / "progress.json"

    def found() -> int:
        """Rows that are done."""
        if not progress.exists():
            return 0
        content = json.loads(progress.read_text())
        if content["key"] != key:
            raise ShardError(f"{folder} holds tokens of other data or another network; remove it")
        return int(content["done"])

    with StopRequest() as stop:
        if not write:
            while found() < rows:
                if stop.asked:
                    return None
                time.sleep(1.0)
            return TokenCache(*(np.load(folder / f"{n}.npy", mmap_mode="r") for n in _NAMES))
        done = found()
        folder.mkdir(parents=True, exist_ok=True)
        shape = (copies, len(samples), normalizer.tokens, normalizer.width)
        arrays = [
            open_memmap(
                folder / f"{name}.npy",
                mode="r+" if done else "w+",
                dtype=np.float16,
                shape=None if done else shape,
            )
            for name in _NAMES
        ]
        flat = [array.reshape(rows, normalizer.tokens, normalizer.width) for array in arrays]

        def save() -> None:
            for array in arrays:
                array.flush()
            write_whole(progress, json.dumps({"key": key, "done": done}).encode())

        pictures = _picture_maker(samples, rows, normalizer.image_size, augmentation, seed)
        last = time.monotonic()
        with ahead(pictures, done // _ROWS) as chunks:
            while done < rows and not stop.asked:
                images = next(chunks)
                rows_now = np.arange(done, done + len(images)) % len(samples)
                shapes = torch.from_numpy(samples.geometry[rows_now].astype(np.float32))
                both = normalizer.read_both(
                    to_images(images).to(normalizer.device), shapes.to(normalizer.device)
                )
                for array, tokens in zip(flat, both, strict=True):
                    array[done : done + len(images)] = tokens.cpu().numpy()
                done += len(images)
                if time.monotonic() - last > 20 or done >= rows:
                    last = time.monotonic()
                    save()
                    record.say(f"tokens {done} of {rows}")
        if done < rows:
            save()
            return None
        return TokenCache(*arrays)


def _picture_maker(
    samples: Samples, rows: int, size: int, augmentation: AugmentationConfig, seed: int
) -> Callable[[int], NDArray[np.uint8]]:
    """A function from the number of a chunk to its pictures (n, size, size, 3)."""
    cv2.setNumThreads(0)

    def make(chunk: int) -> NDArray[np.uint8]:
        out = np.empty((max(min(_ROWS, rows - chunk * _ROWS), 0), size, size, 3), np.uint8)
        rng = np.random.default_rng((seed, 7, chunk))
        for i in range(len(out)):
            copy, sample = divmod(chunk * _ROWS + i, len(samples))
            image = samples.original[sample]
            if copy == 0:
                out[i] = centre(image, size)
            else:
                out[i] = augment(image, rng, augmentation, size=size)
        return out

    return make
