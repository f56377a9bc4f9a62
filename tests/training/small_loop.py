"""A training loop on a few random numbers, for the tests of what all loops share.

Run as a script it trains in a process of its own: ``small_loop.py OUT STEPS [OPTION=VALUE ...]``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn

from norface.models.checkpoint import Recipe
from norface.training.average import WeightAverage
from norface.training.batches import Part
from norface.training.config import RunConfig
from norface.training.optimizers import parameter_groups
from norface.training.run import Run

SAMPLES = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallConfig(RunConfig):
    """`poison`: the step whose batch holds a NaN. The variable PAUSE: seconds a step."""

    poison: int = -1


class Batch(NamedTuple):
    x: Tensor
    y: Tensor


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(6, 6) for _ in range(2))
        self.out = nn.Linear(6, 2)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = torch.tanh(block(x))
        out: Tensor = self.out(self.drop(x))
        return out


def make_batch(config: SmallConfig) -> Callable[[int, Part], Batch]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(SAMPLES, 6)).astype(np.float32)
    y = x[:, :2] * x[:, 2:4]

    def make(step: int, part: Part) -> Batch:
        order = np.random.default_rng((config.seed, step)).permutation(SAMPLES)
        chosen = part.of(order[: config.batch])
        inputs = x[chosen].copy()
        if step == config.poison:
            inputs[0] = np.nan
        return Batch(torch.from_numpy(inputs), torch.from_numpy(y[chosen]))

    return make


def train(
    config: SmallConfig, console: Console | None = None, *, dropout: bool = True
) -> Run[SmallConfig]:
    run = Run(config, checkpoint="net.safetensors", console=console)
    torch.manual_seed(config.seed)
    network = Net()
    network.drop.p = 0.1 if dropout else 0.0
    average = WeightAverage(network, config.average)
    groups = parameter_groups({"network": (network, config.learning_rate)}, config.weight_decay)
    run.begin(
        recipe=Recipe(kind="test"),
        networks={"network": network},
        averages={"network": average},
        optimizers={"network": torch.optim.AdamW(groups)},
        epoch_samples=SAMPLES,
    )
    for batch in run.batches(make_batch(run.config)):
        with run.autocast():
            out = run.wrapped["network"](batch.x)
        loss = (out.float() - batch.y).square().mean()
        run.descend("network", loss)
        run.end_step({"loss": loss}, samples=len(batch.x))
        if run.validation_due() or run.schedule.done:
            run.validated({"error": float(loss.detach())}, best=-float(loss.detach()))
        time.sleep(float(os.environ.get("PAUSE", "0")))
    run.finish()
    return run


def options(words: list[str]) -> dict[str, Any]:
    kinds = {"precision": str, "strategy": str}
    pairs = [word.split("=") for word in words]
    return {name: kinds.get(name, int)(value) for name, value in pairs}


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(
        SmallConfig(out=Path(sys.argv[1]), steps=int(sys.argv[2]), **options(sys.argv[3:])),
        Console(file=open(os.devnull, "w")),  # noqa: PTH123, SIM115
        dropout="WORLD_SIZE" not in os.environ,
    )
