"""Training of the normalization network, paired and unpaired, in one loop.

*Paired*: a face and a picture of the target identity with the same facial actions, made by
synthesis; photos join with the actions that a teacher reads from them. *Unpaired*, as the paper
must have done: photos alone, judged by networks. A batch holds both in any share. The paper's
losses are not published; docs/normalization-training.md says what is whose.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor
from torch.nn import functional as F

from norface.data.crop_points import crop_points
from norface.data.shards import Shards, load_shards
from norface.losses.adversarial import discriminator_loss, r1_penalty
from norface.models.checkpoint import Recipe, learned_from, load_matching
from norface.models.encoder import ConvolutionalEncoder
from norface.models.landmarks import POINTS
from norface.models.normalization import NormalizationNetwork
from norface.training.average import WeightAverage
from norface.training.fold import open_fold
from norface.training.fold_shards import join_fold
from norface.training.judges import (
    Judges,
    Players,
    build_judges,
    build_players,
    seen_in,
    small_views,
)
from norface.training.normalization_batches import Batch, batch_maker
from norface.training.normalization_config import NormalizationConfig
from norface.training.normalization_figures import validate
from norface.training.normalization_losses import paired_losses, unpaired_losses
from norface.training.normalization_plan import Plan, make_plan
from norface.training.optimizers import parameter_groups
from norface.training.run import Run
from norface.training.speed import lay_channels_last, speed_up_depthwise

CHECKPOINT = "normalization.safetensors"
_HELD_OUT = 0.08
"""Share of a fold's people who stand last, among whom those to validate on are."""


def train_normalization(config: NormalizationConfig, console: Console | None = None) -> Path:
    """Train F_nor, or go on where an earlier run in the same folder stopped.

    Sample pictures are rows of original, output and truth of the paired regime, and of original,
    output on the common face, disturbed face and its reconstruction of the unpaired one.

    Returns:
        The checkpoint, `CHECKPOINT` in ``config.out``; beside it that of the best validation.

    Raises:
        ShardError: the data are missing or broken.
        CheckpointError: an encoder is missing, or the state in the folder is of another network.
        TrainingError: the run cannot go on.
    """
    run = Run(config, checkpoint=CHECKPOINT, console=console)
    config = run.config
    torch.manual_seed(config.seed)
    recipe = Recipe(kind="normalization", preset=config.preset)
    network = recipe.build(pretrained=True)
    assert isinstance(network, NormalizationNetwork)
    size = network.encoder.image_size
    folders = (*config.data, *config.unpaired_data) if config.unpaired_share else config.data
    shards, people = _samples(run, folders, size)
    plan = make_plan(shards, config, size)
    run.record.say(_said(shards, plan))
    if config.start is not None:
        loaded, total = load_matching(config.start, network)
        run.record.say(f"{loaded} of {total} tensors start from {config.start}")
    encoder = network.encoder
    if isinstance(encoder, ConvolutionalEncoder):
        encoder.freeze_batch_norm(config.freeze_batch_norm)
        encoder.freeze_blocks(min(config.frozen_blocks, len(encoder.trunk.blocks)))
    if config.freeze_reading:
        network.freeze_reading()
    lay_channels_last(network)
    average = WeightAverage(network, config.average)
    speed_up_depthwise(network)
    judges = build_judges(config).to(run.device)
    players = build_players(config, _mean_points(shards, plan))
    for judge in judges.children():
        speed_up_depthwise(judge)
    rate = config.learning_rate
    parts = {"encoder": (encoder, rate * config.encoder_rate), "rest": (network, rate)}
    optimizers: dict[str, torch.optim.Optimizer] = {
        "network": torch.optim.AdamW(
            parameter_groups(parts, config.weight_decay), betas=(0.9, 0.98)
        )
    }
    for name, player in players.named().items():
        groups = parameter_groups({name: (player, rate * config.unpaired.player_rate)}, 0.0)
        # Without momentum, as is usual for two players: each answers the other as it is now.
        betas = (0.0, 0.99) if name == "discriminator" else (0.9, 0.98)
        optimizers[name] = torch.optim.AdamW(groups, betas=betas)
    run.begin(
        recipe=recipe,
        networks={"network": network, **players.named()},
        averages={"network": average},
        optimizers=optimizers,
        epoch_samples=max(len(plan.training), len(plan.unpaired)),
        notes={
            "samples": len(plan.training),
            "photos": int(shards.real[plan.training].sum()),
            "unpaired": len(plan.unpaired) if config.unpaired_share else 0,
            "learned_from": people,
        },
    )
    for batch in run.batches(batch_maker(shards, plan, config)):
        losses = train_step(run, batch, judges, players)
        run.end_step(losses, samples=len(batch.original))
        if run.validation_due():
            validate(run, average.network, shards, plan, judges)
    if not run.stopped:
        validate(run, average.network, shards, plan, judges)
    return run.finish()


def train_step(
    run: Run[NormalizationConfig], batch: Batch, judges: Judges, players: Players
) -> dict[str, Tensor]:
    """A step of the generator F_nor, then one of each player, none touching the others.

    Returns:
        every loss by name, and ``loss``, the generator's.
    """
    config = run.config
    options, step = config.unpaired, run.schedule.step
    total = len(batch.original)
    unpaired = total - batch.paired

    # The generator: the players pass gradients to the picture and keep none. In evaluation mode,
    # for spectral normalization moves its estimate in training mode.
    players.requires_grad_(False).eval()
    original = batch.original.contiguous(memory_format=torch.channels_last)
    target = batch.target.contiguous(memory_format=torch.channels_last)
    losses: dict[str, Tensor] = {}
    with run.autocast():
        out = run.wrapped["network"](original, batch.geometry, target, batch.target_index)
        loss = out.image.new_zeros(())
        if batch.paired:
            losses |= paired_losses(out, batch, config)
            loss = loss + losses["loss"] * (batch.paired / total)
        if unpaired:
            ramp = min(1.0, step / options.ramp)
            losses |= unpaired_losses(out, batch, config, judges, players, ramp)
            loss = loss + losses["loss"] * (unpaired / total)
    losses["loss"] = loss
    run.descend("network", loss)
    players.requires_grad_(True).train()

    if players.discriminator is not None:
        # Real is what a result may look like, patch by patch: rendered truths, the targets, and
        # photos with expressions, which neutral targets lack.
        photo = torch.rand(total, 1, 1, 1, device=batch.clean.device) < 0.5
        photo[: batch.paired] = False
        faces = batch.target.index_select(0, batch.target_index)
        faces = torch.cat([batch.truth[: batch.paired], faces[batch.paired :]])
        real = torch.where(photo, batch.clean, faces)
        made = out.image.detach()
        slope_due = options.r1_weight > 0 and step % options.r1_interval == 0
        real.requires_grad_(slope_due)
        with run.autocast():
            both = run.wrapped["discriminator"](torch.cat([real, made])).float()
        judged_real, judged_made = both[:total], both[total:]
        loss = discriminator_loss(judged_real, judged_made, kind=options.adversarial)
        losses |= {
            "discriminator": loss,
            "real_right": (judged_real > 0).float().mean(),
            "made_right": (judged_made < 0).float().mean(),
        }
        if slope_due:
            r1 = r1_penalty(judged_real, real)
            loss = loss + options.r1_weight * options.r1_interval * r1
        run.descend("discriminator", loss)

    if players.landmarks is not None:
        # From the front and turned, light and dark: what it reads must not hang on the framing.
        view, theta = small_views(batch.clean)
        light = 0.6 + 0.8 * torch.rand(total, 3, 1, 1, device=view.device)
        with run.autocast():
            frame = run.wrapped["landmarks"]((view * light).clamp(0, 1))
        error = (frame.points - seen_in(batch.points, theta)).abs().mean()
        angle = F.smooth_l1_loss(frame.pose, batch.pose, beta=3.0)
        losses |= {"landmark_error": error, "angle_error": angle}
        run.descend("landmarks", 10.0 * error + 0.02 * angle)
    return losses


def _samples(
    run: Run[NormalizationConfig], folders: Sequence[Path], size: int
) -> tuple[Shards, dict[str, list[str]]]:
    """All samples, and the people of data sets among them and behind what is built on."""
    config = run.config
    shards = None
    if folders:
        run.record.say(f"reading {', '.join(map(str, folders))}")
        shards = load_shards(folders, limit=config.limit, crop=size, say=run.record.say)
    if not config.fold:
        assert shards is not None
        return shards, learned_from(config.start)
    fold = open_fold(config.fold, held_out=_HELD_OUT, seed=config.seed)
    run.record.say(fold.said)
    people = fold.learned_from(
        config.start, config.unpaired.expression.path, config.unpaired.identity.path
    )
    return join_fold(shards, fold, folder=len(folders), size=size), people


def _mean_points(shards: Shards, plan: Plan) -> Tensor:
    """(K, 2), the mean of `POINTS` over some samples."""
    some = (plan.unpaired if len(plan.unpaired) else plan.training)[:500]
    found = crop_points(shards.geometry[some], shards.yaw[some], shards.pitch[some])
    return torch.from_numpy(found[:, list(POINTS)].mean(axis=0))


def _said(shards: Shards, plan: Plan) -> str:
    photos = int(shards.real[plan.training].sum())
    return (
        f"paired: {len(plan.training)} samples ({photos} photos) to train on, "
        f"{len(plan.validation)} to validate; unpaired: {len(np.unique(plan.unpaired))} and "
        f"{len(plan.unpaired_validation)}; {len(shards.targets)} targets"
    )
