"""Attention and transformer blocks."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Scaled dot-product attention, (B or 1, heads, L, d) on (B, heads, M, d) -> (B, heads, L, d).

    On a CPU plain products: in bfloat16, backward included, they are five times as fast at a
    hundred tokens and three times as fast at 257 as PyTorch's fused kernel; in float32 both are
    alike. On the meta device as well, where matrix products are what can be counted.
    """
    if queries.device.type not in ("cpu", "meta"):
        # The fused kernels want as many faces in the queries; expanding copies nothing.
        queries = queries.expand(len(keys), -1, -1, -1)
        return F.scaled_dot_product_attention(queries, keys, values)
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    result: Tensor = scores.softmax(-1) @ values
    return result


class Attention(nn.Module):
    """Multi-head attention of queries on a context."""

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} cannot be divided among {heads} heads")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, context: Tensor) -> Tensor:
        """Map queries (B or 1, L, D), context (B, M, D) -> (B, L, D)."""
        q = self._split(self.query(queries))
        k, v = (self._split(x) for x in self.key_value(context).chunk(2, dim=-1))
        x = attend(q, k, v)
        out: Tensor = self.out(x.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        """(B, L, D) -> (B, heads, L, D / heads)."""
        return torch.unflatten(x, -1, (self.heads, -1)).transpose(1, 2)


class Mlp(nn.Sequential):
    """Linear, GELU, linear, on the last axis."""

    def __init__(self, *, width: int, hidden: int) -> None:
        super().__init__(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


class TransformerBlock(nn.Module):
    """Pre-norm self-attention and MLP, each with a residual."""

    def __init__(self, *, width: int, heads: int, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width=width, heads=heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width=width, hidden=int(width * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, L, D) -> (B, L, D)."""
        y = self.norm1(x)
        x = x + self.attention(y, y)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Blocks(nn.ModuleList):
    """Blocks one after another.

    Attributes:
        checkpointing: whether training keeps the input of each block only and computes the block
            again for its gradient: slower by about a third, with memory for one block at a time.
    """

    def __init__(self, blocks: Iterable[nn.Module]) -> None:
        super().__init__(blocks)
        self.checkpointing = False

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, L, D) -> (B, L, D)."""
        again = self.checkpointing and self.training and torch.is_grad_enabled()
        for block in self:
            x = checkpoint(block, x, use_reentrant=False) if again else block(x)
        return x
