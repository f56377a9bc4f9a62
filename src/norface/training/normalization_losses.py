"""The generator's losses in both regimes, weighted as the config says."""

from __future__ import annotations

import torch
from torch import Tensor

from norface.losses.actions import masked_action_loss
from norface.losses.adversarial import generator_loss
from norface.losses.expression import expression_distance
from norface.losses.flow import flow_roughness
from norface.losses.identity import identity_distance
from norface.losses.perceptual import perceptual_distance
from norface.losses.pixels import edge_l1, weighted_l1, weighted_square
from norface.losses.pose import (
    landmark_distance,
    opening_distance,
    pose_distance,
    weighted_mean,
)
from norface.losses.reconstruction import background_distance, reconstruction_distance
from norface.models.landmarks import openings
from norface.models.normalization import NormalizationOutput
from norface.training.judges import Judges, Players, small_views
from norface.training.normalization_batches import Batch
from norface.training.normalization_config import NormalizationConfig


def paired_losses(
    out: NormalizationOutput, batch: Batch, config: NormalizationConfig
) -> dict[str, Tensor]:
    """The losses of the paired rows: each by itself, and ``loss``, their weighted sum."""
    rows = slice(0, batch.paired)
    image, truth, weight = out.image[rows], batch.truth[rows], batch.weight[rows]
    pixel = weighted_l1(image, truth, weight)
    square = weighted_square(image, truth, weight)
    edge = edge_l1(image, truth, weight)
    action = masked_action_loss(out.actions[rows], batch.actions[rows], batch.action_mask[rows])
    rough = flow_roughness(out.change.flow[rows])
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


def unpaired_losses(
    out: NormalizationOutput,
    batch: Batch,
    config: NormalizationConfig,
    judges: Judges,
    players: Players,
    ramp: float,
) -> dict[str, Tensor]:
    """The losses of the unpaired rows: each by itself, and ``loss``, their weighted sum.

    Args:
        out: F_nor's, of the whole batch.
        batch: the batch.
        config: the options.
        judges: frozen.
        players: frozen for this step by the caller, in evaluation mode.
        ramp: 0..1, how much the players' losses count yet.
    """
    w = config.unpaired
    rows = slice(batch.paired, None)
    image, clean, truth = out.image[rows], batch.clean[rows], batch.truth[rows]
    target = batch.target.index_select(0, batch.target_index[rows])
    own = torch.zeros(len(image), device=image.device)
    own[: batch.own] = 1.0
    rough = flow_roughness(out.change.flow[rows])
    losses, loss = {"unpaired_flow": rough}, config.flow_weight * rough

    def add(name: str, weight: float, values: Tensor, chosen: Tensor) -> None:
        nonlocal loss
        losses[name] = weighted_mean(values, chosen)
        # As a mean over all unpaired rows, so that a share of a kind weighs as much as it is.
        loss = loss + weight * (values * chosen).mean()

    everyone = torch.ones_like(own)
    if w.reconstruction_weight > 0:
        distance = reconstruction_distance(image, truth, batch.weight[rows])
        add("reconstruction", w.reconstruction_weight, distance, own)
    if w.background_weight > 0:
        distance = background_distance(image, target, batch.background[rows])
        add("background", w.background_weight, distance, everyone)
    if judges.perceptual is not None:
        distance = perceptual_distance(judges.features(image), judges.features(truth))
        add("perceptual", w.perceptual_weight, distance, own)
    # A view of the result: one that only a certain pixel grid persuades is not what is wanted.
    view, _ = small_views(image)
    if judges.expression is not None:
        with torch.no_grad():
            wanted = judges.expression(clean)
        distance = expression_distance(judges.expression(view), wanted)
        add("expression", w.expression_weight, distance, everyone)
    if judges.identity is not None:
        with torch.no_grad():
            wanted = judges.identity(target)
        distance = identity_distance(judges.identity(view), wanted)
        add("identity", w.identity_weight, distance, everyone)
    if players.landmarks is not None:
        frame, there = players.landmarks(image), players.landmarks(target)
        add("pose", ramp * w.pose_weight, pose_distance(frame.pose, there.pose), everyone)
        distance = landmark_distance(frame.rigid, there.rigid)
        add("landmarks", ramp * w.landmark_weight, distance, everyone)
        distance = opening_distance(openings(frame.points), batch.openings[rows])
        add("openings", ramp * w.opening_weight, distance, 1.0 - own)
    if players.discriminator is not None:
        distance = generator_loss(players.discriminator(image), kind=w.adversarial)
        add("adversarial", ramp * w.adversarial_weight, distance, everyone)
    return {"loss": loss, **losses}
