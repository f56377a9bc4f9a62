"""Mixture of Experts (Shazeer et al., 2017), routed per face.

The gate has no noise: a face always gets the same result. All experts are computed and masked,
which at this size costs little and exports as a plain graph.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Routing(NamedTuple):
    """What the balancing losses need.

    Attributes:
        gates: (B, E), at most top k non-zero, each row sums to 1.
        load: (B, E), smooth probability that the expert is chosen.
    """

    gates: Tensor
    load: Tensor


class TopKGate(nn.Module):
    """Linear gate: softmax over the k largest of E logits, zero elsewhere.

    The number of faces an expert gets has no gradient, so `Routing.load` estimates it as Shazeer
    does: the probability that the expert's logit passes the k-th of the others under Gaussian
    noise, of the fixed deviation 1 / E (as in V-MoE, Riquelme et al., 2021), which is never drawn.
    """

    def __init__(self, *, width: int, experts: int, top_k: int) -> None:
        super().__init__()
        if not 1 <= top_k <= experts:
            raise ValueError(f"top_k must lie in 1..{experts}, not {top_k}")
        self.experts = experts
        self.top_k = top_k
        self.logits = nn.Linear(width, experts, bias=False)

    def forward(self, x: Tensor) -> Routing:
        """Map x (B, D) -> `Routing`, float32."""
        logits = self.logits(x).float()
        values, chosen = logits.topk(min(self.top_k + 1, self.experts), dim=-1)
        every = torch.arange(self.experts, device=x.device)
        inside = (chosen[:, : self.top_k, None] == every).any(1)
        gates = logits.masked_fill(~inside, float("-inf")).softmax(-1)
        if self.top_k == self.experts:
            return Routing(gates, torch.ones_like(gates))
        # The bar for an expert: the k-th largest of the other experts.
        bar = torch.where(inside, values[:, self.top_k, None], values[:, self.top_k - 1, None])
        return Routing(gates, torch.special.ndtr((logits - bar) * self.experts))


class ExpertMlps(nn.Module):
    """E separate MLPs, computed side by side."""

    def __init__(self, *, experts: int, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.weight1 = nn.Parameter(torch.empty(experts, inputs, hidden))
        self.bias1 = nn.Parameter(torch.zeros(experts, 1, hidden))
        self.weight2 = nn.Parameter(torch.empty(experts, hidden, outputs))
        self.bias2 = nn.Parameter(torch.zeros(experts, 1, outputs))
        nn.init.normal_(self.weight1, std=inputs**-0.5)
        nn.init.normal_(self.weight2, std=hidden**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, L, D) -> (B, E, L, D')."""
        # The first layer of all experts is one matrix product. Broadcasting x against the experts
        # would copy every expert's weights for every face.
        weight = self.weight1.transpose(1, 2).flatten(0, 1)
        hidden = nn.functional.gelu(nn.functional.linear(x, weight, self.bias1.flatten()))
        hidden = torch.unflatten(hidden, -1, (len(self.weight1), -1))
        hidden = hidden.permute(2, 0, 1, 3).flatten(1, 2)
        result = torch.baddbmm(self.bias2, hidden, self.weight2)
        # Not unflattened: the exporter would take the number of faces for a constant.
        return result.reshape(len(self.weight2), -1, x.shape[1], result.shape[-1]).transpose(0, 1)


class MixtureOfExperts(nn.Module):
    """Gate and experts: the gated sum of what the chosen experts say.

    The gate reads the mean token, so that all tokens of a face go to the same experts.
    """

    def __init__(self, *, gate: TopKGate, experts: nn.Module) -> None:
        super().__init__()
        self.gate = gate
        self.experts = experts

    def forward(self, x: Tensor) -> tuple[Tensor, Routing]:
        """Map x (B, L, D) -> (B, L, D') and the routing."""
        routing: Routing = self.gate(x.mean(1))
        results: Tensor = self.experts(x)
        weights = routing.gates.to(results.dtype)[:, :, None, None]
        return (results * weights).sum(1), routing


class PlainExpert(nn.Module):
    """Takes the place of a MoE in ablations: one expert, no gate."""

    def __init__(self, expert: nn.Module) -> None:
        super().__init__()
        self.expert = expert

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Map x (B, L, D) -> (B, L, D') and no routing."""
        return self.expert(x)[:, 0], None
