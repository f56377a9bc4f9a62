"""Scores of action unit networks from their checkpoints, for comparisons in one table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from norface import facs
from norface.data.augment import centre
from norface.data.shards import Shards
from norface.evaluation.evaluate import unit_scores
from norface.models.checkpoint import CheckpointError, load_classification, load_normalization


@torch.no_grad()
def score_checkpoint(
    normalization: Path, action_units: Path, shards: Shards, *, target: int = 0
) -> dict[str, dict[str, float]]:
    """`unit_scores` of an action unit network on the faces of shards.

    Args:
        normalization: checkpoint of the F_nor that it was trained on.
        action_units: its checkpoint; the thresholds are those of its notes.
        shards: the faces.
        target: which target face.

    Raises:
        CheckpointError: a network is missing or damaged, or does not read the units of
            `norface.facs`, whose columns the shards have.
    """
    normalizer, _ = load_normalization(normalization)
    network, notes = load_classification(action_units)
    if network.units != facs.ACTION_UNIT_NAMES:
        raise CheckpointError(
            f"{action_units} reads {', '.join(network.units) or 'no unit'}, not the "
            f"{len(facs.ACTION_UNIT_NAMES)} units that shards have"
        )
    chosen = notes.get("thresholds", {})
    thresholds = np.array([chosen.get(name, 0.5) for name in facs.ACTION_UNIT_NAMES])
    face = _images(shards.targets[target : target + 1])
    face_tokens = normalizer.encoder(normalizer.shrink(face))
    intensity, probability = [], []
    for start in range(0, len(shards), 64):
        part = slice(start, start + 64)
        crops = np.stack([centre(image, 128) for image in shards.original[part]])
        shapes = torch.from_numpy(shards.geometry[part].astype(np.float32))
        tokens = normalizer.encoder(_images(crops))
        normalized = normalizer.shrink(normalizer.render(tokens, shapes, face_tokens, face))
        out = network(tokens, normalizer.encoder(normalized), shapes)
        assert out.intensity is not None
        assert out.presence is not None
        intensity.append(out.intensity.numpy())
        probability.append(out.presence.sigmoid().numpy())
    truth = shards.intensity[:, :, 0].astype(np.float64)
    return unit_scores(truth, np.concatenate(intensity), np.concatenate(probability), thresholds)


def _images(pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255.0
