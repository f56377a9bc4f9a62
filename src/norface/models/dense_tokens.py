"""Tokens that have read every place of an aligned face at once (ours, not the paper's).

In an aligned crop a place is a part of the face, so a plain linear map over all tokens, each with
weights of its own, learns which wrinkle at which place means what far sooner than attention does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DenseTokens(nn.Module):
    """All tokens, reduced and laid side by side, to one code and a few tokens.

    Args:
        inputs: number of tokens that are read.
        width: D.
        reduced: width of each token before they are laid side by side.
        hidden: C, width of the code.
        count: K, tokens made from the code.
        dropout: on the code.
    """

    def __init__(
        self,
        *,
        inputs: int,
        width: int,
        reduced: int,
        hidden: int,
        count: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.count = count
        self.width = width
        self.hidden = hidden
        self.reduce = nn.Linear(width, reduced)
        self.read = nn.Linear(inputs * reduced, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        self.write = nn.Linear(hidden, count * width)
        self.out = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Map tokens (B, inputs, D) -> code (B, C) and tokens (B, K, D)."""
        laid = self.reduce(tokens).flatten(1)
        code = self.dropout(torch.nn.functional.gelu(self.norm(self.read(laid))))
        return code, self.out(torch.unflatten(self.write(code), -1, (self.count, self.width)))
