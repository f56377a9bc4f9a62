"""Every loss against cases worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from norface.losses.actions import masked_action_loss
from norface.losses.balance import balance_losses, importance_loss, load_loss
from norface.losses.flow import flow_roughness
from norface.losses.pixels import edge_l1, weighted_l1
from norface.models.moe import Routing

NAN = math.nan


def test_importance() -> None:
    # Sums 3 and 1: mean 2, variance 1, so 1 / 4.
    gates = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert float(importance_loss(gates)) == pytest.approx(0.25)
    assert float(importance_loss(torch.full((4, 2), 0.5))) == pytest.approx(0.0)


def test_load() -> None:
    # Sums 2.0, 1.0, 0.6, 0.4: mean 1, variance (1 + 0 + 0.16 + 0.36) / 4 = 0.38.
    load = torch.tensor([[1.0, 0.5, 0.5, 0.0], [1.0, 0.5, 0.1, 0.4]])
    assert float(load_loss(load)) == pytest.approx(0.38)


def test_balance_is_summed_over_the_mixtures() -> None:
    gates = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    load = torch.tensor([[1.0, 0.5], [1.0, 0.5]])
    # Importance 0.25 and 0.25; load of sums 3, 1 (0.25) and 2, 1: mean 1.5, variance 0.25.
    losses = balance_losses([Routing(gates, gates), Routing(gates, load)])
    assert float(losses["importance"]) == pytest.approx(0.5)
    assert float(losses["load"]) == pytest.approx(0.25 + 0.25 / 2.25)
    assert balance_losses([]) == {}


def test_balance_of_one_expert_or_none_is_zero() -> None:
    assert float(importance_loss(torch.ones(4, 1))) == 0.0
    assert float(importance_loss(torch.zeros(4, 2))) == 0.0


def test_balance_pushes_towards_the_neglected_expert() -> None:
    gates = torch.tensor([[0.9, 0.1], [0.8, 0.2]], requires_grad=True)
    importance_loss(gates).backward()  # type: ignore[no-untyped-call]
    assert gates.grad is not None
    assert (gates.grad[:, 0] > 0).all()
    assert (gates.grad[:, 1] < 0).all()


def test_pixels() -> None:
    image, truth = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    image[:, :, 0, 0] = 0.4
    weight = torch.tensor([[2.0, 1.0], [1.0, 0.0]])[None, None]
    # 3 of 12 values are off by 0.4 and count twice.
    assert float(weighted_l1(image, truth, weight)) == pytest.approx(0.2)
    # Each row and column pair: 1 of 2 differs by 0.4, weighted by its second pixel (1 and 1).
    assert float(edge_l1(image, truth, weight)) == pytest.approx(0.2 + 0.2)
    assert float(edge_l1(image + 0.3, truth + 0.1, weight)) == pytest.approx(0.4)


def test_flow() -> None:
    assert float(flow_roughness(torch.full((2, 2, 4, 4), 0.1))) == pytest.approx(0.0, abs=1e-8)
    ramp = torch.linspace(0, 0.3, 4).expand(1, 2, 4, 4)
    assert float(flow_roughness(ramp)) == pytest.approx(0.1)


def test_actions() -> None:
    logits = torch.tensor([[0.0, 5.0], [0.0, 5.0]], requires_grad=True)
    actions = torch.tensor([[1.0, NAN], [0.5, NAN]])
    loss = masked_action_loss(logits, actions, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    assert float(loss.detach()) == pytest.approx(math.log(2))
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.tensor([[-0.25, 0.0], [0.0, 0.0]]))
    assert float(masked_action_loss(logits.detach(), actions, torch.zeros(2, 2))) == 0.0
