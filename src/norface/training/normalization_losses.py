"""The generator's losses in both regimes, weighted as the config says."""

from __future__ import annotations

import torch
from torch import Tensor

from norface.losses.actions import masked_action_loss
from norface.losses.adversarial import generator_loss
from norface.losses.expression import expression_contrast, expression_distance
from norface.losses.flow import flow_roughness
from norface.losses.identity import identity_distance
from norface.losses.perceptual import perceptual_distance
from norface.losses.pixels import edge_l1, weighted_l1, weighted_square
from norface.losses.pose import landmark_distance, opening_distance, pose_distance
from norface.losses.reconstruction import background_distance, reconstruction_distance
from norface.losses.residual import painted
from norface.models.landmarks import openings
from norface.models.normalization import NormalizationOutput
from norface.training.judges import Judges, Players, coarse, small_views
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
        ramp: 0..1, how much the losses of judges and players count yet.
    """
    w = config.unpaired
    first, middle = batch.paired, batch.paired + batch.own
    count = len(out.image) - first
    rough = flow_roughness(out.change.flow[first:])
    losses, loss = {"unpaired_flow": rough}, config.flow_weight * rough

    def add(name: str, weight: float, values: Tensor) -> None:
        nonlocal loss
        losses[name] = values.mean()
        # As a mean over all unpaired rows, so that a kind weighs as much as its share is.
        loss = loss + weight * values.sum() / count

    targets = batch.target.index_select(0, batch.target_index[first:])
    if w.background_weight > 0:
        background = batch.background[first:]
        add(
            "background",
            w.background_weight,
            background_distance(out.image[first:], targets, background),
        )
    if w.painting_weight > 0:
        add("painting", w.painting_weight, painted(out.change.residual[first:]))
    if players.discriminator is not None:
        judged = players.discriminator(out.image[first:])
        weight = ramp * w.adversarial_weight
        add("adversarial", weight, generator_loss(judged, kind=w.adversarial))

    # Where the truth is known, the difference from it says more than any judge.
    image, truth = out.image[first:middle], batch.truth[first:middle]
    if len(image) and w.reconstruction_weight > 0:
        distance = reconstruction_distance(image, truth, batch.weight[first:middle])
        add("reconstruction", w.reconstruction_weight, distance)
    if len(image) and judges.perceptual is not None:
        with torch.no_grad():
            wanted = judges.features(truth)
        add("perceptual", w.perceptual_weight, perceptual_distance(judges.features(image), wanted))

    image, clean, target = out.image[middle:], batch.clean[middle:], targets[batch.own :]
    if len(image) == 0:
        return {"loss": loss, **losses}
    # What only a certain pixel grid persuades of is not wanted. The other side is as coarse,
    # or the result would be drawn to make up for it.
    view = coarse(small_views(image)[0])
    if judges.expression is not None:
        with torch.no_grad():
            own = judges.expression(coarse(clean))
        ours = judges.expression(view)
        add("expression", ramp * w.expression_weight, expression_distance(ours, own))
        if w.contrast_weight > 0:
            add("contrast", ramp * w.contrast_weight, expression_contrast(ours, own))
    if judges.identity is not None:
        with torch.no_grad():
            theirs = judges.identity(coarse(target))
        distance = identity_distance(judges.identity(view), theirs)
        add("identity", ramp * w.identity_weight, distance)
    if players.landmarks is not None:
        frame, there = players.landmarks(image), players.landmarks(target)
        add("pose", ramp * w.pose_weight, pose_distance(frame.pose, there.pose))
        distance = landmark_distance(frame.rigid, there.rigid)
        add("landmarks", ramp * w.landmark_weight, distance)
        distance = opening_distance(openings(frame.points), batch.openings[middle:])
        add("openings", ramp * w.opening_weight, distance)
    return {"loss": loss, **losses}
