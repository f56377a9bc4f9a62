"""Which samples train the normalization network in which regime, and what their pixels weigh."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.data.augment import centre
from norface.data.shards import Shards
from norface.training.normalization_config import NormalizationConfig


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Which samples are trained on and which validate, and what a batch draws from.

    Attributes:
        size: S.
        training: sample numbers of the paired regime.
        validation: the same.
        groups: target -> (synthetic, real) training samples.
        unpaired: samples of the unpaired regime, without those validated.
        unpaired_validation: photos first.
        targets: (T, S, S, 3) uint8, the neutral target faces.
        weights: (T, 2, S, S) float32: for synthetic and for real samples.
    """

    size: int
    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    groups: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]
    unpaired: NDArray[np.int64]
    unpaired_validation: NDArray[np.int64]
    targets: NDArray[np.uint8]
    weights: NDArray[np.float32]


def make_plan(shards: Shards, config: NormalizationConfig, size: int) -> Plan:
    """Set validation identities aside and group the rest by target.

    Args:
        shards: of ``config.data``, then of ``config.unpaired_data``, then of ``config.fold``.
        config: the options.
        size: S.
    """
    everything = np.arange(len(shards))
    of_data = shards.folder < len(config.data)
    synthetic = everything[~shards.real & of_data]
    # Whole identities: the same person must not stand on both sides.
    last = shards.identity[synthetic[len(synthetic) - config.held_out :]]
    if config.held_out == 0 or 2 * config.held_out > len(synthetic):
        last = last[:0]
    aside = np.isin(shards.identity, last) & ~shards.real & of_data
    others = bool(config.unpaired_data) or bool(config.fold)
    pool = everything[(~of_data if others else of_data) & ~aside]
    photos = pool[shards.real[pool]]
    pool = photos if len(photos) else pool
    count = config.unpaired.held_out if config.unpaired_share > 0 else 0
    last = shards.identity[pool[len(pool) - count :]]
    if count == 0 or 2 * count > len(pool):
        last = last[:0]
    pool_aside = np.isin(shards.identity[pool], last)
    # A photo may stand in the shards several times.
    kept = pool[pool_aside]
    _, first = np.unique(shards.identity[kept], return_index=True)
    # Nor may a photo that validates one regime train the other.
    training = everything[of_data & ~aside & ~np.isin(shards.identity, last)]
    groups = {}
    for target in np.unique(shards.target_id[training]):
        members = training[shards.target_id[training] == target]
        groups[int(target)] = (members[~shards.real[members]], members[shards.real[members]])
    targets = np.stack([centre(image, size) for image in shards.targets])
    weights = np.ones((len(targets), 2, size, size), np.float32)
    if config.unpaired_share < 1.0:
        floor = config.motion_floor
        maps = [pixel_weights(shards, t, floor, of_data) for t in range(len(targets))]
        weights = np.stack(maps)
    return Plan(
        size,
        training,
        everything[aside],
        groups,
        pool[~pool_aside],
        kept[np.sort(first)],
        targets,
        weights,
    )


def pixel_weights(
    shards: Shards, target: int, floor: float, chosen: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """How much each pixel of a target face counts, (2, S, S): for renders and for photos.

    A pixel counts by how much it moves with the facial actions, or else the background would win;
    never less than `floor` of the mean. A linear model of the pixels given the actions says which
    action moves which pixel; for photos, what moves by actions that the teacher does not see is
    left out, for the truth there is not known.

    Args:
        shards: the samples.
        target: the target face.
        floor: see above.
        chosen: (N,), samples that may be looked at; by default all.
    """
    grid, size = 64, shards.target.shape[1]
    mine = (shards.target_id == target) & ~shards.real
    members = np.flatnonzero(mine if chosen is None else mine & chosen)[:1500]
    if len(members) < 8:
        return np.ones((2, size, size), np.float32)
    grey = np.stack(
        [
            cv2.resize(shards.target[i], (grid, grid), interpolation=cv2.INTER_AREA).mean(axis=2)
            for i in members
        ]
    ).reshape(len(members), -1)
    actions = shards.actions[members].astype(np.float64)
    centred = actions - actions.mean(axis=0)
    gram = centred.T @ centred + 1e-2 * len(members) * np.eye(actions.shape[1]) * 0.05
    slope = np.linalg.solve(gram, centred.T @ (grey - grey.mean(axis=0)))
    energy = (slope * centred.std(axis=0)[:, None]) ** 2
    photos = shards.real if chosen is None else shards.real & chosen
    seen = shards.action_mask[photos].all(axis=0) if photos.any() else None
    total = energy.sum(axis=0)
    known = total if seen is None else energy[seen].sum(axis=0)
    maps = []
    for share in (np.ones_like(total), known / np.maximum(total, 1e-9)):
        motion = np.sqrt(total).reshape(grid, grid)
        weight = np.minimum(motion / max(motion.mean(), 1e-9), 6.0)
        weight = (weight + floor) * share.reshape(grid, grid) + 0.02
        smooth = cv2.GaussianBlur(weight.astype(np.float32), (0, 0), 1.0)
        maps.append(cv2.resize(smooth, (size, size), interpolation=cv2.INTER_LINEAR))
    both = np.stack(maps).astype(np.float32)
    return np.asarray(both / both[0].mean(), np.float32)
