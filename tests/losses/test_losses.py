"""Every loss against cases worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from norface.losses.action_units import intensity_loss, presence_loss, present_share
from norface.losses.actions import masked_action_loss
from norface.losses.balance import importance_loss, load_loss
from norface.losses.emotion import emotion_loss
from norface.losses.flow import flow_roughness
from norface.losses.pixels import edge_l1, weighted_l1

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


def test_intensity() -> None:
    intensity = torch.tensor([[[3.0, 0.2, 1.0]]], requires_grad=True)
    truth = torch.tensor([[[1.0, 0.0, NAN]]])
    # 2 is linear: 2 - 0.25; 0.2 is quadratic: 0.04 / (2 x 0.5).
    loss = intensity_loss(intensity, truth, beta=0.5)
    assert float(loss.detach()) == pytest.approx((1.75 + 0.04) / 2)
    loss.backward()  # type: ignore[no-untyped-call]
    assert intensity.grad is not None
    torch.testing.assert_close(intensity.grad, torch.tensor([[[0.5, 0.2, 0.0]]]))
    assert float(intensity_loss(intensity.detach(), torch.full((1, 1, 3), NAN))) == 0.0


def test_presence() -> None:
    logits = torch.zeros(3, 2)
    # Intensity 2 is present, 1.9 is not, NaN does not count.
    truth = torch.tensor([[2.0, 1.9], [NAN, 0.0], [5.0, NAN]])
    assert float(presence_loss(logits, truth)) == pytest.approx(math.log(2))
    weighted = presence_loss(logits, truth, positive_weight=torch.tensor([3.0, 9.0]))
    assert float(weighted) == pytest.approx(math.log(2) * (3 + 1 + 1 + 3) / 4)
    right = torch.tensor([[9.0, -9.0], [0.0, -9.0], [9.0, 0.0]])
    assert float(presence_loss(right, truth)) < 1e-3
    assert float(presence_loss(logits, torch.full((3, 2), NAN))) == 0.0


def test_share_of_present() -> None:
    truth = torch.tensor([[2.0, NAN, 0.0], [0.0, NAN, NAN]])
    torch.testing.assert_close(present_share(truth), torch.tensor([0.5, NAN, 0.0]), equal_nan=True)


def test_emotion() -> None:
    logits = torch.zeros(3, 8)
    labels = torch.tensor([0, -1, 4])
    assert float(emotion_loss(logits, labels)) == pytest.approx(math.log(8))
    assert float(emotion_loss(logits, torch.full((3,), -1))) == 0.0
    sure = torch.zeros(1, 8)
    sure[0, 2] = 50.0
    assert float(emotion_loss(sure, torch.tensor([2]))) == pytest.approx(0.0, abs=1e-6)
    assert float(emotion_loss(sure, torch.tensor([2]), smoothing=0.1)) > 1.0
