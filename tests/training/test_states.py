"""States of a run: what is written is what goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from norface.models.checkpoint import CheckpointError
from norface.training import states


def _step(network: nn.Linear, optimizer: torch.optim.Optimizer, x: torch.Tensor) -> None:
    optimizer.zero_grad()
    network(x).square().sum().backward()
    optimizer.step()


def _training() -> tuple[nn.Linear, torch.optim.AdamW]:
    network = nn.Linear(3, 2)
    groups = [{"params": [network.weight]}, {"params": [network.bias], "weight_decay": 0.0}]
    return network, torch.optim.AdamW(groups, lr=0.1, betas=(0.8, 0.9))


def _save(
    out: Path, network: nn.Module, optimizer: torch.optim.Optimizer, values: dict[str, int]
) -> None:
    states.save_state(
        out,
        step=3,
        keep=1,
        modules={"net": network},
        optimizers={"opt": optimizer},
        values=values,
    )


def test_a_resumed_training_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    x = torch.randn(4, 3)
    network, optimizer = _training()
    for _ in range(3):
        _step(network, optimizer, x)
    _save(tmp_path, network, optimizer, {"step": 3})
    (path,) = states.state_files(tmp_path)
    other, second = _training()
    values = states.load_state(path, modules={"net": other}, optimizers={"opt": second})
    assert values == {"step": 3}
    for _ in range(3):
        _step(network, optimizer, x)
        _step(other, second, x)
    assert torch.equal(network.weight, other.weight)
    assert torch.equal(network.bias, other.bias)


def test_a_state_of_another_training_is_refused(tmp_path: Path) -> None:
    network, optimizer = _training()
    _step(network, optimizer, torch.randn(4, 3))
    _save(tmp_path, network, optimizer, {})
    (path,) = states.state_files(tmp_path)
    with pytest.raises(CheckpointError, match=r"lacks the state of the optimizer other"):
        states.load_state(path, modules={}, optimizers={"other": optimizer})
    with pytest.raises(CheckpointError, match=r"weight has shape \(2, 3\), not \(2, 5\)"):
        states.load_state(path, modules={"net": nn.Linear(5, 2)}, optimizers={})
    single = torch.optim.AdamW(network.parameters())
    with pytest.raises(CheckpointError, match=r"does not fit the optimizer opt"):
        states.load_state(path, modules={}, optimizers={"opt": single})
