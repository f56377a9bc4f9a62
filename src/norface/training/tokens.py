"""Cached tokens of original and normalized faces.

The encoder of F_nor stays as it is while F_cla learns, so what it says is computed once and kept on
disk: for each sample one plain copy and some augmented ones. An interrupted computation goes on.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch.nn import functional as F

from norface.data.augment import AugmentationConfig, augment, centre
from norface.data.shards import Shards
from norface.models.checkpoint import write_whole
from norface.models.normalization import NormalizationNetwork
from norface.training.normalization import SIZE, to_images
from norface.training.state import Record, StopRequest, ahead

_ROWS = 96


@dataclass(frozen=True, slots=True, eq=False)
class TokenCache:
    """Tokens of N samples in K copies, read from disk as needed.

    Attributes:
        original, normalized: (K, N, L, D) float16; copy 0 is not augmented.
    """

    original: NDArray[np.float16]
    normalized: NDArray[np.float16]


@torch.no_grad()
def normalize_tokens(
    network: NormalizationNetwork,
    pictures: NDArray[np.uint8],
    geometry: NDArray[np.floating],
    target: torch.Tensor,
    target_tokens: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What inference does up to the classifier.

    Args:
        network: F_nor in evaluation mode.
        pictures: (B, 128, 128, 3) uint8.
        geometry: (B, 478, 3).
        target: (1, 3, 256, 256) in 0..1.
        target_tokens: (1, L, D), of the target.

    Returns:
        tokens of the originals and of the normalized faces (B, L, D), and the normalized faces
        (B, 3, 256, 256), float32.
    """
    with torch.autocast("cpu", torch.bfloat16):
        original = network.encoder(to_images(pictures))
        shapes = torch.from_numpy(geometry.astype(np.float32))
        normalized = network.render(original, shapes, target_tokens, target)
        tokens = network.encoder(F.avg_pool2d(normalized, normalized.shape[-1] // SIZE))
    return original.float(), tokens.float(), normalized.float()


def cache_tokens(
    folder: Path,
    network: NormalizationNetwork,
    shards: Shards,
    *,
    checkpoint: Path,
    target: int,
    copies: int,
    augmentation: AugmentationConfig,
    seed: int,
    record: Record,
) -> TokenCache | None:
    """Compute the tokens, or only what is missing of them.

    Returns:
        the cache, or None when a signal asked to stop.

    Raises:
        ValueError: the folder holds tokens of other faces or of another network.
    """
    rows = copies * len(shards)
    digest = hashlib.sha256(checkpoint.read_bytes())
    digest.update(shards.geometry[:: max(len(shards) // 64, 1)].tobytes())
    key = {
        "source": digest.hexdigest(),
        "samples": len(shards),
        "copies": copies,
        "target": target,
        "seed": seed,
    }
    encoder = network.encoder
    names = ("original", "normalized")
    paths = {name: folder / f"{name}.npy" for name in names}
    progress = folder / "progress.json"
    done = 0
    if progress.exists():
        found = json.loads(progress.read_text())
        if found["key"] != key:
            raise ValueError(f"{folder} holds tokens of other data or another network; remove it")
        done = int(found["done"])
    folder.mkdir(parents=True, exist_ok=True)
    shape = (copies, len(shards), encoder.tokens, encoder.width)
    arrays = {
        name: open_memmap(
            path, mode="r+" if done else "w+", dtype=np.float16, shape=None if done else shape
        )
        for name, path in paths.items()
    }
    flat = {
        name: array.reshape(rows, encoder.tokens, encoder.width) for name, array in arrays.items()
    }

    def pictures(chunk: int) -> NDArray[np.uint8]:
        out = np.empty((min(_ROWS, rows - chunk * _ROWS), SIZE, SIZE, 3), np.uint8)
        rng = np.random.default_rng((seed, 7, chunk))
        for i in range(len(out)):
            copy, sample = divmod(chunk * _ROWS + i, len(shards))
            image = shards.original[sample]
            out[i] = centre(image, SIZE) if copy == 0 else augment(image, rng, augmentation)
        return out

    def save() -> None:
        for array in arrays.values():
            array.flush()
        write_whole(progress, json.dumps({"key": key, "done": done}).encode())

    cv2.setNumThreads(0)
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    face = to_images(shards.targets[target : target + 1])
    with torch.no_grad():
        face_tokens = encoder(network.shrink(face))
    last = time.monotonic()
    with StopRequest() as stop, ahead(pictures, done // _ROWS) as chunks:
        for images in chunks:
            if done >= rows or stop.asked:
                break
            samples = np.arange(done, done + len(images)) % len(shards)
            original, normalized, _ = normalize_tokens(
                network, images, shards.geometry[samples], face, face_tokens
            )
            flat["original"][done : done + len(images)] = original.numpy()
            flat["normalized"][done : done + len(images)] = normalized.numpy()
            done += len(images)
            if time.monotonic() - last > 20 or done >= rows:
                last = time.monotonic()
                save()
                record.say(f"tokens {done} of {rows}")
            if done >= rows:
                break
    if done < rows:
        save()
        return None
    return TokenCache(arrays["original"], arrays["normalized"])
