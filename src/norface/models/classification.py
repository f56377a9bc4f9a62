"""Classification network F_cla: action units and emotions from the original and normalized face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from norface.facs import ACTION_UNIT_NAMES, MAXIMUM_INTENSITY
from norface.models.dense_tokens import DenseTokens
from norface.models.encoder import Encoder
from norface.models.geometry_token import GeometryToken
from norface.models.label_head import LabelHead
from norface.models.moe import MixtureOfExperts, PlainExpert, Routing


class ClassificationOutput(NamedTuple):
    """What F_cla says of B faces and A units; None for a head that is not there.

    Attributes:
        intensity: (B, A, 3) in 0..5: whole, left, right.
        presence: (B, A), logits.
        emotion: (B, 8), logits over facs.EMOTIONS.
        routings: of the Input MoE (``"input"``) and of each head's Output MoE, by the head's name;
            for the balancing losses.
    """

    intensity: Tensor | None
    presence: Tensor | None
    emotion: Tensor | None
    routings: dict[str, Routing]


class ClassificationNetwork(nn.Module):
    """Tokens of both faces (and of the landmarks) -> Input MoE -> one head per kind of label.

    Either reads cached tokens (no encoders given), or images by encoders of its own, which are then
    trained with it. With `use_original` or `use_normalized` off that input is ignored, for
    ablations; the call stays the same, and None may be passed.

    Args:
        width: D.
        encoder: reads the original image, and the normalized one too unless that has an encoder of
            its own; None when `original` and `normalized` are tokens (B, L, D) already.
        normalized_encoder: reads the normalized image.
        geometry: the geometry tokens; None to do without landmarks.
        dense: reads all tokens in place and adds its own; None does without.
        input_moe: refines the tokens; shared by the heads.
        action_units: head with a label for each unit and four outputs: three intensities, presence.
        emotions: head with a label for each emotion and one output.
        units: names of the first head's labels.

    Raises:
        ValueError: no input or no head is left.
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
        action_units: LabelHead | None,
        emotions: LabelHead | None,
        units: Sequence[str] = ACTION_UNIT_NAMES,
        use_original: bool = True,
        use_normalized: bool = True,
    ) -> None:
        super().__init__()
        if not (use_original or use_normalized):
            raise ValueError("use_original and use_normalized cannot both be off")
        if action_units is None and emotions is None:
            raise ValueError("a classification network needs at least one head")
        self.use_original = use_original
        self.use_normalized = use_normalized
        self.encoder = encoder
        self.normalized_encoder = normalized_encoder
        self.geometry = geometry
        self.dense = dense
        self.norms = nn.ModuleList(
            nn.LayerNorm(width) for _ in range(use_original + use_normalized)
        )
        self.kinds = nn.Parameter(torch.zeros(use_original + use_normalized, width))
        self.input_norm = nn.LayerNorm(width)
        self.input_moe = input_moe
        self.action_units = action_units
        self.units = tuple(units) if action_units is not None else ()
        self.emotions = emotions

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads: ``"action_units"``, ``"emotions"`` or both."""
        heads = {"action_units": self.action_units, "emotions": self.emotions}
        return tuple(name for name, head in heads.items() if head is not None)

    def forward(
        self, original: Tensor | None, normalized: Tensor | None, geometry: Tensor | None
    ) -> ClassificationOutput:
        """Read faces.

        Args:
            original: (B, L, D) tokens, or (B, 3, S, S) in 0..1 when there is an encoder for them.
            normalized: likewise.
            geometry: (B, 478, 3); None if the network has no geometry tokens.

        Raises:
            ValueError: an input that the network needs is None.
        """
        refined, routing = self.refine(self.read(original, normalized), geometry)
        routings = {} if routing is None else {"input": routing}
        intensity = presence = emotion = None
        if self.action_units is not None:
            scores, routing = self.action_units(refined)
            intensity = MAXIMUM_INTENSITY * scores[..., :3].sigmoid()
            presence = scores[..., 3]
            if routing is not None:
                routings["action_units"] = routing
        if self.emotions is not None:
            scores, routing = self.emotions(refined)
            emotion = scores[..., 0]
            if routing is not None:
                routings["emotions"] = routing
        return ClassificationOutput(intensity, presence, emotion, routings)

    def read(self, original: Tensor | None, normalized: Tensor | None) -> list[Tensor]:
        """Tokens (B, L, D) of each input that is used; arguments as `forward`."""
        inputs = []
        if self.use_original:
            inputs.append(_given("original", original))
        if self.use_normalized:
            inputs.append(_given("normalized", normalized))
        if self.encoder is not None and self.normalized_encoder is None:
            # One pass for both faces.
            images = [self.encoder.shrink(image) for image in inputs]
            tokens = self.encoder(torch.cat(images))
            # Not unflattened: the exporter would take the number of faces for a constant.
            return list(tokens.reshape(len(images), -1, *tokens.shape[1:]).unbind())
        encoders = [self.encoder] * self.use_original
        encoders += [self.normalized_encoder] * self.use_normalized
        return [
            x if encoder is None else encoder(x)
            for x, encoder in zip(inputs, encoders, strict=True)
        ]

    def refine(self, faces: list[Tensor], geometry: Tensor | None) -> tuple[Tensor, Routing | None]:
        """Lay the tokens (B, L, D) of the faces one behind another and refine them.

        Returns:
            (B, L', D), and the routing of the Input MoE.
        """
        tokens = [
            norm(part) + kind
            for norm, part, kind in zip(self.norms, faces, self.kinds, strict=True)
        ]
        if self.geometry is not None:
            tokens.append(self.geometry(_given("geometry", geometry)))
        x = torch.cat(tokens, dim=1)
        if self.dense is not None:
            x = torch.cat([x, self.dense(x)[1]], dim=1)
        refined, routing = self.input_moe(self.input_norm(x))
        return x + refined, routing


def _given(name: str, value: Tensor | None) -> Tensor:
    if value is None:
        raise ValueError(f"this network needs the {name} input, but got None")
    return value
