"""Pre-training of the encoder as a masked autoencoder, on faces without labels."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from torch import Tensor
from torch.nn import functional as F

from norface.data.face_cache import is_face_cache
from norface.data.face_finding import FaceFolderError, FaceSettings
from norface.data.face_folder import missing_pictures, prepare_faces
from norface.data.face_pictures import FacePictures
from norface.data.random_crop import random_resized_crop
from norface.losses.masked_patches import masked_patch_loss
from norface.media.images import list_images
from norface.models.checkpoint import Recipe, learned_from
from norface.models.masked_autoencoder import MaskedAutoencoder
from norface.models.sizes import preset
from norface.training.average import WeightAverage
from norface.training.batches import Part
from norface.training.encoder_start import start_encoder
from norface.training.fold import open_fold
from norface.training.optimizers import parameter_groups
from norface.training.pictures import sheet
from norface.training.pretraining_config import PretrainingConfig
from norface.training.run import Run

CHECKPOINT: Final = "encoder.safetensors"
_TRIED: Final = 64
"""Pictures that a dry run looks at."""
_SHOWN: Final = 8
_AT_ONCE: Final = 32
_ORDER, _HELD_OUT = 1 << 31, 1 << 32  # Beyond any position in a batch and any step.


class Batch(NamedTuple):
    """B crops of faces.

    Attributes:
        image: (B, 3, S, S) uint8.
        noise: (B, L) float32 in 0..1, from which the hidden patches follow.
    """

    image: Tensor
    noise: Tensor


def train_encoder(config: PretrainingConfig, console: Console | None = None) -> Path:
    """Pre-train an encoder, or go on where an earlier run in the same folder stopped.

    Writes to ``config.out``: ``encoder.safetensors`` (a masked autoencoder, averaged weights), what
    `Run` writes, and in ``pictures`` faces: whole, with hidden patches grey, and guessed.

    Returns:
        The checkpoint.

    Raises:
        FaceFolderError: there are no faces, or several processes were started before they were
            found.
        ShardError: a folder of shards is missing or broken.
        CheckpointError: the start or the states in the folder are of another network.
        TrainingError: see `Run`.
    """
    run = Run(config, checkpoint=CHECKPOINT, console=console)
    size = preset(config.preset).image_size
    people = learned_from(config.start)
    if config.fold:
        assert config.fold.faces is not None
        # All of its training part is learned from; `divide` keeps some faces to validate on.
        fold = open_fold(config.fold, held_out=0.1, seed=config.seed)
        run.record.say(fold.said)
        people = fold.learned_from(config.start)
        faces = FacePictures(caches=[config.fold.faces], chosen=fold.rows)
    else:
        # In a dry run too the faces are kept: finding them is the longest part.
        caches = find_faces(config, size, run.record.say)
        faces = FacePictures(caches=caches, shards=config.shards)
    config = run.config
    training, validation = divide(len(faces), config)
    run.record.say(f"{len(training)} faces to train on, {len(validation)} to validate")

    torch.manual_seed(config.seed)
    recipe = Recipe(
        kind="masked_autoencoder", preset=config.preset, options={"mask_ratio": config.mask_ratio}
    )
    network = recipe.build()
    assert isinstance(network, MaskedAutoencoder)
    if config.start is not None:
        run.record.say(start_encoder(config.start, network.encoder))
    average = WeightAverage(network, config.average)
    groups = parameter_groups({"network": (network, config.learning_rate)}, config.weight_decay)
    run.begin(
        recipe=recipe,
        networks={"network": network},
        averages={"network": average},
        optimizers={"network": torch.optim.AdamW(groups, betas=(0.9, 0.95))},
        epoch_samples=len(training),
        notes={"faces": len(training), "learned_from": people},
    )
    tokens = network.encoder.tokens
    shown = plain_batch(faces, validation if len(validation) else training[:_SHOWN], size, tokens)
    for batch in run.batches(batch_maker(faces, training, config, size, tokens)):
        with run.autocast():
            out = run.wrapped["network"](batch.image / 255.0, batch.noise)
        loss = masked_patch_loss(out.loss_patches, out.mask)
        run.descend("network", loss)
        run.end_step({"loss": loss}, samples=len(batch.image))
        if run.validation_due():
            validate(run, average.network, shown)
    if not run.stopped:
        validate(run, average.network, shown)
    return run.finish()


def find_faces(config: PretrainingConfig, size: int, say: Callable[[str], None]) -> list[Path]:
    """The caches of faces to learn from, the one for pictures made or completed first.

    Raises:
        FaceFolderError: there is no face, or several processes would have to make the cache.
    """
    ready = [path for path in config.pictures if is_face_cache(path)]
    pictures = [path for path in config.pictures if path not in ready]
    if not pictures:
        return ready
    cache = config.cache or config.out / "faces"
    several = torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1
    if several:
        # All of them would search; and those that wait hours for one run into time limits.
        if not is_face_cache(cache) or missing_pictures(pictures, cache):
            raise FaceFolderError(
                f"the faces are not found yet: first run `norface train prepare-faces "
                f"{' '.join(map(str, pictures))} --out {cache} --size {size}`, then name {cache} "
                "instead of the pictures"
            )
        return [*ready, cache]
    if config.dry_run:
        pictures = list_images(pictures)[:_TRIED]
    say(f"faces in {cache}, found once")
    settings = FaceSettings(size=size, take=config.faces)
    # Names of files may look like markup.
    counts = prepare_faces(pictures, cache, settings, say=lambda text: say(escape(text)))
    say(f"{counts.faces} faces from {counts.pictures} pictures, {counts.skipped} without any")
    return [*ready, cache]


def divide(count: int, config: PretrainingConfig) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the faces to train on and to validate.

    Who is on them is not known, so people may be on both sides: the figures say how far the
    training is, not how well it will serve.
    """
    mixed = np.random.default_rng((config.seed, _HELD_OUT)).permutation(count)
    held_out = min(config.held_out, count // 10)
    return np.sort(mixed[held_out:]), np.sort(mixed[:held_out])


def batch_maker(
    faces: FacePictures,
    chosen: NDArray[np.int64],
    config: PretrainingConfig,
    size: int,
    tokens: int,
) -> Callable[[int, Part], Batch]:
    """A function from a step and a part of its batch to that part; equal ones give equal parts.

    The faces pass in a random order, all of them before the first comes again.
    """
    cv2.setNumThreads(0)
    # Reading and resampling release Python's lock, so threads use several cores.
    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))

    @lru_cache(maxsize=2)
    def order(epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((config.seed, epoch, _ORDER)).permutation(chosen)

    def sample(place: tuple[int, int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        step, position, number = place
        rng = np.random.default_rng((config.seed, step, position))
        crop = random_resized_crop(faces[number], rng, size=size, scale=(config.smallest_crop, 1.0))
        return crop, rng.random(tokens, np.float32)

    def make(step: int, part: Part) -> Batch:
        places = []
        for position in part.of(np.arange(config.batch)).tolist():
            epoch, index = divmod(step * config.batch + position, len(chosen))
            places.append((step, position, int(order(epoch)[index])))
        return _collate(list(pool.map(sample, places)))

    return make


def plain_batch(faces: FacePictures, chosen: NDArray[np.int64], size: int, tokens: int) -> Batch:
    """Whole faces, whose hidden patches are always the same."""
    return _collate(
        [
            (faces[int(n)].frame(size), np.random.default_rng(i).random(tokens, np.float32))
            for i, n in enumerate(chosen)
        ]
    )


def _collate(samples: list[tuple[NDArray[np.uint8], NDArray[np.float32]]]) -> Batch:
    images = np.stack([image for image, _ in samples]).transpose(0, 3, 1, 2)
    noise = np.stack([noise for _, noise in samples])
    return Batch(torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(noise))


@torch.no_grad()
def validate(run: Run[PretrainingConfig], network: MaskedAutoencoder, batch: Batch) -> None:
    """The loss on held-out faces, and a sheet of some of them."""
    network.eval()
    loss = 0.0
    faces: list[Tensor] = []
    for start in range(0, len(batch.image), _AT_ONCE):
        image, noise = (part[start : start + _AT_ONCE].to(run.device) for part in batch)
        image = image / 255.0
        with run.autocast():
            out = network(image, noise)
        loss += float(masked_patch_loss(out.loss_patches, out.mask)) * len(image)
        if not faces:
            faces = [image, hidden_grey(image, out.mask), network.picture(out, image)]
    loss /= len(batch.image)
    run.validated(
        {"loss": loss},
        best=-loss,
        pictures={"reconstruction": sheet([column[:_SHOWN] for column in faces])},
    )


def hidden_grey(image: Tensor, mask: Tensor) -> Tensor:
    """Faces (B, 3, S, S) in 0..1 with the patches that mask (B, L) hides in grey."""
    side = round(mask.shape[1] ** 0.5)
    hidden = F.interpolate(mask.view(-1, 1, side, side), size=image.shape[-2:], mode="nearest")
    return image * (1.0 - hidden) + 0.5 * hidden
