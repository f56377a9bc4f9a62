"""What a step of the normalization training computes: paired and unpaired samples, deterministic.

The order of the rows of a batch is always: paired, own (the face itself is the target), other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from norface.data.augment import augment, centre, geometry_noise
from norface.data.crop_points import crop_points
from norface.data.expression_warp import disturb_expression
from norface.data.face_maps import background_map, expressive_map, frontal_points
from norface.data.shards import Shards
from norface.models.landmarks import POINTS, openings
from norface.training.batches import Part
from norface.training.normalization_config import NormalizationConfig
from norface.training.normalization_plan import Plan
from norface.training.pictures import to_images


class Batch(NamedTuple):
    """B samples on T targets, paired rows first, then own ones, then others.

    Attributes:
        original: (B, 3, S, S) in 0..1, augmented.
        clean: (B, 3, S, S) in 0..1, the same without.
        geometry: (B, 478, 3).
        target: (T, 3, S, S) in 0..1.
        target_index: (B,) long, into `target`.
        truth: (B, 3, S, S) in 0..1: rendered for paired rows, the face itself for own ones; of
            others, which have none, the face too.
        weight: (B, 1, S, S), how much each pixel counts, mean about 1.
        background: (B, 1, S, S), 1 where the target shows no face.
        actions: (B, 52).
        action_mask: (B, 52), 0 for all of an unpaired row.
        points: (B, K, 2), landmarks in `clean`, see `norface.models.landmarks.POINTS`.
        pose: (B, 2), yaw and pitch of the original in degrees.
        openings: (B, 6), of the original's face seen from the front.
        paired: how many rows are.
        own: how many are after these.
    """

    original: Tensor
    clean: Tensor
    geometry: Tensor
    target: Tensor
    target_index: Tensor
    truth: Tensor
    weight: Tensor
    background: Tensor
    actions: Tensor
    action_mask: Tensor
    points: Tensor
    pose: Tensor
    openings: Tensor
    paired: int
    own: int


class Rows(NamedTuple):
    """Rows of a batch before their pictures are made.

    Attributes:
        sample: (B,), sample numbers.
        target: (B,), of a paired or other row: a target face, or, from T on, T plus the number of
            the sample whose face is the target; of an own row -1.
        place: (B,), in the whole batch; the source of each row's chance.
        paired: how many rows are.
        own: how many are after these.
    """

    sample: NDArray[np.int64]
    target: NDArray[np.int64]
    place: NDArray[np.int64]
    paired: int
    own: int


def batch_maker(
    shards: Shards, plan: Plan, config: NormalizationConfig
) -> Callable[[int, Part], Batch]:
    """A function from the number of a step and a part of its batch to this part.

    Equal numbers give equal parts, and all parts together are the same batch, however many there
    are.
    """
    cv2.setNumThreads(0)
    names = np.array(sorted(plan.groups))
    # Drawn as often as they occur: the data decide how much the common face weighs.
    share = np.array([sum(map(len, plan.groups[int(n)])) for n in names], np.float64)
    share /= max(share.sum(), 1.0)
    unpaired = round(config.unpaired_share * config.batch)
    own = round(config.unpaired.own_share * unpaired)
    paired = config.batch - unpaired

    def draw(step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rng = np.random.default_rng((config.seed, step))
        samples, targets = [], []
        sizes = [len(a) for a in np.array_split(np.arange(paired), config.groups)]
        for target, size in (
            zip(rng.choice(names, config.groups, p=share), sizes, strict=True) if paired else ()
        ):
            samples.append(_group(plan.groups[int(target)], size, config.real_share, rng))
            targets.append(np.full(size, target, np.int64))
        if unpaired:
            samples.append(rng.choice(plan.unpaired, unpaired))
            targets.append(np.full(own, -1, np.int64))
            # The common face is what the network is for, so it is always among the targets.
            drawn = rng.integers(0, len(plan.targets), config.groups)
            drawn[0] = 0
            faces = drawn[np.arange(unpaired - own) % config.groups]
            others = len(plan.targets) + rng.choice(plan.unpaired, unpaired - own)
            photo = rng.random(unpaired - own) < config.unpaired.photo_target_share
            targets.append(np.where(photo, others, faces))
        return np.concatenate(samples), np.concatenate(targets)

    def make(step: int, part: Part) -> Batch:
        samples, targets = draw(step)
        place = part.of(np.arange(config.batch))
        rows = Rows(
            samples[place],
            targets[place],
            place,
            int((place < paired).sum()),
            int(((place >= paired) & (place < paired + own)).sum()),
        )
        return collate(shards, plan, rows, config, step)

    return make


def _group(
    members: tuple[NDArray[np.int64], NDArray[np.int64]],
    size: int,
    real_share: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Paired samples of one target, of which a share is photos."""
    synthetic, real = members
    photos = size
    if len(synthetic):
        # The remainder of the share is drawn, so that small groups have it on average.
        exact = real_share * size
        photos = int(exact) + int(rng.random() < exact - int(exact))
    photos = min(photos, size) if len(real) else 0
    parts = [rng.choice(real, photos)] if photos else []
    parts += [rng.choice(synthetic, size - photos)] if photos < size else []
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def collate(
    shards: Shards, plan: Plan, rows: Rows, config: NormalizationConfig, step: int | None
) -> Batch:
    """Samples to tensors; augmented by the chance of a step, or plain without one."""
    size, count = plan.size, len(plan.targets)
    samples = rows.sample
    clean = np.stack([centre(shards.original[i], size) for i in samples])
    shape = shards.geometry[samples].astype(np.float32)
    points = crop_points(shape, shards.yaw[samples], shards.pitch[samples])
    original, geometry = clean, shape
    chances = [np.random.default_rng((config.seed, step or 0, 1, int(p))) for p in rows.place]
    if step is not None:
        original = np.stack(
            [
                augment(shards.original[i], rng, config.augmentation, size=size)
                for i, rng in zip(samples, chances, strict=True)
            ]
        )
        geometry = np.stack([geometry_noise(shape[n], rng) for n, rng in enumerate(chances)])
    pictures: list[NDArray[np.uint8]] = []
    places: dict[int, int] = {}
    index, backgrounds = [], []
    front = background_map(frontal_points(), size)
    for row, wanted in enumerate(rows.target):
        if wanted < 0:
            index.append(len(pictures))
            pictures.append(
                disturb_expression(
                    clean[row], points[row], chances[row], strength=config.unpaired.disturbance
                )
            )
            backgrounds.append(background_map(points[row], size))
            continue
        if int(wanted) not in places:
            places[int(wanted)] = len(pictures)
            pictures.append(
                plan.targets[wanted]
                if wanted < count
                else centre(shards.original[wanted - count], size)
            )
        index.append(places[int(wanted)])
        if wanted < count:
            backgrounds.append(front)
        else:
            one = slice(wanted - count, wanted - count + 1)
            there = crop_points(shards.geometry[one], shards.yaw[one], shards.pitch[one])
            backgrounds.append(background_map(there[0], size))
    paired = rows.paired
    truth = np.concatenate([shards.target[samples[:paired]], clean[paired:]])
    real = shards.real[samples[:paired]].astype(np.int64)
    weight = np.concatenate(
        [
            plan.weights[rows.target[:paired], real],
            *(expressive_map(p, size)[None] for p in points[paired:]),
        ]
    )
    mask = shards.action_mask[samples].astype(np.float32)
    mask[paired:] = 0.0
    frontal = crop_points(shape, np.zeros(len(samples)), np.zeros(len(samples)))
    chosen = list(POINTS)
    return Batch(
        original=to_images(original),
        clean=to_images(clean),
        geometry=torch.from_numpy(geometry),
        target=to_images(np.stack(pictures)),
        target_index=torch.tensor(index),
        truth=to_images(truth),
        weight=torch.from_numpy(weight[:, None]),
        background=torch.from_numpy(np.stack(backgrounds)[:, None]),
        actions=torch.from_numpy(shards.actions[samples].astype(np.float32).clip(0.0, 1.0)),
        action_mask=torch.from_numpy(mask),
        points=torch.from_numpy(points[:, chosen]),
        pose=torch.from_numpy(
            np.stack([shards.yaw[samples], shards.pitch[samples]], axis=1).astype(np.float32)
        ),
        openings=openings(torch.from_numpy(frontal[:, chosen])),
        paired=paired,
        own=rows.own,
    )


def plain_rows(samples: NDArray[np.int64], targets: NDArray[np.integer], *, kind: str) -> Rows:
    """Rows of one kind (``paired``, ``own`` or ``other``), for validation."""
    count = len(samples)
    return Rows(
        np.asarray(samples, np.int64),
        np.asarray(targets, np.int64),
        np.arange(count),
        count if kind == "paired" else 0,
        count if kind == "own" else 0,
    )
