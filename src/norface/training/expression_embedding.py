"""Training of the embedding of expression by triplets: which of three faces is the odd one out?

After DLN (Zhang et al., 2021), whose authors wrote the paper: 16 numbers, learned from comparisons.
Theirs are people's answers on photos; ours are decided by the facial actions of rendered faces,
which are known (see `norface.training.triplets`). The same loop trains an embedding of identity,
for who has no trained face recognizer: two views of a face, its expression disturbed, are alike.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from norface.data.augment import augment, centre
from norface.data.crop_points import crop_points
from norface.data.expression_warp import disturb_expression
from norface.data.shards import Shards, load_shards
from norface.losses.expression import triplet_accuracy, triplet_loss
from norface.models.checkpoint import Recipe, learned_from, load_matching
from norface.models.encoder import ConvolutionalEncoder
from norface.models.expression_embedding import ExpressionEmbedding
from norface.training.average import WeightAverage
from norface.training.batches import Part
from norface.training.expression_config import ExpressionConfig
from norface.training.optimizers import parameter_groups
from norface.training.pictures import to_images
from norface.training.run import Run
from norface.training.speed import speed_up_depthwise
from norface.training.triplets import triplets_by_actions, triplets_by_label

CHECKPOINT = "expression_embedding.safetensors"
_CHECKS = 4000


class Batch(NamedTuple):
    """Faces and the triplets among them.

    Attributes:
        image: (N, 3, S, S) in 0..1.
        triplets: (M, 3) long: two alike, and the odd one out.
    """

    image: Tensor
    triplets: Tensor


def train_expression(config: ExpressionConfig, console: Console | None = None) -> Path:
    """Train the embedding, or go on where an earlier run in the same folder stopped.

    Returns:
        The checkpoint, `CHECKPOINT` in ``config.out``; beside it that of the best validation.

    Raises:
        ShardError: the data are missing or broken.
        CheckpointError: the state in the folder is of another network.
        TrainingError: the run cannot go on.
    """
    run = Run(config, checkpoint=CHECKPOINT, console=console)
    config = run.config
    torch.manual_seed(config.seed)
    recipe = Recipe(kind="expression_embedding", preset=config.preset)
    network = recipe.build(pretrained=True)
    assert isinstance(network, ExpressionEmbedding)
    encoder, size = network.encoder, network.encoder.image_size
    shards = load_shards(config.data, limit=config.limit, crop=size, say=run.record.say)
    photos = load_shards(config.photos, crop=size, say=run.record.say) if config.photos else None
    training, validation = split(shards, config.held_out)
    run.record.say(f"{len(training)} faces to train on, {len(validation)} to validate")
    if config.start is not None:
        loaded, total = load_matching(config.start, network)
        run.record.say(f"{loaded} of {total} tensors start from {config.start}")
    if isinstance(encoder, ConvolutionalEncoder):
        encoder.freeze_batch_norm(config.freeze_batch_norm)
    if config.freeze_encoder:
        encoder.requires_grad_(False)
    average = WeightAverage(network, config.average)
    speed_up_depthwise(network)
    rate = config.learning_rate
    run.begin(
        recipe=recipe,
        networks={"network": network},
        averages={"network": average},
        optimizers={
            "network": torch.optim.AdamW(
                parameter_groups(
                    {"encoder": (encoder, rate * config.encoder_rate), "rest": (network, rate)},
                    config.weight_decay,
                ),
                betas=(0.9, 0.98),
            )
        },
        epoch_samples=len(training),
        notes={
            "samples": len(training),
            "subject": config.subject,
            "learned_from": learned_from(config.start),
        },
    )
    cv2.setNumThreads(0)

    def check() -> None:
        figures = {
            "triplet_accuracy": accuracy(run, average.network, shards, validation, size),
        }
        if photos is not None:
            _, once = np.unique(photos.identity, return_index=True)
            figures["photo_triplet_accuracy"] = accuracy(
                run, average.network, photos, once.astype(np.int64), size
            )
        # Too few faces may hold no clear triplet.
        figures = {name: value for name, value in figures.items() if not math.isnan(value)}
        run.validated(figures, best=figures.get("triplet_accuracy"))

    for batch in run.batches(
        lambda step, part: make_batch(shards, training, config, size, step, part)
    ):
        with run.autocast():
            embedding = run.wrapped["network"](batch.image)
        losses = {"loss": triplet_loss(embedding.float(), batch.triplets, margin=config.margin)}
        run.descend("network", losses["loss"])
        run.end_step(losses, samples=len(batch.image))
        if run.validation_due():
            check()
    if not run.stopped:
        check()
    return run.finish()


def split(shards: Shards, held_out: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sample numbers to train on and to validate; no identity is on both sides.

    Args:
        shards: the samples.
        held_out: at least so many (with all others of their identities) validate, unless that
            were more than half.
    """
    everything = np.arange(len(shards))
    last = shards.identity[len(shards) - held_out :]
    if held_out == 0 or 2 * held_out > len(shards):
        last = last[:0]
    aside = np.isin(shards.identity, last)
    return everything[~aside], everything[aside]


def make_batch(
    shards: Shards,
    training: NDArray[np.int64],
    config: ExpressionConfig,
    size: int,
    step: int,
    part: Part,
) -> Batch:
    """A part of the batch of a step, equal for equal numbers.

    Half of the faces are originals, the others the same samples again: the same facial actions on a
    target identity, or, when it is about identity, another view of the face.
    """
    drawn = np.random.default_rng((config.seed, step)).choice(training, max(config.batch // 2, 1))
    places = part.of(np.arange(len(drawn)))
    chosen = drawn[places]
    rng = np.random.default_rng((config.seed, step, part.number, 1))
    own = [np.random.default_rng((config.seed, step, int(p), 2)) for p in places]
    amount = config.augmentation
    first = [
        augment(shards.original[i], r, amount, size=size) for i, r in zip(chosen, own, strict=True)
    ]
    if config.subject == "actions":
        second = [
            augment(shards.target[i], r, amount, size=size)
            for i, r in zip(chosen, own, strict=True)
        ]
        actions = np.tile(shards.actions[chosen].astype(np.float32), (2, 1))
        known = np.tile(shards.action_mask[chosen], (2, 1))
        triplets = triplets_by_actions(
            actions, known, rng, count=config.triplets // part.parts, gap=config.gap
        )
    else:
        points = crop_points(shards.geometry[chosen], shards.yaw[chosen], shards.pitch[chosen])
        second = [
            augment(
                disturb_expression(shards.original[i], p, r, strength=1.5), r, amount, size=size
            )
            for i, p, r in zip(chosen, points, own, strict=True)
        ]
        second += [
            augment(shards.target[i], r, amount, size=size)
            for i, r in zip(chosen, own, strict=True)
        ]
        # A target identity is a person with many expressions.
        labels = np.concatenate(
            [np.tile(shards.identity[chosen].astype(np.int64), 2), -1 - shards.target_id[chosen]]
        )
        triplets = triplets_by_label(labels, rng, count=config.triplets // part.parts)
    return Batch(to_images(np.stack(first + second)), torch.from_numpy(triplets))


@torch.no_grad()
def accuracy(
    run: Run[ExpressionConfig],
    network: ExpressionEmbedding,
    shards: Shards,
    chosen: NDArray[np.int64],
    size: int,
) -> float:
    """Share of triplets of plain originals that the embedding answers; chance is 1/3.

    With expressions, the triplets are drawn by the (known) facial actions; on photos these are the
    teacher's. With identities, two views of each face are compared with another face. NaN without
    any triplet.
    """
    if len(chosen) == 0:
        return float("nan")
    network.eval()
    config, rng = run.config, np.random.default_rng(7)
    plain = [centre(shards.original[i], size) for i in chosen]
    if config.subject == "actions":
        triplets = triplets_by_actions(
            shards.actions[chosen].astype(np.float32).clip(0, 1),
            shards.action_mask[chosen],
            rng,
            count=_CHECKS,
            gap=config.gap,
        )
    else:
        points = crop_points(shards.geometry[chosen], shards.yaw[chosen], shards.pitch[chosen])
        plain += [
            augment(
                disturb_expression(shards.original[i], p, rng), rng, config.augmentation, size=size
            )
            for i, p in zip(chosen, points, strict=True)
        ]
        labels = np.tile(shards.identity[chosen].astype(np.int64), 2)
        triplets = triplets_by_label(labels, rng, count=_CHECKS)
    parts = []
    for start in range(0, len(plain), 64):
        with run.autocast():
            image = to_images(np.stack(plain[start : start + 64])).to(run.device)
            parts.append(network(image).float())
    return triplet_accuracy(torch.cat(parts), torch.from_numpy(triplets).to(run.device))
