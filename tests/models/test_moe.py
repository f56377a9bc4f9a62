from __future__ import annotations

import pytest
import torch
from torch import nn

from norface.models.label_head import LabelReadout
from norface.models.moe import ExpertMlps, MixtureOfExperts, TopKGate


def _moe(experts: int, top_k: int) -> MixtureOfExperts:
    return MixtureOfExperts(
        gate=TopKGate(width=8, experts=experts, top_k=top_k),
        experts=ExpertMlps(experts=experts, inputs=8, hidden=12, outputs=6),
    )


def test_one_expert_is_that_expert() -> None:
    moe, x = _moe(1, 1), torch.randn(5, 7, 8)
    result, routing = moe(x)
    torch.testing.assert_close(result, moe.experts(x)[:, 0])
    assert torch.equal(routing.gates, torch.ones(5, 1))


@pytest.mark.parametrize("top_k", [1, 2, 3, 4])
def test_gates_sum_to_one_and_only_the_top_are_open(top_k: int) -> None:
    gate, x = TopKGate(width=8, experts=4, top_k=top_k), torch.randn(64, 8)
    gates = gate(x).gates
    torch.testing.assert_close(gates.sum(-1), torch.ones(64))
    assert ((gates > 0).sum(-1) == top_k).all()
    largest = gate.logits(x).topk(top_k).indices
    assert (gates.gather(1, largest) > 0).all()


def test_equal_logits_still_open_only_k() -> None:
    gate = TopKGate(width=8, experts=4, top_k=2)
    nn.init.zeros_(gate.logits.weight)
    assert ((gate(torch.randn(3, 8)).gates > 0).sum(-1) == 2).all()


def test_mixture_equals_a_plain_loop_over_faces() -> None:
    moe, x = _moe(4, 2), torch.randn(5, 7, 8)
    experts = moe.experts
    assert isinstance(experts, ExpertMlps)
    wanted = []
    for face in x:
        logits = moe.gate.logits(face.mean(0)).detach()
        best = sorted(range(4), key=lambda e: -float(logits[e]))[:2]
        weights = torch.stack([logits[e] for e in best]).softmax(0)
        total = torch.zeros(7, 6)
        for weight, e in zip(weights, best, strict=True):
            hidden = nn.functional.gelu(face @ experts.weight1[e] + experts.bias1[e])
            total = total + weight * (hidden @ experts.weight2[e] + experts.bias2[e])
        wanted.append(total)
    torch.testing.assert_close(moe(x)[0], torch.stack(wanted), atol=1e-5, rtol=1e-5)


def test_label_readout_equals_a_plain_loop() -> None:
    readout, x = LabelReadout(experts=3, labels=4, width=8, outputs=2), torch.randn(5, 4, 8)
    nn.init.normal_(readout.bias)
    wanted = torch.stack(
        [
            torch.stack([x[:, i] @ readout.weight[e, i] + readout.bias[e, i] for i in range(4)], 1)
            for e in range(3)
        ],
        1,
    )
    torch.testing.assert_close(readout(x), wanted, atol=1e-5, rtol=1e-5)


def test_load_is_the_chance_under_noise() -> None:
    """Against drawing the noise of deviation 1 / E on each logit in turn."""
    gate = TopKGate(width=3, experts=3, top_k=2)
    with torch.no_grad():
        gate.logits.weight.copy_(torch.eye(3))
    logits = torch.tensor([[0.3, 0.1, -0.2]])
    load = gate(logits).load[0].detach()
    for e in range(3):
        others = sorted((float(logits[0, i]) for i in range(3) if i != e), reverse=True)
        noisy = logits[0, e] + torch.randn(200_000) / 3
        drawn = (noisy > others[1]).float().mean()
        assert abs(float(load[e] - drawn)) < 0.005
    assert (load[:2] > 0.5).all()
    assert load[2] < 0.5


def test_load_without_choice_is_one() -> None:
    assert (TopKGate(width=8, experts=4, top_k=4)(torch.randn(3, 8)).load == 1).all()


@pytest.mark.parametrize("top_k", [0, 5])
def test_top_k_is_checked(top_k: int) -> None:
    with pytest.raises(ValueError, match="top_k must lie in"):
        TopKGate(width=8, experts=4, top_k=top_k)
