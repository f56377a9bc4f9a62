"""What is painted rather than moved."""

from __future__ import annotations

from torch import Tensor


def painted(residual: Tensor) -> Tensor:
    """Mean absolute residual, and mean absolute difference of its neighbours, added.

    A judge of pictures is persuaded sooner by fine strokes than by a mouth that opens. Strokes are
    all edges, so that they cost most here; a motion of the flow costs nothing.

    Args:
        residual: (B, 3, H, W), what a decoder adds to the moved target.

    Returns:
        (B,)
    """
    size = residual.abs().mean((1, 2, 3))
    across = (residual[..., 1:] - residual[..., :-1]).abs().mean((1, 2, 3))
    down = (residual[..., 1:, :] - residual[..., :-1, :]).abs().mean((1, 2, 3))
    return size + across + down
