"""Attention and transformer blocks on `scaled_dot_product_attention`."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


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
        """queries (B or 1, L, D), context (B, M, D) -> (B, L, D)."""
        q = self._split(self.query(queries))
        k, v = (self._split(x) for x in self.key_value(context).chunk(2, dim=-1))
        x = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out(x.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        """(B, L, D) -> (B, heads, L, D / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


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
        """x (B, L, D) -> (B, L, D)."""
        y = self.norm1(x)
        x = x + self.attention(y, y)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out
