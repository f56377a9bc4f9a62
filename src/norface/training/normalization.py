"""Training of the normalization network by paired supervision.

A sample is a face and a picture of the *target* identity with the same facial actions, made by
synthesis. Photos join with the actions that a teacher reads from them; where the teacher is blind
the pixels count less (see `pixel_weights`). The paper's losses are not published; these are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from norface.data.augment import augment, centre, geometry_noise
from norface.data.shards import Shards, load_shards
from norface.losses.actions import masked_action_loss
from norface.losses.flow import flow_roughness
from norface.losses.pixels import edge_l1, weighted_l1
from norface.models.checkpoint import (
    Recipe,
    load_matching,
    load_state,
    save_network,
    save_state,
)
from norface.models.encoder import ConvolutionalEncoder
from norface.models.normalization import NormalizationNetwork
from norface.training.normalization_config import NormalizationConfig
from norface.training.speed import speed_up_depthwise
from norface.training.state import (
    Record,
    Schedule,
    StopRequest,
    WeightAverage,
    ahead,
    parameter_groups,
)

SIZE = 128
STATE = "state.safetensors"
CHECKPOINT = "normalization.safetensors"


class Batch(NamedTuple):
    """B samples that share a few targets.

    Attributes:
        original: (B, 3, 128, 128) in 0..1.
        geometry: (B, 478, 3).
        target: (T, 3, 128, 128) in 0..1, the neutral target faces of the batch.
        target_index: (B,) long, into `target`.
        truth: (B, 3, 128, 128) in 0..1.
        weight: (B, 1, 128, 128), mean about 1.
        actions, action_mask: (B, 52).
    """

    original: Tensor
    geometry: Tensor
    target: Tensor
    target_index: Tensor
    truth: Tensor
    weight: Tensor
    actions: Tensor
    action_mask: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Which samples are trained on and which validate, and what a batch draws from.

    Attributes:
        training, validation: sample numbers.
        groups: target -> (synthetic, real) training samples.
        targets: (T, 128, 128, 3) uint8.
        weights: (T, 2, 128, 128) float32: for synthetic and for real samples.
    """

    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    groups: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]
    targets: NDArray[np.uint8]
    weights: NDArray[np.float32]


def train_normalization(config: NormalizationConfig, console: Console | None = None) -> Path:
    """Train F_nor, or go on where an earlier run in the same folder stopped.

    Writes to ``config.out``: ``normalization.safetensors`` (the averaged weights),
    ``state.safetensors`` (to resume), ``log.jsonl`` and ``samples_*.png``, rows of original, output
    and truth.

    Returns:
        The checkpoint.

    Raises:
        ShardError: the data are missing or broken.
        CheckpointError: the state in the folder is of another network.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    record = Record(config.out, console or Console())
    record.say(f"reading {', '.join(map(str, config.data))}")
    shards = load_shards(config.data, limit=config.limit)
    plan = make_plan(shards, config)
    record.say(
        f"{len(plan.training)} samples ({int(shards.real[plan.training].sum())} photos) to train "
        f"on, {len(plan.validation)} to validate, {len(shards.targets)} targets"
    )
    torch.manual_seed(config.seed)
    recipe = Recipe(kind="normalization", preset=config.preset)
    network = recipe.build(pretrained=True)
    assert isinstance(network, NormalizationNetwork)
    if config.start is not None:
        loaded, total = load_matching(config.start, network)
        record.say(f"{loaded} of {total} tensors start from {config.start}")
    encoder = network.encoder
    if isinstance(encoder, ConvolutionalEncoder):
        encoder.freeze_batch_norm(config.freeze_batch_norm)
        encoder.freeze_blocks(min(config.frozen_blocks, len(encoder.trunk.blocks)))
    if config.freeze_reading:
        network.freeze_reading()
    # The type annotation of nn.Module.to lacks memory_format alone.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = WeightAverage(network, config.average)
    speed_up_depthwise(network)
    rate = config.learning_rate
    optimizer = torch.optim.AdamW(
        parameter_groups(
            {"encoder": (encoder, rate * config.encoder_rate), "rest": (network, rate)},
            config.weight_decay,
        ),
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

    def save() -> None:
        save_state(
            state,
            modules=modules,
            optimizers={"optimizer": optimizer},
            values={"step": schedule.step, "seconds": schedule.seconds, "seed": config.seed},
        )
        notes = {
            "config": config.to_json(),
            "steps": schedule.step,
            "samples": len(plan.training),
            "photos": int(shards.real[plan.training].sum()),
        }
        save_network(config.out / CHECKPOINT, average.network, recipe, notes=notes)

    saved = pictured = schedule.seconds
    network.train()
    with StopRequest() as stop, ahead(batch_maker(shards, plan, config), schedule.step) as batches:
        for batch in batches:
            if schedule.done or stop.asked:
                break
            torch.manual_seed(config.seed * 1_000_003 + schedule.step)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * schedule.rate
            losses = loss_terms(network, batch, config)
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
            if schedule.seconds - pictured > 60.0 * config.picture_minutes:
                pictured = schedule.seconds
                validate(average.network, shards, plan, config, record, schedule)
    record.report(schedule, force=True)
    save()
    validate(average.network, shards, plan, config, record, schedule)
    return config.out / CHECKPOINT


def loss_terms(
    network: NormalizationNetwork, batch: Batch, config: NormalizationConfig
) -> dict[str, Tensor]:
    """The losses of a batch: each by itself, and ``loss``, their weighted sum."""
    original = batch.original.contiguous(memory_format=torch.channels_last)
    target = batch.target.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        out = network(original, batch.geometry, target, batch.target_index)
    pixel = weighted_l1(out.image, batch.truth, batch.weight)
    square = weighted_l2(out.image, batch.truth, batch.weight)
    edge = edge_l1(out.image, batch.truth, batch.weight)
    action = masked_action_loss(out.actions, batch.actions, batch.action_mask)
    rough = flow_roughness(out.change.flow)
    loss = (
        pixel
        + config.square_weight * square
        + config.edge_weight * edge
        + config.action_weight * action
        + config.flow_weight * rough
    )
    return {
        "loss": loss,
        "pixel": pixel,
        "square": square,
        "edge": edge,
        "action": action,
        "flow": rough,
    }


def weighted_l2(image: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Mean squared difference of (B, 3, H, W), weighted by (B, 1, H, W).

    Most actions are absent most of the time, so the least absolute error
    of a network that cannot read a face yet is no motion at all, with no gradient to leave it; the
    least squares are the mean.
    """
    return ((image - truth).square() * weight).mean()


def make_plan(shards: Shards, config: NormalizationConfig) -> Plan:
    """Set validation identities aside and group the rest by target."""
    everything = np.arange(len(shards))
    synthetic = everything[~shards.real]
    # Whole identities: the same person must not stand on both sides.
    last = shards.identity[synthetic[len(synthetic) - config.held_out :]]
    if config.held_out == 0 or 2 * config.held_out > len(synthetic):
        last = last[:0]
    aside = np.isin(shards.identity, last) & ~shards.real
    training = everything[~aside]
    groups = {}
    for target in np.unique(shards.target_id[training]):
        members = training[shards.target_id[training] == target]
        groups[int(target)] = (members[~shards.real[members]], members[shards.real[members]])
    targets = np.stack([centre(image, SIZE) for image in shards.targets])
    weights = np.stack(
        [pixel_weights(shards, target, config.motion_floor) for target in range(len(targets))]
    )
    return Plan(training, everything[aside], groups, targets, weights)


def pixel_weights(shards: Shards, target: int, floor: float) -> NDArray[np.float32]:
    """How much each pixel of a target face counts, (2, 128, 128): for renders and for photos.

    A pixel counts by how much it moves with the facial actions, or else the background would win;
    never less than `floor` of the mean. A linear model of the pixels given the actions says which
    action moves which pixel; for photos, what moves by actions that the teacher does not see is
    left out, for the truth there is not known.
    """
    grid = 64
    members = np.flatnonzero((shards.target_id == target) & ~shards.real)[:1500]
    if len(members) < 8:
        return np.ones((2, SIZE, SIZE), np.float32)
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
    seen = shards.action_mask[shards.real].all(axis=0) if shards.real.any() else None
    total = energy.sum(axis=0)
    known = total if seen is None else energy[seen].sum(axis=0)
    maps = []
    for share in (np.ones_like(total), known / np.maximum(total, 1e-9)):
        motion = np.sqrt(total).reshape(grid, grid)
        weight = np.minimum(motion / max(motion.mean(), 1e-9), 6.0)
        weight = (weight + floor) * share.reshape(grid, grid) + 0.02
        smooth = cv2.GaussianBlur(weight.astype(np.float32), (0, 0), 1.0)
        maps.append(cv2.resize(smooth, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))
    both = np.stack(maps).astype(np.float32)
    return np.asarray(both / both[0].mean(), np.float32)


def batch_maker(shards: Shards, plan: Plan, config: NormalizationConfig) -> Callable[[int], Batch]:
    """A function from the number of a step to its batch, equal for equal numbers."""
    cv2.setNumThreads(0)
    names = np.array(sorted(plan.groups))
    # Drawn as often as they occur: the data decide how much the common face weighs.
    share = np.array([sum(map(len, plan.groups[int(n)])) for n in names], np.float64)
    share /= share.sum()
    size = config.batch // config.groups

    def make(step: int) -> Batch:
        rng = np.random.default_rng((config.seed, step))
        members: list[int] = []
        for target in rng.choice(names, config.groups, p=share):
            synthetic, real = plan.groups[int(target)]
            photos = round(config.real_share * size) if len(synthetic) else size
            # The remainder of the share is drawn, so that small groups have it on average.
            if len(synthetic):
                exact = config.real_share * size
                photos = int(exact) + int(rng.random() < exact - int(exact))
            photos = min(photos, size) if len(real) else 0
            members += list(rng.choice(real, photos)) if photos else []
            members += list(rng.choice(synthetic, size - photos)) if photos < size else []
        return collate(shards, plan, np.array(members), config, rng)

    return make


def collate(
    shards: Shards,
    plan: Plan,
    members: NDArray[np.int64],
    config: NormalizationConfig,
    rng: np.random.Generator | None,
) -> Batch:
    """Samples to tensors; augmented by `rng`, or plain without one."""
    if rng is None:
        original = np.stack([centre(shards.original[i], SIZE) for i in members])
        geometry = shards.geometry[members].astype(np.float32)
    else:
        original = np.stack(
            [augment(shards.original[i], rng, config.augmentation, size=SIZE) for i in members]
        )
        geometry = np.stack([geometry_noise(shards.geometry[i], rng) for i in members])
    ids = shards.target_id[members].astype(np.int64)
    used, index = np.unique(ids, return_inverse=True)
    real = shards.real[members].astype(np.int64)
    return Batch(
        original=to_images(original),
        geometry=torch.from_numpy(geometry),
        target=to_images(plan.targets[used]),
        target_index=torch.from_numpy(index.astype(np.int64)),
        truth=to_images(shards.target[members]),
        weight=torch.from_numpy(plan.weights[ids, real][:, None]),
        actions=torch.from_numpy(shards.actions[members].astype(np.float32).clip(0.0, 1.0)),
        action_mask=torch.from_numpy(shards.action_mask[members].astype(np.float32)),
    )


def to_images(pictures: NDArray[np.uint8]) -> Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 in 0..1, in channels-last memory."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255.0


@torch.no_grad()
def validate(
    network: NormalizationNetwork,
    shards: Shards,
    plan: Plan,
    config: NormalizationConfig,
    record: Record,
    schedule: Schedule,
) -> None:
    """Losses and action correlation on the held-out identities, and a sheet of pictures."""
    network.eval()
    real = plan.training[shards.real[plan.training]]
    if len(plan.validation):
        read, true, pixel = [], [], 0.0
        for start in range(0, len(plan.validation), 32):
            batch = collate(shards, plan, plan.validation[start : start + 32], config, None)
            with torch.autocast("cpu", torch.bfloat16):
                out = network(batch.original, batch.geometry, batch.target, batch.target_index)
            loss = weighted_l1(out.image, batch.truth, batch.weight)
            pixel += float(loss) * len(batch.original)
            read.append(out.actions.numpy())
            true.append(batch.actions.numpy())
        # The neutral target itself as the answer: what a network that ignores the face gets.
        batch = collate(shards, plan, plan.validation[:96], config, None)
        idle = float(weighted_l1(batch.target[batch.target_index], batch.truth, batch.weight))
        pixel /= len(plan.validation)
        correlation = _mean_correlation(np.concatenate(read), np.concatenate(true))
        record.write(
            step=schedule.step, val_pixel=pixel, val_idle=idle, val_action_correlation=correlation
        )
        record.say(
            f"       validation: pixel {pixel:.4f} (neutral target {idle:.4f}), "
            f"actions read at r = {correlation:.3f}"
        )
    chosen = np.concatenate([plan.validation[:8], real[:: max(len(real) // 4, 1)][:4]])
    if len(chosen) == 0:
        chosen = plan.training[:8]
    batch = collate(shards, plan, chosen, config, None)
    out = network(batch.original, batch.geometry, batch.target, batch.target_index)
    rows = torch.cat([batch.original, out.image, batch.truth], dim=3)
    sheet = torch.cat(list(rows), dim=1).permute(1, 2, 0).mul(255).round().byte().numpy()
    half = (len(chosen) + 1) // 2 * SIZE
    left, right = sheet[:half], sheet[half:]
    right = np.pad(right, ((0, half - len(right)), (8, 0), (0, 0)))
    sheet = np.concatenate([np.pad(left, ((0, 0), (0, 0), (0, 0))), right], axis=1)
    cv2.imwrite(str(config.out / f"samples_{schedule.step:06d}.png"), sheet[..., ::-1])


def _mean_correlation(read: NDArray[np.floating], true: NDArray[np.floating]) -> float:
    """Mean over the actions that vary of Pearson's correlation."""
    a, b = read - read.mean(axis=0), true - true.mean(axis=0)
    spread = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    varies = b.std(axis=0) > 1e-3
    if not varies.any():
        return float("nan")
    return float(((a * b).sum(axis=0)[varies] / np.maximum(spread[varies], 1e-9)).mean())
