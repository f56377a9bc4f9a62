"""All sizes, as named functions.

`tiny` is the embedded default, `test` is for the test suite. Every builder returns a fresh network
in training mode; encoders start from ImageNet weights unless `pretrained` is off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from norface.facs import ACTION_UNITS, EMOTIONS
from norface.models.classification import ClassificationNetwork
from norface.models.decoder import Decoder
from norface.models.dense_tokens import DenseTokens
from norface.models.encoder import ConvolutionalEncoder, EfficientNetLite0, stride_after
from norface.models.expression_merging import ExpressionMerging
from norface.models.geometry_token import GeometryToken
from norface.models.label_head import LabelHead, LabelReadout, QueryPooling
from norface.models.moe import ExpertMlps, MixtureOfExperts, PlainExpert, TopKGate
from norface.models.normalization import NormalizationNetwork
from norface.models.normalized_reader import NormalizedReader

IMAGE_SIZE: Final = 128
EXPERTS: Final = 4
TOP_K: Final = 2
HEADS: Final = {"action_units": (len(ACTION_UNITS), 4), "emotions": (len(EMOTIONS), 1)}
"""Number of labels of each head of F_cla, and outputs for each label."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Sizes of all networks.

    Attributes:
        width: D, width of a token.
        heads: attention heads.
        mlp_ratio: hidden width of a block's MLP over D.
        blocks: EfficientNet-Lite0 blocks of the shared encoder (11: 16 pixels a token).
        fine_blocks: blocks after which finer features join its tokens (5: 8 pixels a cell).
        emotion_blocks: the same for the emotion network's own encoder (16: 32 pixels a token).
        emotion_size: width of the grey image that it reads; faces to learn from are small.
        geometry_tokens: tokens made from the landmarks; 0 does without.
        geometry_hidden: hidden width of their MLP.
        geometry_dropout: share of training samples without them.
        dense_tokens: tokens that have read all others in place.
        dense_reduced: width of each token when they are laid side by side.
        dense_hidden: width of the code in between.
        merging_blocks: transformer blocks of the Expression Merging Module.
        decoder_widths: channels after each doubling.
        decoder_basis: maps of change that all targets share.
        expert_hidden: hidden width of an Input MoE expert.
        dropout: before the Output MoE.
    """

    width: int
    heads: int
    mlp_ratio: float
    blocks: int
    fine_blocks: int
    emotion_blocks: int
    emotion_size: int
    geometry_tokens: int
    geometry_hidden: int
    geometry_dropout: float
    dense_tokens: int
    dense_reduced: int
    dense_hidden: int
    merging_blocks: int
    decoder_widths: tuple[int, ...]
    decoder_basis: int
    expert_hidden: int
    dropout: float


PRESETS: Final = {
    "tiny": Preset(
        width=192,
        heads=6,
        mlp_ratio=2.0,
        blocks=11,
        fine_blocks=5,
        emotion_blocks=16,
        emotion_size=64,
        geometry_tokens=4,
        geometry_hidden=256,
        geometry_dropout=0.1,
        dense_tokens=4,
        dense_reduced=32,
        dense_hidden=256,
        merging_blocks=2,
        decoder_widths=(96, 64, 32),
        decoder_basis=64,
        expert_hidden=192,
        dropout=0.1,
    ),
    "test": Preset(
        width=32,
        heads=2,
        mlp_ratio=2.0,
        blocks=6,
        fine_blocks=5,
        emotion_blocks=6,
        emotion_size=64,
        geometry_tokens=2,
        geometry_hidden=16,
        geometry_dropout=0.0,
        dense_tokens=2,
        dense_reduced=8,
        dense_hidden=24,
        merging_blocks=1,
        decoder_widths=(16, 16, 8),
        decoder_basis=6,
        expert_hidden=16,
        dropout=0.0,
    ),
}


def preset(name: str) -> Preset:
    """The sizes called `name`.

    Raises:
        ValueError: there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; there are {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


def normalization(name: str = "tiny", *, pretrained: bool = True) -> NormalizationNetwork:
    """F_nor."""
    p = preset(name)
    encoder = _encoder(p, p.blocks, pretrained, fine_blocks=p.fine_blocks)
    return NormalizationNetwork(
        encoder=encoder,
        geometry=_geometry(p),
        dense=_dense(p, encoder.tokens + p.geometry_tokens, dropout=0.0),
        merging=ExpressionMerging(
            width=p.width, heads=p.heads, blocks=p.merging_blocks, mlp_ratio=p.mlp_ratio
        ),
        decoder=Decoder(
            width=p.width,
            code=p.dense_hidden,
            side=encoder.side,
            widths=p.decoder_widths,
            basis=p.decoder_basis,
        ),
    )


def classification(
    name: str = "tiny",
    *,
    heads: Sequence[str] = ("action_units",),
    reads: Literal["tokens", "images"] = "tokens",
    use_original: bool = True,
    use_normalized: bool = True,
    input_moe: bool = True,
    output_moe: bool = True,
    pretrained: bool = True,
) -> ClassificationNetwork:
    """F_cla.

    Args:
        name: of the preset.
        heads: names in `HEADS`.
        reads: tokens of F_nor's encoder, or images, by one encoder of its own for both faces.
        use_original: off, the original is ignored.
        use_normalized: the same for the normalized face.
        input_moe: off, a single expert takes the mixture's place.
        output_moe: the same for every head.
        pretrained: whether an own encoder starts from ImageNet weights.

    Raises:
        ValueError: there is no such preset, head or way to read, or no head or input is left.
    """
    p = preset(name)
    if reads not in ("tokens", "images"):
        raise ValueError(f"reads must be 'tokens' or 'images', not {reads!r}")
    own = reads == "images"
    places = (IMAGE_SIZE // stride_after(p.blocks)) ** 2 * (use_original + use_normalized)
    return ClassificationNetwork(
        width=p.width,
        encoder=_encoder(p, p.blocks, pretrained, fine_blocks=p.fine_blocks) if own else None,
        normalized_encoder=None,
        geometry=_geometry(p),
        dense=_dense(p, places + p.geometry_tokens, dropout=p.dropout),
        input_moe=_input_part(p, input_moe),
        **_heads(p, heads, output_moe),
        use_original=use_original,
        use_normalized=use_normalized,
    )


def emotions(
    name: str = "tiny",
    *,
    use_original: bool = True,
    use_normalized: bool = True,
    input_moe: bool = True,
    output_moe: bool = True,
    pretrained: bool = True,
) -> ClassificationNetwork:
    """F_cla for emotions alone, with a small grey encoder of its own for the original image."""
    p = preset(name)
    return ClassificationNetwork(
        width=p.width,
        encoder=_emotion_encoder(p, pretrained) if use_original else None,
        normalized_encoder=NormalizedReader(width=p.width) if use_normalized else None,
        geometry=_geometry(p),
        dense=None,
        input_moe=_input_part(p, input_moe),
        **_heads(p, ("emotions",), output_moe),
        use_original=use_original,
        use_normalized=use_normalized,
    )


def _heads(p: Preset, names: Sequence[str], moe: bool) -> dict[str, LabelHead | None]:
    unknown = sorted(set(names) - set(HEADS))
    if unknown:
        raise ValueError(f"unknown heads {', '.join(unknown)}; there are {', '.join(HEADS)}")
    return {
        name: LabelHead(
            pooling=_pooling(p, labels),
            output_moe=_output_part(p, labels, outputs, moe),
            dropout=p.dropout,
        )
        if name in names
        else None
        for name, (labels, outputs) in HEADS.items()
    }


def _dense(p: Preset, inputs: int, dropout: float) -> DenseTokens:
    return DenseTokens(
        inputs=inputs,
        width=p.width,
        reduced=p.dense_reduced,
        hidden=p.dense_hidden,
        count=p.dense_tokens,
        dropout=dropout,
    )


def _encoder(
    p: Preset, blocks: int, pretrained: bool, *, fine_blocks: int = 0
) -> ConvolutionalEncoder:
    trunk = EfficientNetLite0(blocks=blocks)
    if pretrained:
        trunk.load_imagenet()
    return ConvolutionalEncoder(trunk=trunk, width=p.width, fine_blocks=fine_blocks)


def _emotion_encoder(p: Preset, pretrained: bool) -> ConvolutionalEncoder:
    trunk = EfficientNetLite0(blocks=p.emotion_blocks)
    if pretrained:
        trunk.load_imagenet()
    return ConvolutionalEncoder(trunk=trunk, width=p.width, image_size=p.emotion_size, grey=True)


def _geometry(p: Preset) -> GeometryToken | None:
    if p.geometry_tokens == 0:
        return None
    return GeometryToken(
        count=p.geometry_tokens,
        width=p.width,
        hidden=p.geometry_hidden,
        dropout=p.geometry_dropout,
    )


def _pooling(p: Preset, labels: int) -> QueryPooling:
    return QueryPooling(labels=labels, width=p.width, heads=p.heads, mlp_ratio=p.mlp_ratio)


def _input_part(p: Preset, moe: bool) -> MixtureOfExperts | PlainExpert:
    experts = ExpertMlps(
        experts=EXPERTS if moe else 1, inputs=p.width, hidden=p.expert_hidden, outputs=p.width
    )
    if not moe:
        return PlainExpert(experts)
    gate = TopKGate(width=p.width, experts=EXPERTS, top_k=TOP_K)
    return MixtureOfExperts(gate=gate, experts=experts)


def _output_part(p: Preset, labels: int, outputs: int, moe: bool) -> MixtureOfExperts | PlainExpert:
    experts = LabelReadout(
        experts=EXPERTS if moe else 1, labels=labels, width=p.width, outputs=outputs
    )
    if not moe:
        return PlainExpert(experts)
    gate = TopKGate(width=p.width, experts=EXPERTS, top_k=TOP_K)
    return MixtureOfExperts(gate=gate, experts=experts)
