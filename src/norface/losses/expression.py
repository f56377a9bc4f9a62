"""Is the expression still there? Distance of two embeddings of expression, and their training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def expression_distance(result: Tensor, original: Tensor) -> Tensor:
    """Squared distance of embeddings, each set to length 1: 0 for equal ones, at most 4.

    It is twice the cosine distance, so both readings of the paper's loss are this one.

    Args:
        result: (B, E), of the normalized faces.
        original: (B, E), of the originals.

    Returns:
        (B,)
    """
    return (F.normalize(result, dim=1) - F.normalize(original, dim=1)).square().sum(1)


def expression_contrast(result: Tensor, original: Tensor) -> Tensor:
    """Is each result nearer to its own original than to the others of the batch?

    The distance alone is small already for a result that always shows the usual expression. The
    difference of the distances to another original and to the own one has to be at least half of
    what it is for a perfect result, so that equal expressions need not be told apart.

    Args:
        result: (B, E), of the normalized faces.
        original: (B, E), of the originals.

    Returns:
        (B,), mean over the others; 0 for a single face.
    """
    ours, theirs = F.normalize(result, dim=1), F.normalize(original, dim=1)
    crossed = 2.0 - 2.0 * ours @ theirs.T
    apart = 2.0 - 2.0 * theirs @ theirs.T
    missing = F.relu(crossed.diagonal()[:, None] - crossed + 0.5 * apart)
    others = 1.0 - torch.eye(len(ours), device=ours.device)
    return (missing * others).sum(1) / max(len(ours) - 1, 1)


def triplet_loss(embedding: Tensor, triplets: Tensor, *, margin: float) -> Tensor:
    """Both distances to the odd one out must exceed the distance of the pair by a margin.

    Args:
        embedding: (N, E) of length 1.
        triplets: (M, 3) long: two alike, and the odd one out.
        margin: in squared distance.

    Returns:
        the mean over the triplets; 0 without any.
    """
    pair, first, second = _distances(embedding, triplets)
    violation = F.relu(pair - first + margin) + F.relu(pair - second + margin)
    return violation.sum() / max(len(triplets), 1)


def triplet_accuracy(embedding: Tensor, triplets: Tensor) -> float:
    """Share of triplets whose odd one out is the odd one of the embedding too; chance is 1/3.

    Arguments as in `triplet_loss`; NaN without triplets.
    """
    pair, first, second = _distances(embedding, triplets)
    return float(torch.minimum(first, second).gt(pair).float().mean())


def _distances(embedding: Tensor, triplets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    one, other, odd = embedding[triplets].unbind(1)
    return (
        (one - other).square().sum(1),
        (one - odd).square().sum(1),
        (other - odd).square().sum(1),
    )
