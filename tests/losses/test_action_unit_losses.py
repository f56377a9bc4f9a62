"""Presence, intensity and agreement of action units, against hand-made cases and other formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import Tensor
from torch.nn import functional as F

from norface.losses.intensity import agreement_loss, intensity_loss
from norface.losses.presence import asymmetric_presence_loss, presence_loss, presence_of

NAN = math.nan


def gradient(loss: Tensor, of: Tensor) -> Tensor:
    (out,) = torch.autograd.grad(loss, of)
    return out


def test_presence_of_intensity() -> None:
    intensity = torch.tensor([[2.0, 1.9, NAN, 5.0, 0.0]])
    assert presence_of(intensity).tolist() == [[1, 0, -1, 1, 0]]


def test_presence() -> None:
    logits = torch.zeros(3, 2)
    present = torch.tensor([[1, 0], [-1, 0], [1, -1]])
    assert float(presence_loss(logits, present)) == pytest.approx(math.log(2))
    weighted = presence_loss(logits, present, positive_weight=torch.tensor([3.0, 9.0]))
    assert float(weighted) == pytest.approx(math.log(2) * (3 + 1 + 1 + 3) / 4)


def test_presence_is_sklearns_log_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, generator=generator)
    present = torch.randint(0, 2, (40,), generator=generator)
    expected = log_loss(present.numpy(), logits.double().sigmoid().numpy())
    assert float(presence_loss(logits, present)) == pytest.approx(expected, rel=1e-5)


def test_asymmetric_by_hand() -> None:
    # Probabilities 0.8 and 0.3, both as present and as absent.
    logits = torch.tensor([[0.8, 0.3, 0.8, 0.3]]).logit()
    present = torch.tensor([[1, 1, 0, 0]])
    by_hand = (
        -(0.2**1) * math.log(0.8)
        - (0.7**1) * math.log(0.3)
        - (0.7**2) * math.log(1 - 0.7)
        - (0.2**2) * math.log(1 - 0.2)
    ) / 4
    loss = asymmetric_presence_loss(
        logits, present, gamma_positive=1.0, gamma_negative=2.0, margin=0.1
    )
    assert float(loss) == pytest.approx(by_hand, rel=1e-5)


def test_asymmetric_without_asymmetry_is_the_cross_entropy() -> None:
    logits = torch.tensor([[-40.0, -2.0, 0.5, 40.0]]).repeat(2, 1)
    present = torch.tensor([[0, 1, 0, 1], [1, 0, 1, 0]])
    loss = asymmetric_presence_loss(
        logits, present, gamma_positive=0.0, gamma_negative=0.0, margin=0.0
    )
    expected = F.binary_cross_entropy_with_logits(logits, present.float())
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)


def test_asymmetric_leaves_the_easy_absent_alone() -> None:
    # Probability 0.04 lies below the margin of 0.05.
    logits = torch.tensor([[0.04, 0.06]]).logit().requires_grad_()
    slope = gradient(asymmetric_presence_loss(logits, torch.tensor([[0, 0]])), logits)
    assert slope[0, 0] == 0.0
    assert slope[0, 1] > 0.0


@pytest.mark.parametrize("extreme", [-200.0, 200.0])
def test_asymmetric_is_finite(extreme: float) -> None:
    logits = torch.full((2, 2), extreme, requires_grad=True)
    for gamma in (0.0, 1.0, 4.0):
        for margin in (0.0, 0.05):
            loss = asymmetric_presence_loss(
                logits,
                torch.tensor([[0, 1], [-1, 0]]),
                gamma_positive=gamma,
                gamma_negative=gamma,
                margin=margin,
            )
            assert loss.isfinite()
            assert gradient(loss, logits).isfinite().all()


def test_intensity() -> None:
    read = torch.tensor([[[3.0, 0.2, 1.0]]], requires_grad=True)
    truth = torch.tensor([[[1.0, 0.0, NAN]]])
    loss = intensity_loss(read, truth)
    assert float(loss.detach()) == pytest.approx((4.0 + 0.04) / 2)
    torch.testing.assert_close(gradient(loss, read), torch.tensor([[[2.0, 0.2, 0.0]]]))


def test_agreement_by_hand_and_by_numpy() -> None:
    # Twice the truth: covariance 1, variances 1/2 and 2, means 1 and 2.
    truth = torch.tensor([[0.0], [1.0], [1.0], [2.0]])
    assert float(agreement_loss(2 * truth, truth)) == pytest.approx(
        1 - 2 * 1.0 / (0.5 + 2.0 + 1.0), abs=1e-3
    )
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 5, (2, 50))
    expected = 2 * np.cov(x, y, bias=True)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    loss = agreement_loss(torch.from_numpy(x)[:, None], torch.from_numpy(y)[:, None])
    assert float(loss) == pytest.approx(1 - expected, abs=1e-3)


def test_agreement_extremes() -> None:
    truth = torch.rand(32, 5, generator=torch.Generator().manual_seed(0)) * 5
    assert float(agreement_loss(truth, truth)) == pytest.approx(0.0, abs=1e-2)
    assert float(agreement_loss(truth * 0 + 2.5, truth)) == pytest.approx(1.0, abs=1e-2)
    # A unit that does not vary says nothing.
    still = torch.cat([truth[:, :1], torch.zeros(32, 1)], 1)
    assert float(agreement_loss(still + 1.0, still)) == pytest.approx(
        float(agreement_loss(truth[:, :1] + 1.0, truth[:, :1]))
    )


def test_nothing_known_costs_nothing() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    unknown = torch.full((3, 4), -1)
    for loss in (presence_loss(logits, unknown), asymmetric_presence_loss(logits, unknown)):
        assert float(loss.detach()) == 0.0
        assert (gradient(loss, logits) == 0).all()
    read = torch.rand(3, 4, 3, requires_grad=True)
    missing = torch.full((3, 4, 3), NAN)
    for loss in (intensity_loss(read, missing), agreement_loss(read[..., 0], missing[..., 0])):
        assert float(loss.detach()) == 0.0
        assert (gradient(loss, read) == 0).all()


def test_the_unknown_does_not_count() -> None:
    """A unit that is unknown for some faces gets the loss of the others alone."""
    read = torch.rand(6, 1) * 5
    truth = torch.rand(6, 1) * 5
    truth[4:] = NAN
    assert float(agreement_loss(read, truth)) == pytest.approx(
        float(agreement_loss(read[:4], truth[:4]))
    )
    present = presence_of(truth)
    for loss in (presence_loss, asymmetric_presence_loss):
        assert float(loss(read, present)) == pytest.approx(float(loss(read[:4], present[:4])))
