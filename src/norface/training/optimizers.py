"""Groups of parameters for AdamW."""

from __future__ import annotations

from typing import Any

from torch import nn


def parameter_groups(
    parts: dict[str, tuple[nn.Module, float]], weight_decay: float
) -> list[dict[str, Any]]:
    """Groups of AdamW; vectors (biases, norms) do not decay, frozen parameters are left out.

    Args:
        parts: name -> (module, learning rate); a parameter belongs to the first that has it.
        weight_decay: of the rest.
    """
    seen: set[int] = set()
    groups = []
    for module, rate in parts.values():
        matrices: list[nn.Parameter] = []
        vectors: list[nn.Parameter] = []
        for parameter in module.parameters():
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                (matrices if parameter.ndim > 1 else vectors).append(parameter)
        for members, decay in ((matrices, weight_decay), (vectors, 0.0)):
            if members:
                groups.append({"params": members, "weight_decay": decay, "lr": rate, "peak": rate})
    return groups
