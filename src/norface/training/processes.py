"""One process or several: who writes, who computes which part, and what all of them agree on."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from norface.training.config import RunConfig
from norface.training.sharding import shard


class Processes:
    """The processes of a run, as ``torchrun`` started them, or this one alone.

    Args:
        config: says how they share the work.

    Attributes:
        device: of this process.
        main: whether this process is the one that writes.
        rank: number of this process.
        world: how many there are.
        sharded: whether each holds a part of the networks only (FSDP).
    """

    def __init__(self, config: RunConfig) -> None:
        # Without the hint processes without a GPU would not find each other, and all would write.
        self._accelerator = Accelerator(cpu=not torch.cuda.is_available())
        self.device: torch.device = self._accelerator.device
        self.main: bool = self._accelerator.is_main_process
        self.rank: int = self._accelerator.process_index
        self.world: int = self._accelerator.num_processes
        parts = config.accumulate * self.world
        if config.batch % parts:
            raise ValueError(
                f"batch {config.batch} must be a multiple of accumulate {config.accumulate} times "
                f"the {self.world} processes"
            )
        self.sharded = self.world > 1 and (
            config.strategy == "fsdp" or (config.strategy == "auto" and config.preset == "large")
        )

    def wrap(
        self, network: nn.Module, optimizer: torch.optim.Optimizer | None, *, compiled: bool
    ) -> nn.Module:
        """What to call in training: the network, compiled if asked, shared by all processes."""
        if self.sharded:
            shard(network, optimizer)
        wrapped = cast(nn.Module, torch.compile(network)) if compiled else network
        if self.world > 1 and not self.sharded:
            on = [self.device.index] if self.device.type == "cuda" else None
            wrapped = nn.parallel.DistributedDataParallel(
                wrapped, device_ids=on, find_unused_parameters=True
            )
        return wrapped

    def quiet(self, wrapped: nn.Module) -> AbstractContextManager[Any]:
        """A backward pass whose gradients are not exchanged yet."""
        if isinstance(wrapped, nn.parallel.DistributedDataParallel):
            return wrapped.no_sync()
        return nullcontext()

    def agree(self, asked: bool, seconds: float) -> tuple[bool, float]:
        """Whether any process says yes, and the first one's clock."""
        if self.world == 1:
            return asked, seconds
        said = torch.tensor(
            [float(asked), seconds if self.main else 0.0], device=self.device, dtype=torch.float64
        )
        shared: Tensor = self._accelerator.reduce(said)
        return bool(shared[0] > 0), float(shared[1])

    def wait(self) -> None:
        """Until all processes are here."""
        self._accelerator.wait_for_everyone()
