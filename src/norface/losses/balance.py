"""Keeping all experts of a mixture at work (Shazeer et al., 2017)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from norface.models.moe import Routing


def squared_variation(x: Tensor) -> Tensor:
    """Variance over squared mean of x (E,): 0 when all are equal; 0 for a single value."""
    if len(x) == 1:
        return x.new_zeros(())
    x = x.float()
    return x.var(unbiased=False) / (x.mean() ** 2 + 1e-10)


def importance_loss(gates: Tensor) -> Tensor:
    """Squared variation of the experts' summed gates.

    Args:
        gates: (B, E), see `norface.models.moe.Routing`.
    """
    return squared_variation(gates.sum(0))


def load_loss(load: Tensor) -> Tensor:
    """Squared variation of the experts' expected number of faces.

    Args:
        load: (B, E), see `norface.models.moe.Routing`.
    """
    return squared_variation(load.sum(0))


def balance_losses(routings: Iterable[Routing]) -> dict[str, Tensor]:
    """``importance`` and ``load``, each summed over the mixtures; empty without any."""
    chosen = list(routings)
    if not chosen:
        return {}
    return {
        "importance": torch.stack([importance_loss(r.gates) for r in chosen]).sum(),
        "load": torch.stack([load_loss(r.load) for r in chosen]).sum(),
    }
