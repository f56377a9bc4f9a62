"""Expression Merging Module (EMM): the expression of the original onto the target face.

After FlowFace, as the paper's team does (inferred): cross-attention with queries from the target
and keys and values from the original, a residual onto the target, then transformer blocks.
"""

from __future__ import annotations

from torch import Tensor, nn

from norface.models.transformer import Attention, Blocks, TransformerBlock


class ExpressionMerging(nn.Module):
    """Merges the tokens of an original (and what else is known of it) into target tokens."""

    def __init__(self, *, width: int, heads: int, blocks: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norm_target = nn.LayerNorm(width)
        self.norm_original = nn.LayerNorm(width)
        self.attention = Attention(width=width, heads=heads)
        self.blocks = Blocks(
            TransformerBlock(width=width, heads=heads, mlp_ratio=mlp_ratio) for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, original: Tensor, target: Tensor) -> Tensor:
        """Map original (B, L', D), target (B, L, D) -> merged (B, L, D)."""
        x = target + self.attention(self.norm_target(target), self.norm_original(original))
        out: Tensor = self.norm(self.blocks(x))
        return out
