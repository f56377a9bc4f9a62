"""A vision transformer (ViT) as encoder, in the layout of masked autoencoders (MAE).

Names and shapes of its parameters are those of the checkpoints of MAE (He et al., 2022) and
MAE-Face, so that these load as they are (`norface.models.published`). That F_nor's encoder is a
masked autoencoder is stated; that it is a ViT-B/16 is inferred.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from norface.models.encoder import Encoder
from norface.models.transformer import Blocks, attend

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Final = (0.229, 0.224, 0.225)
_EPSILON: Final = 1e-6


def sine_positions(*, width: int, side: int) -> Tensor:
    """Fixed positions on a square grid, for the class token (zeros) and every cell.

    A quarter of the width each: sine and cosine of the column, sine and cosine of the row.

    Returns:
        (1, 1 + side * side, width).

    Raises:
        ValueError: the width is no multiple of 4.
    """
    if width % 4:
        raise ValueError(f"the width must be a multiple of 4, not {width}")
    place = torch.arange(side, dtype=torch.float64)
    frequency = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    angle = place[:, None] * frequency
    line = torch.cat([angle.sin(), angle.cos()], dim=1)
    columns = line[None].expand(side, -1, -1)
    rows = line[:, None].expand(-1, side, -1)
    cells = torch.cat([columns, rows], dim=-1).flatten(0, 1)
    return torch.cat([torch.zeros_like(cells[:1]), cells]).float()[None]


class PatchEmbedding(nn.Module):
    """A linear map of each patch; its weight has the shape of a convolution, as published.

    Args:
        patch_size: P.
        width: D.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, *, patch_size: int, width: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.proj = nn.Conv2d(3, width, patch_size, patch_size)
        # Not saved: published checkpoints do not hold them.
        for name, value in (("mean", IMAGENET_MEAN), ("deviation", IMAGENET_DEVIATION)):
            self.register_buffer(name, torch.tensor(value)[:, None, None], persistent=False)

    def cut(self, image: Tensor) -> Tensor:
        """Normalize image (B, 3, S, S) in 0..1 and cut it into patches (B, L, 3 P P)."""
        x = (image - self.mean) / self.deviation
        p = self.patch_size
        x = torch.unflatten(torch.unflatten(x, 3, (-1, p)), 2, (-1, p))
        return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)

    def forward(self, patches: Tensor) -> Tensor:
        """Map patches (B, L, 3 P P) -> (B, L, D)."""
        # As a matrix product: the same as the convolution, and any choice of patches can be read.
        return F.linear(patches, self.proj.weight.flatten(1), self.proj.bias)


class SelfAttention(nn.Module):
    """Multi-head self-attention, one matrix for queries, keys and values."""

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} cannot be divided among {heads} heads")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, L, D) -> (B, L, D)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind()
        out: Tensor = self.proj(attend(q, k, v).transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, *, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, L, D) -> (B, L, D)."""
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class DropPath(nn.Module):
    """Adds a branch to x, in training for a random share of the samples only.

    The branch of the others is enlarged in turn, so that the expectation stays (Huang et al.,
    2016, "stochastic depth").

    Args:
        rate: share of the samples that go without, 0 or more and below 1.
    """

    def __init__(self, *, rate: float) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"the rate of drop path must lie in 0..1, 1 excluded, not {rate}")
        self.rate = rate

    def forward(self, x: Tensor, branch: Tensor) -> Tensor:
        """Map x, branch (B, L, D) -> (B, L, D)."""
        if not self.training or self.rate == 0:
            return x + branch
        keep = x.new_empty(len(x), 1, 1).bernoulli_(1 - self.rate).div_(1 - self.rate)
        return torch.addcmul(x, branch.to(x.dtype), keep)


class Block(nn.Module):
    """Pre-norm self-attention and feed-forward, each a residual that may be dropped."""

    def __init__(
        self, *, width: int, heads: int, mlp_ratio: float = 4.0, drop_path: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=_EPSILON)
        self.attn = SelfAttention(width=width, heads=heads)
        self.norm2 = nn.LayerNorm(width, eps=_EPSILON)
        self.mlp = FeedForward(width=width, hidden=int(width * mlp_ratio))
        self.add = DropPath(rate=drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, L, D) -> (B, L, D)."""
        x = self.add(x, self.attn(self.norm1(x)))
        out: Tensor = self.add(x, self.mlp(self.norm2(x)))
        return out


class VisionTransformer(Encoder):
    """ViT with a class token and fixed positions; reads images in 0..1, normalizes them itself.

    Args:
        image_size: S, a multiple of the patch size; larger images are averaged down to it.
        patch_size: P.
        width: D.
        depth: number of blocks.
        heads: of attention.
        mlp_ratio: hidden width of a block's feed-forward over D.
        drop_path: of the last block; it grows from 0 at the first by equal steps.
    """

    def __init__(
        self,
        *,
        image_size: int,
        patch_size: int = 16,
        width: int,
        depth: int,
        heads: int,
        mlp_ratio: float = 4.0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ValueError(f"image_size must be a multiple of {patch_size}, not {image_size}")
        self.image_size = image_size
        self.patch_size = patch_size
        self.width = width
        self.side = image_size // patch_size
        self.tokens = self.side**2
        self.patch_embed = PatchEmbedding(patch_size=patch_size, width=width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(
            sine_positions(width=width, side=self.side), requires_grad=False
        )
        rates = [drop_path * i / max(depth - 1, 1) for i in range(depth)]
        self.blocks = Blocks(
            Block(width=width, heads=heads, mlp_ratio=mlp_ratio, drop_path=rate) for rate in rates
        )
        self.norm = nn.LayerNorm(width, eps=_EPSILON)
        start_as_mae(self)
        nn.init.xavier_uniform_(self.patch_embed.proj.weight.view(width, -1))
        nn.init.normal_(self.cls_token, std=0.02)

    @property
    def checkpointing(self) -> bool:
        """Whether training computes the blocks again for their gradients, see `Blocks`."""
        return self.blocks.checkpointing

    @checkpointing.setter
    def checkpointing(self, on: bool) -> None:
        self.blocks.checkpointing = on

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S), RGB in 0..1 -> tokens (B, L, D), the class token left out."""
        x = self.patch_embed(self.patch_embed.cut(self.shrink(image))) + self.pos_embed[:, 1:]
        return self._encode(x)[:, 1:]

    def forward_visible(self, image: Tensor, keep: Tensor) -> Tensor:
        """Read some patches alone, as in pre-training.

        Args:
            image: (B, 3, S, S), RGB in 0..1.
            keep: (B, K) long, the patches that are seen.

        Returns:
            (B, 1 + K, D): the class token, then the tokens in the order of `keep`.
        """
        patches = self.patch_embed.cut(self.shrink(image))
        seen = patches.gather(1, keep[..., None].expand(-1, -1, patches.shape[-1]))
        return self._encode(self.patch_embed(seen) + self.pos_embed[0, 1:][keep])

    def _encode(self, x: Tensor) -> Tensor:
        """(B, L, D) with positions -> (B, 1 + L, D)."""
        start = self.cls_token + self.pos_embed[:, :1]
        # Not by len(x), which the exporter would take for a constant.
        x = torch.cat([start.expand_as(x[:, :1]), x], dim=1)
        out: Tensor = self.norm(self.blocks(x))
        return out


def start_as_mae(network: nn.Module) -> None:
    """Linear maps as MAE starts them: Xavier uniform weights, no bias."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
