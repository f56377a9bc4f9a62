"""Networks whose parameters are spread over processes (FSDP), and whole tensors from them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


def shard(network: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Spread a network's parameters over all processes, in place, block by block.

    Args:
        network: its repeated blocks (members of every ``nn.ModuleList``) are gathered one at a time
            when they are needed.
        optimizer: holds parameters of the network; it holds the spread ones afterwards.
    """
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    for parameter in network.parameters():
        # FSDP cannot split tensors in channels-last memory.
        parameter.data = parameter.data.contiguous()
    for part in network.modules():
        if isinstance(part, nn.ModuleList):
            for block in part:
                if any(True for _ in block.parameters()):
                    fully_shard(block)
    fully_shard(network)
    if optimizer is not None:
        spread = dict(network.named_parameters())
        for group in optimizer.param_groups:
            group["params"] = [spread[names[id(p)]] for p in group["params"]]


def whole(tensor: Tensor) -> Tensor:
    """A tensor gathered from all processes; all of them must ask for it."""
    if isinstance(tensor, DTensor):
        gathered: Tensor = tensor.full_tensor()
        return gathered
    return tensor


def placed_like(value: Tensor, other: Tensor) -> Tensor:
    """A whole tensor spread as `other` is, if that is spread."""
    if isinstance(other, DTensor):
        return distribute_tensor(value.to(other.device), other.device_mesh, other.placements)
    return value


@torch.no_grad()
def fill_in_place(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy whole tensors into a network's own, spread or not."""
    for name, own in network.state_dict().items():
        own.copy_(placed_like(tensors[name], own))
