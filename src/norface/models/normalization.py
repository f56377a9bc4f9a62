"""Normalization network F_nor: every face as one common identity, the expression kept."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from norface.facs import FACIAL_ACTIONS
from norface.models.decoder import Change, Decoder, apply_change
from norface.models.dense_tokens import DenseTokens
from norface.models.encoder import Encoder
from norface.models.expression_merging import ExpressionMerging
from norface.models.geometry_token import GeometryToken


class NormalizationOutput(NamedTuple):
    """Result of F_nor.

    Attributes:
        image: (B, 3, S, S), the normalized face; clamped to 0..1 in evaluation mode only, for a
            clamped pixel has no gradient.
        actions: (B, 52), logits of the facial actions, an auxiliary reading of the expression's
            code: that of the dense tokens, or the mean merged token.
        tokens: (B, L, D), tokens of the original.
        change: the flow and the residual behind the image.
    """

    image: Tensor
    actions: Tensor
    tokens: Tensor
    change: Change


class NormalizationNetwork(nn.Module):
    """F_nor(I_o, I_t): one encoder for both faces, the merging module, the decoder.

    Runs under bfloat16 autocast; flow, warping and the image stay in float32.

    Args:
        encoder: reads original and target.
        geometry: the geometry tokens; None to do without landmarks.
        dense: reads the original's tokens in place; None does without.
        merging: brings the expression onto the target's tokens.
        decoder: from those to the picture.
    """

    def __init__(
        self,
        *,
        encoder: Encoder,
        geometry: GeometryToken | None,
        dense: DenseTokens | None,
        merging: ExpressionMerging,
        decoder: Decoder,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.geometry = geometry
        self.dense = dense
        self.merging = merging
        self.decoder = decoder
        code = encoder.width if dense is None else dense.hidden
        self.actions = nn.Linear(code, len(FACIAL_ACTIONS))

    def forward(
        self, original: Tensor, geometry: Tensor | None, target: Tensor, target_index: Tensor
    ) -> NormalizationOutput:
        """Normalize faces onto several targets; each target is encoded once.

        Args:
            original: (B, 3, S, S) in 0..1, aligned crops, S the encoder's image size.
            geometry: (B, 478, 3), see `norface.faces.align.geometry`; None if the network has no
                geometry tokens.
            target: (T, 3, n S, n S) in 0..1, neutral target faces.
            target_index: (B,) long, the target of each original.
        """
        # One pass for both, as they share the encoder's batch statistics.
        tokens = self.encoder(torch.cat([self.shrink(original), self.shrink(target)]))
        own, other = tokens[: len(original)], tokens[len(original) :]
        code, merged = self.merge(own, geometry, other[target_index])
        details = [detail.index_select(0, target_index) for detail in self.decoder.detail(target)]
        change: Change = self.decoder(merged, code, details)
        image = apply_change(target.index_select(0, target_index), change)
        actions = self.actions(code).float()
        return NormalizationOutput(
            image if self.training else image.clamp(0.0, 1.0), actions, own, change
        )

    def merge(
        self, original: Tensor, geometry: Tensor | None, target: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The expression onto the target.

        Args:
            original: (B, L, D) tokens.
            geometry: (B, 478, 3), or None.
            target: (B, L, D) tokens.

        Returns:
            the code (B, C) of the expression, and the merged tokens (B, L, D).

        Raises:
            ValueError: the network has geometry tokens, but geometry is None.
        """
        seen = original
        if self.geometry is not None:
            if geometry is None:
                raise ValueError("this network needs the geometry input, but got None")
            seen = torch.cat([original, self.geometry(geometry)], dim=1)
        if self.dense is None:
            merged: Tensor = self.merging(seen, target)
            return merged.mean(1), merged
        code, dense = self.dense(seen)
        return code, self.merging(torch.cat([seen, dense], dim=1), target)

    def render(
        self, original: Tensor, geometry: Tensor | None, target: Tensor, target_image: Tensor
    ) -> Tensor:
        """The exported half, after the encoder, for one target.

        Args:
            original: (B, L, D) tokens of the originals.
            geometry: (B, 478, 3), or None if the network has no geometry tokens.
            target: (1, L, D) tokens of the target.
            target_image: (1, 3, S, S) in 0..1.

        Returns:
            (B, 3, S, S) in 0..1.
        """
        batch = original.shape[0]
        code, merged = self.merge(original, geometry, target.expand(batch, -1, -1))
        change = self.decoder(merged, code, self.decoder.detail(target_image))
        return apply_change(target_image.expand(batch, -1, -1, -1), change).clamp(0.0, 1.0)

    def freeze_reading(self) -> None:
        """Fix what reads the original (encoder, landmarks, dense tokens); the rest still learns."""
        for part in (self.encoder, self.geometry, self.dense, self.actions):
            if part is not None:
                part.requires_grad_(False)

    def shrink(self, image: Tensor) -> Tensor:
        """(N, 3, S, S) -> the encoder's input size, by averaging."""
        return self.encoder.shrink(image)
