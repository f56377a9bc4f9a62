"""A head of F_cla: a place for every label, refined among the labels, then its scores.

Stated is the Output MoE, which refines the multi-label output; how the labels are pooled from the
tokens and what an expert looks like is ours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from norface.models.moe import MixtureOfExperts, PlainExpert, Routing
from norface.models.transformer import Attention, TransformerBlock


class QueryPooling(nn.Module):
    """Attention pooling: a learned query for each label, then one block among the labels."""

    def __init__(self, *, labels: int, width: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.zeros(labels, width))
        nn.init.trunc_normal_(self.queries, std=0.5)
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width=width, heads=heads)
        self.block = TransformerBlock(width=width, heads=heads, mlp_ratio=mlp_ratio)
        self.out = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, L, D) -> (B, labels, D)."""
        queries = self.queries[None]  # the same for every face
        x = queries + self.attention(queries, self.norm(x))
        out: Tensor = self.out(self.block(x))
        return out


class LabelReadout(nn.Module):
    """E linear read-outs with weights of their own for every label."""

    def __init__(self, *, experts: int, labels: int, width: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(experts, labels, width, outputs))
        self.bias = nn.Parameter(torch.zeros(experts, labels, outputs))
        nn.init.normal_(self.weight, std=width**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, labels, D) -> (B, E, labels, outputs)."""
        out: Tensor = torch.einsum("bld,eldo->belo", x, self.weight.to(x.dtype)) + self.bias
        return out


class LabelHead(nn.Module):
    """Pooling and Output MoE of one kind of label.

    Args:
        pooling: from tokens to one vector for each label.
        output_moe: from those to (B, labels, outputs).
        dropout: between the two.
    """

    def __init__(
        self,
        *,
        pooling: QueryPooling,
        output_moe: MixtureOfExperts | PlainExpert,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.output_moe = output_moe

    def forward(self, x: Tensor) -> tuple[Tensor, Routing | None]:
        """Map x (B, L, D) -> scores (B, labels, outputs), float32, and the routing, if any."""
        scores, routing = self.output_moe(self.dropout(self.pooling(x)))
        return scores.float(), routing
