"""Training of the classification network F_cla for action units, on cached tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from norface import facs
from norface.data.augment import geometry_noise
from norface.data.shards import Shards, load_shards
from norface.evaluation.metrics import best_f1_threshold, f1, icc_3_1, nan_mean
from norface.losses.action_units import presence_loss
from norface.losses.balance import importance_loss, load_loss
from norface.models.checkpoint import (
    Recipe,
    load_normalization,
    load_state,
    save_network,
    save_state,
)
from norface.models.classification import ClassificationNetwork, ClassificationOutput
from norface.models.moe import Routing
from norface.training.classification_config import ClassificationConfig
from norface.training.state import (
    Record,
    Schedule,
    StopRequest,
    WeightAverage,
    ahead,
    parameter_groups,
)
from norface.training.tokens import TokenCache, cache_tokens

STATE = "state.safetensors"
CHECKPOINT = "action_units.safetensors"


class Batch(NamedTuple):
    """B samples: tokens (B, L, D), geometry (B, 478, 3), intensity (B, A, 3), NaN where unknown."""

    original: Tensor
    normalized: Tensor
    geometry: Tensor
    intensity: Tensor


def train_classification(config: ClassificationConfig, console: Console | None = None) -> Path:
    """Train F_cla for action units, or go on where an earlier run in the same folder stopped.

    Writes to ``config.out``: ``action_units.safetensors`` (the averaged weights; its notes hold
    ``thresholds``), ``state.safetensors``, ``log.jsonl`` and the tokens.

    Returns:
        The checkpoint (which does not exist yet if a signal stopped the making of the tokens).

    Raises:
        ShardError: the data are missing or broken.
        CheckpointError: F_nor or the state in the folder cannot be read.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    record = Record(config.out, console or Console())
    record.say(f"reading {', '.join(map(str, config.data))}")
    shards = load_shards(config.data, limit=config.limit)
    normalizer, _ = load_normalization(config.normalization)
    cache = cache_tokens(
        config.cache or config.out / "tokens",
        normalizer,
        shards,
        checkpoint=config.normalization,
        target=config.target,
        copies=config.copies,
        augmentation=config.augmentation,
        seed=config.seed,
        record=record,
    )
    if cache is None:
        return config.out / CHECKPOINT
    training, validation = split_identities(shards, config.held_out, config.seed)
    record.say(f"{len(training)} samples to train on, {len(validation)} to choose thresholds")

    torch.manual_seed(config.seed)
    recipe = Recipe(
        kind="classification",
        preset=config.preset,
        options={
            "heads": ["action_units"],
            "use_original": config.use_original,
            "use_normalized": config.use_normalized,
            "input_moe": config.input_moe,
            "output_moe": config.output_moe,
        },
    )
    network = recipe.build()
    assert isinstance(network, ClassificationNetwork)
    average = WeightAverage(network, config.average)
    optimizer = torch.optim.AdamW(
        parameter_groups({"network": (network, config.learning_rate)}, config.weight_decay),
        betas=(0.9, 0.98),
    )
    schedule = Schedule(config)
    modules = {"network": network, "average": average.network}
    state = config.out / STATE
    if state.exists():
        values = load_state(state, modules=modules, optimizers={"optimizer": optimizer})
        schedule.start(values["step"], values["seconds"])
        record.say(f"going on from step {schedule.step}")
    else:
        schedule.start()

    def save(**notes: object) -> None:
        save_state(
            state,
            modules=modules,
            optimizers={"optimizer": optimizer},
            values={"step": schedule.step, "seconds": schedule.seconds, "seed": config.seed},
        )
        about = {"config": config.to_json(), "steps": schedule.step, "samples": len(training)}
        save_network(config.out / CHECKPOINT, average.network, recipe, notes=about | notes)

    weights = positive_weights(shards.intensity[training])
    saved = schedule.seconds
    make = batch_maker(shards, cache, training, config)
    network.train()
    with StopRequest() as stop, ahead(make, schedule.step) as batches:
        for batch in batches:
            if schedule.done or stop.asked:
                break
            torch.manual_seed(config.seed * 1_000_003 + schedule.step)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * schedule.rate
            with torch.autocast("cpu", torch.bfloat16):
                out = network(batch.original, batch.normalized, batch.geometry)
            losses = loss_terms(out, batch.intensity, weights, config)
            optimizer.zero_grad(set_to_none=True)
            losses["loss"].backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.advance()
            average.update(schedule.step)
            record.add(len(batch.original), **{k: float(v.detach()) for k, v in losses.items()})
            record.report(schedule)
            if schedule.seconds - saved > 60.0 * config.save_minutes:
                saved = schedule.seconds
                save()
    record.report(schedule, force=True)
    thresholds, figures = choose_thresholds(average.network, shards, cache, validation)
    record.say("       validation: " + "  ".join(f"{k} {v:.3f}" for k, v in figures.items()))
    record.write(step=schedule.step, **figures)
    save(thresholds=thresholds, validation=figures)
    return config.out / CHECKPOINT


def loss_terms(
    out: ClassificationOutput, truth: Tensor, weights: Tensor, config: ClassificationConfig
) -> dict[str, Tensor]:
    """The losses of a batch: each by itself, and ``loss``, their weighted sum.

    Args:
        out: of the network.
        truth: (B, A, 3) intensities, NaN where unknown.
        weights: (A,), of present units against absent ones.
        config: the weights of the losses.
    """
    assert out.intensity is not None
    assert out.presence is not None
    known = ~truth.isnan()
    filled = truth.nan_to_num()
    intensity = masked_mean((out.intensity - filled).square(), known) / 5.0
    agreement = 1.0 - concordance(out.intensity, filled, known)
    presence = presence_loss(out.presence, truth[..., 0], positive_weight=weights)
    importance, load = balance(out.routings)
    loss = (
        intensity
        + 0.3 * agreement
        + config.presence_weight * presence
        + config.importance_weight * importance
        + config.load_weight * load
    )
    return {
        "loss": loss,
        "intensity": intensity,
        "agreement": agreement,
        "presence": presence,
        "importance": importance,
        "load": load,
    }


def masked_mean(values: Tensor, known: Tensor) -> Tensor:
    """Mean of the values that are known; 0 if none is."""
    return (values * known).sum() / known.sum().clamp(min=1)


def concordance(read: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Mean over the units of Lin's concordance of whole intensities within the batch.

    The squared error alone makes the readings shrink to the mean, which agreement (ICC) punishes.
    """
    x, y, m = read[..., 0], truth[..., 0], known[..., 0].float()
    count = m.sum(0).clamp(min=1.0)
    mean_x, mean_y = (x * m).sum(0) / count, (y * m).sum(0) / count
    dx, dy = (x - mean_x) * m, (y - mean_y) * m
    covariance = (dx * dy).sum(0) / count
    spread = (dx.square() + dy.square()).sum(0) / count + (mean_x - mean_y).square()
    varies = (dy.square().sum(0) / count > 0.05).float()
    score = 2 * covariance / (spread + 1e-3)
    return (score * varies).sum() / varies.sum().clamp(min=1.0)


def balance(routings: Mapping[str, Routing]) -> tuple[Tensor, Tensor]:
    """Importance and load loss, each summed over the mixtures."""
    zero = torch.zeros(())
    importance = sum((importance_loss(r.gates) for r in routings.values()), zero)
    load = sum((load_loss(r.load) for r in routings.values()), zero)
    return importance, load


def positive_weights(intensity: NDArray[np.floating]) -> Tensor:
    """How much more a present unit counts than an absent one, (A,): the root of their ratio."""
    whole = intensity[..., 0].astype(np.float32)
    known = ~np.isnan(whole)
    present = (np.nan_to_num(whole) >= facs.PRESENCE_INTENSITY).sum(axis=0)
    absent = known.sum(axis=0) - present
    ratio = np.sqrt(absent / np.maximum(present, 1))
    return torch.from_numpy(np.clip(ratio, 1.0, 5.0).astype(np.float32))


def split_identities(
    shards: Shards, share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Training and validation samples; no synthetic person is in both, photos all train."""
    people = np.unique(shards.identity[~shards.real])
    count = max(round(share * len(people)), 1)
    aside = np.random.default_rng((seed, 11)).choice(people, count, replace=False)
    held = np.isin(shards.identity, aside) & ~shards.real
    return np.flatnonzero(~held), np.flatnonzero(held)


def batch_maker(
    shards: Shards, cache: TokenCache, training: NDArray[np.int64], config: ClassificationConfig
) -> Callable[[int], Batch]:
    """A function from the number of a step to its batch, equal for equal numbers."""
    photos = training[shards.real[training]]
    renders = training[~shards.real[training]]
    share = config.real_share if len(photos) and len(renders) else float(len(renders) == 0)
    count = round(share * config.batch)

    def make(step: int) -> Batch:
        rng = np.random.default_rng((config.seed, 3, step))
        members = [rng.choice(photos, count)] if count else []
        if count < config.batch:
            members.append(rng.choice(renders, config.batch - count))
        chosen = np.concatenate(members)
        copy = rng.integers(0, len(cache.original), len(chosen))
        return Batch(
            torch.from_numpy(cache.original[copy, chosen].astype(np.float32)),
            torch.from_numpy(cache.normalized[copy, chosen].astype(np.float32)),
            torch.from_numpy(np.stack([geometry_noise(shards.geometry[i], rng) for i in chosen])),
            torch.from_numpy(shards.intensity[chosen].astype(np.float32)),
        )

    return make


@torch.no_grad()
def choose_thresholds(
    network: ClassificationNetwork, shards: Shards, cache: TokenCache, samples: NDArray[np.int64]
) -> tuple[dict[str, float], dict[str, float]]:
    """Threshold of each unit by F1 over all copies of the samples, and mean F1 and ICC(3,1)."""
    network.eval()
    probability, read = [], []
    for copy in range(len(cache.original)):
        for part in np.array_split(samples, max(len(samples) // 128, 1)):
            out = network(
                torch.from_numpy(cache.original[copy, part].astype(np.float32)),
                torch.from_numpy(cache.normalized[copy, part].astype(np.float32)),
                torch.from_numpy(shards.geometry[part].astype(np.float32)),
            )
            assert out.intensity is not None
            assert out.presence is not None
            probability.append(out.presence.sigmoid().numpy())
            read.append(out.intensity[..., 0].numpy())
    p, r = np.concatenate(probability), np.concatenate(read)
    truth = np.tile(shards.intensity[samples, :, 0].astype(np.float32), (len(cache.original), 1))
    present = truth >= facs.PRESENCE_INTENSITY
    thresholds = {
        name: best_f1_threshold(present[:, a], p[:, a])
        for a, name in enumerate(facs.ACTION_UNIT_NAMES)
    }
    scores = [
        f1(present[:, a], p[:, a] >= thresholds[name])
        for a, name in enumerate(facs.ACTION_UNIT_NAMES)
    ]
    agreement = [icc_3_1(truth[:, a], r[:, a]) for a in range(truth.shape[1])]
    return thresholds, {"f1": nan_mean(scores), "icc": nan_mean(agreement)}
