"""Is the result the target's person? Distance of two embeddings of identity."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def identity_distance(result: Tensor, target: Tensor) -> Tensor:
    """One minus the cosine of embeddings: 0 for the same direction, at most 2.

    Args:
        result: (B, E), of the normalized faces.
        target: (B, E), of their targets.

    Returns:
        (B,)
    """
    return 1.0 - F.cosine_similarity(result, target, dim=1)
