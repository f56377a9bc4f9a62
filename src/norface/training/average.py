"""Running average of a network's weights."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

N = TypeVar("N", bound=nn.Module)


class WeightAverage(Generic[N]):
    """Exponential moving average of a network's weights; its buffers are copied.

    The average is short at first and grows to `decay`, so that it is never led by the
    initialization.
    """

    def __init__(self, network: N, decay: float) -> None:
        self.network: N = copy.deepcopy(network).eval().requires_grad_(False)
        self._source = network
        self._decay = decay

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimizer step `step` (counted from 1)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        # Paired anew each time: sharding a network replaces its parameters.
        pairs = list(zip(self.network.parameters(), self._source.parameters(), strict=True))
        own: list[Tensor] = [a for a, b in pairs if b.requires_grad]
        new: list[Tensor] = [b for _, b in pairs if b.requires_grad]
        torch._foreach_lerp_(own, new, 1.0 - decay)
        for a, b in zip(self.network.buffers(), self._source.buffers(), strict=True):
            a.copy_(b)
