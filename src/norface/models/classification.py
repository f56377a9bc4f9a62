"""Classification network F_cla: action units or emotions from the original and normalized face."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from norface.facs import ACTION_UNITS, EMOTIONS, MAXIMUM_INTENSITY
from norface.models.dense_tokens import DenseTokens
from norface.models.encoder import Encoder
from norface.models.geometry_token import GeometryToken
from norface.models.moe import MixtureOfExperts, Routing
from norface.models.transformer import Attention, TransformerBlock


class ActionUnitOutput(NamedTuple):
    """Action units of B faces, A = len(facs.ACTION_UNITS).

    Attributes:
        intensity: (B, A, 3) in 0..5: whole, left, right.
        presence: (B, A), logits.
        routings: one per MoE, for the balancing losses.
    """

    intensity: Tensor
    presence: Tensor
    routings: tuple[Routing, ...]


class EmotionOutput(NamedTuple):
    """Emotions of B faces.

    Attributes:
        logits: (B, 8), over facs.EMOTIONS.
        routings: one per MoE, for the balancing losses.
    """

    logits: Tensor
    routings: tuple[Routing, ...]


class PlainExpert(nn.Module):
    """Takes the place of a MoE in ablations: one expert, no gate."""

    def __init__(self, expert: nn.Module) -> None:
        super().__init__()
        self.expert = expert

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Map x (B, L, D) -> (B, L, D') and no routing."""
        return self.expert(x)[:, 0], None


class NormalizedReader(Encoder):
    """A small convolutional encoder: enough for a face that is always the same person."""

    def __init__(self, *, width: int, image_size: int = 128) -> None:
        super().__init__()
        self.image_size = image_size
        self.width = width
        self.tokens = (image_size // 16) ** 2
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
            for inputs, outputs in ((3, 32), (32, 64), (64, 128))
        )
        self.projection = nn.Conv2d(128, width, 1)
        self.norm = nn.LayerNorm(width)
        self.position = nn.Parameter(torch.zeros(self.tokens, width))
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S), RGB in 0..1 -> tokens (B, L, D)."""
        x = F.avg_pool2d(image, 2) * 4.0 - 2.0
        for conv in self.convs:
            x = F.relu(conv(x))
        out: Tensor = self.norm(self.projection(x).flatten(2).transpose(1, 2)) + self.position
        return out


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


class ClassificationNetwork(nn.Module):
    """Tokens of both faces and of the landmarks -> Input MoE -> pooling -> Output MoE -> scores.

    Either reads cached tokens (no encoders given), or images by encoders of its own, which are then
    trained with it. With `use_original` or `use_normalized` off that input is ignored, for
    ablations; the call stays the same, and None may be passed.

    Args:
        width: D.
        encoder: reads the original image; None when `original` is tokens (B, L, D) already.
        normalized_encoder: the same for the normalized image.
        geometry: the geometry tokens; None to do without landmarks.
        dense: reads all tokens in place and adds its own; None does without.
        input_moe, pooling, output_moe: the parts; the output part yields (B, labels, outputs).
    """

    def __init__(
        self,
        *,
        width: int,
        encoder: Encoder | None,
        normalized_encoder: Encoder | None,
        geometry: GeometryToken | None,
        dense: DenseTokens | None,
        input_moe: MixtureOfExperts | PlainExpert,
        pooling: QueryPooling,
        output_moe: MixtureOfExperts | PlainExpert,
        use_original: bool = True,
        use_normalized: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not (use_original or use_normalized):
            raise ValueError("use_original and use_normalized cannot both be off")
        self.use_original = use_original
        self.use_normalized = use_normalized
        self.encoder = encoder if use_original else None
        self.normalized_encoder = normalized_encoder if use_normalized else None
        self.geometry = geometry
        self.dense = dense
        self.norms = nn.ModuleList(
            nn.LayerNorm(width) for _ in range(use_original + use_normalized)
        )
        self.kinds = nn.Parameter(torch.zeros(use_original + use_normalized, width))
        self.input_norm = nn.LayerNorm(width)
        self.input_moe = input_moe
        self.dropout = nn.Dropout(dropout)
        self.pooling = pooling
        self.output_moe = output_moe

    def scores(
        self, original: Tensor | None, normalized: Tensor | None, geometry: Tensor
    ) -> tuple[Tensor, tuple[Routing, ...]]:
        """Raw outputs (B, labels, outputs), float32, and the routings; arguments as `forward`."""
        parts = []
        if self.use_original:
            parts.append(_tokens("original", original, self.encoder))
        if self.use_normalized:
            parts.append(_tokens("normalized", normalized, self.normalized_encoder))
        tokens = [
            norm(part) + kind
            for norm, part, kind in zip(self.norms, parts, self.kinds, strict=True)
        ]
        if self.geometry is not None:
            tokens.append(self.geometry(geometry))
        x = torch.cat(tokens, dim=1)
        if self.dense is not None:
            x = torch.cat([x, self.dense(x)[1]], dim=1)
        refined, routing_in = self.input_moe(self.input_norm(x))
        x = self.dropout(self.pooling(x + refined))
        scores, routing_out = self.output_moe(x)
        routings = tuple(r for r in (routing_in, routing_out) if r is not None)
        return scores.float(), routings


class ActionUnitNetwork(ClassificationNetwork):
    """F_cla for action units; its pooling has one label per unit, its outputs are four."""

    def forward(
        self, original: Tensor | None, normalized: Tensor | None, geometry: Tensor
    ) -> ActionUnitOutput:
        """original, normalized (B, L, D) tokens, geometry (B, 478, 3) -> `ActionUnitOutput`."""
        scores, routings = self.scores(original, normalized, geometry)
        return ActionUnitOutput(
            MAXIMUM_INTENSITY * scores[..., :3].sigmoid(), scores[..., 3], routings
        )


class EmotionNetwork(ClassificationNetwork):
    """F_cla for emotions; its pooling has one label per emotion, its output is one."""

    def forward(
        self, original: Tensor | None, normalized: Tensor | None, geometry: Tensor
    ) -> EmotionOutput:
        """original, normalized (B, 3, S, S) in 0..1, geometry (B, 478, 3) -> `EmotionOutput`."""
        scores, routings = self.scores(original, normalized, geometry)
        return EmotionOutput(scores[..., 0], routings)


ACTION_UNIT_LABELS = len(ACTION_UNITS)
ACTION_UNIT_OUTPUTS = 4
EMOTION_LABELS = len(EMOTIONS)


def _tokens(name: str, value: Tensor | None, encoder: Encoder | None) -> Tensor:
    if value is None:
        raise ValueError(f"this network needs the {name} input, but got None")
    if encoder is None:
        return value
    tokens: Tensor = encoder(value)
    return tokens
