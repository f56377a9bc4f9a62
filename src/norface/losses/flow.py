"""Smoothness of the decoder's flow."""

from __future__ import annotations

from torch import Tensor


def flow_roughness(flow: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring displacements.

    Args:
        flow: (B, 2, H, W), as a share of the picture.
    """
    across = (flow[..., 1:] - flow[..., :-1]).abs().mean()
    down = (flow[..., 1:, :] - flow[..., :-1, :]).abs().mean()
    return across + down
