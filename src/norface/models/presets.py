"""Every network at every preset, as named functions; the sizes are in `norface.models.sizes`.

Every builder returns a fresh network in training mode. A convolutional encoder starts from ImageNet
weights unless `pretrained` is off. For a transformer, and for the encoder of the emotion network,
norface ships none: they start at random, and `norface.models.published` and
`MobileFaceNet.load_published` load what others have published.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from norface.facs import ACTION_UNIT_NAMES, EMOTIONS, action_unit
from norface.models.classification import ClassificationNetwork
from norface.models.decoder import Decoder
from norface.models.dense_tokens import DenseTokens
from norface.models.encoder import ConvolutionalEncoder, EfficientNetLite0, Encoder, stride_after
from norface.models.expression_embedding import ExpressionEmbedding
from norface.models.expression_merging import ExpressionMerging
from norface.models.geometry_token import GeometryToken
from norface.models.grey_face_encoder import GreyFaceEncoder
from norface.models.label_head import LabelHead, LabelReadout, QueryPooling
from norface.models.masked_autoencoder import MaskedAutoencoder
from norface.models.mobile_face_net import MobileFaceNet
from norface.models.moe import ExpertMlps, MixtureOfExperts, PlainExpert, TopKGate
from norface.models.normalization import NormalizationNetwork
from norface.models.normalized_reader import NormalizedReader
from norface.models.sizes import PRESETS, ConvolutionalSizes, Preset, preset
from norface.models.vision_transformer import VisionTransformer

__all__ = [
    "EXPERTS",
    "HEADS",
    "PRESETS",
    "TOP_K",
    "Preset",
    "classification",
    "emotions",
    "expression_embedding",
    "masked_autoencoder",
    "normalization",
    "preset",
]

EXPERTS: Final = 4
"""Experts of a mixture (stated)."""
TOP_K: Final = 2
"""Experts that answer for a face (stated)."""
HEADS: Final = {"action_units": 4, "emotions": 1}
"""Outputs for each label, by head of F_cla."""


def normalization(name: str = "tiny", *, pretrained: bool = True) -> NormalizationNetwork:
    """F_nor."""
    p = preset(name)
    encoder = _encoder(p, pretrained=pretrained)
    dense = _dense(p, encoder.tokens, dropout=0.0)
    return NormalizationNetwork(
        encoder=encoder,
        geometry=_geometry(p),
        dense=dense,
        merging=ExpressionMerging(
            width=p.width, heads=p.heads, blocks=p.merging_blocks, mlp_ratio=p.mlp_ratio
        ),
        decoder=Decoder(
            width=p.width,
            code=p.width if dense is None else dense.hidden,
            side=encoder.side,
            widths=p.decoder_widths,
            basis=p.decoder_basis,
        ),
    )


def classification(
    name: str = "tiny",
    *,
    heads: Sequence[str] = ("action_units",),
    units: Sequence[str] = ACTION_UNIT_NAMES,
    reads: Literal["tokens", "images"] = "tokens",
    use_original: bool = True,
    use_normalized: bool = True,
    input_moe: bool = True,
    output_moe: bool = True,
    drop_path: float = 0.0,
    pretrained: bool = True,
) -> ClassificationNetwork:
    """F_cla.

    Args:
        name: of the preset.
        heads: names in `HEADS`.
        units: the labels of the head for action units; data sets code some that norface's own
            weights do not read.
        reads: tokens of F_nor's encoder, or images, by one encoder of its own for both faces.
        use_original: off, the original is ignored.
        use_normalized: the same for the normalized face.
        input_moe: off, a single expert takes the mixture's place.
        output_moe: the same for every head.
        drop_path: of an own transformer's last block; others have none.
        pretrained: whether an own convolutional encoder starts from ImageNet weights.

    Raises:
        ValueError: there is no such preset, head, unit or way to read, or no head or input is left,
            or no transformer whose paths could be dropped.
    """
    p = preset(name)
    if reads not in ("tokens", "images"):
        raise ValueError(f"reads must be 'tokens' or 'images', not {reads!r}")
    if drop_path and reads == "tokens":
        raise ValueError("drop_path needs an encoder of its own: set reads to 'images'")
    if not units or len(set(units)) != len(units):
        raise ValueError(f"units must be different names, not {', '.join(units)}")
    for unit in units:
        action_unit(unit)
    encoder = None
    if reads == "images":
        encoder = _encoder(p, pretrained=pretrained, drop_path=drop_path)
    made = _heads(p, heads, output_moe, units)
    return ClassificationNetwork(
        width=p.width,
        encoder=encoder,
        normalized_encoder=None,
        geometry=_geometry(p),
        dense=_dense(p, _tokens(p) * (use_original + use_normalized), dropout=p.dropout),
        input_moe=_input_part(p, input_moe),
        action_units=made["action_units"],
        emotions=made["emotions"],
        units=units,
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
) -> ClassificationNetwork:
    """F_cla for emotions alone, with a small grey encoder of its own for the original image.

    Raises:
        ValueError: the preset has no such network, or no input is left.
    """
    p = preset(name)
    if p.emotions is None:
        raise ValueError(
            f"preset {name!r} has no emotion network of its own: build its classification network "
            "with the head 'emotions', reading images"
        )
    encoder = None
    if use_original:
        trunk = MobileFaceNet(
            stem=p.emotions.stem, stages=p.emotions.stages, features=p.emotions.features
        )
        encoder = GreyFaceEncoder(trunk=trunk, width=p.width, image_size=p.emotions.image_size)
    reader = NormalizedReader(width=p.width, image_size=p.image_size) if use_normalized else None
    made = _heads(p, ("emotions",), output_moe)
    return ClassificationNetwork(
        width=p.width,
        encoder=encoder,
        normalized_encoder=reader,
        geometry=_geometry(p),
        dense=None,
        input_moe=_input_part(p, input_moe),
        action_units=None,
        emotions=made["emotions"],
        use_original=use_original,
        use_normalized=use_normalized,
    )


def masked_autoencoder(
    name: str = "base", *, mask_ratio: float = 0.75, normalize_patches: bool = True
) -> MaskedAutoencoder:
    """Pre-training of the preset's encoder.

    Raises:
        ValueError: the preset's encoder is no transformer.
    """
    p = preset(name)
    encoder = _encoder(p, pretrained=False)
    if p.masked is None or not isinstance(encoder, VisionTransformer):
        raise ValueError(f"preset {name!r} has no transformer, which masking of patches needs")
    return MaskedAutoencoder(
        encoder=encoder,
        width=p.masked.width,
        depth=p.masked.depth,
        heads=p.masked.heads,
        mask_ratio=mask_ratio,
        normalize_patches=normalize_patches,
    )


def expression_embedding(name: str = "tiny", *, pretrained: bool = True) -> ExpressionEmbedding:
    """The embedding behind F_nor's expression loss, with an encoder of its own."""
    return ExpressionEmbedding(encoder=_encoder(preset(name), pretrained=pretrained))


def _encoder(p: Preset, *, pretrained: bool, drop_path: float = 0.0) -> Encoder:
    if isinstance(p.encoder, ConvolutionalSizes):
        if drop_path:
            raise ValueError("drop_path needs a transformer, this preset's encoder is none")
        return ConvolutionalEncoder(
            trunk=_trunk(p.encoder.blocks, pretrained),
            width=p.width,
            image_size=p.image_size,
            fine_blocks=p.encoder.fine_blocks,
        )
    return VisionTransformer(
        image_size=p.image_size,
        patch_size=p.encoder.patch_size,
        width=p.width,
        depth=p.encoder.depth,
        heads=p.heads,
        mlp_ratio=p.mlp_ratio,
        drop_path=drop_path,
    )


def _tokens(p: Preset) -> int:
    """Tokens of the shared encoder."""
    if isinstance(p.encoder, ConvolutionalSizes):
        return (p.image_size // stride_after(p.encoder.blocks)) ** 2
    return (p.image_size // p.encoder.patch_size) ** 2


def _trunk(blocks: int, pretrained: bool) -> EfficientNetLite0:
    trunk = EfficientNetLite0(blocks=blocks)
    if pretrained:
        trunk.load_imagenet()
    return trunk


def _geometry(p: Preset) -> GeometryToken | None:
    if p.geometry is None:
        return None
    return GeometryToken(
        count=p.geometry.tokens,
        width=p.width,
        hidden=p.geometry.hidden,
        dropout=p.geometry.dropout,
    )


def _dense(p: Preset, places: int, dropout: float) -> DenseTokens | None:
    """Reads `places` tokens of faces and those of the landmarks."""
    if p.dense is None:
        return None
    return DenseTokens(
        inputs=places + (0 if p.geometry is None else p.geometry.tokens),
        width=p.width,
        reduced=p.dense.reduced,
        hidden=p.dense.hidden,
        count=p.dense.tokens,
        dropout=dropout,
    )


def _input_part(p: Preset, moe: bool) -> MixtureOfExperts | PlainExpert:
    experts = ExpertMlps(
        experts=EXPERTS if moe else 1, inputs=p.width, hidden=p.expert_hidden, outputs=p.width
    )
    if not moe:
        return PlainExpert(experts)
    gate = TopKGate(width=p.width, experts=EXPERTS, top_k=TOP_K)
    return MixtureOfExperts(gate=gate, experts=experts)


def _heads(
    p: Preset, names: Sequence[str], moe: bool, units: Sequence[str] = ACTION_UNIT_NAMES
) -> dict[str, LabelHead | None]:
    unknown = sorted(set(names) - set(HEADS))
    if unknown:
        raise ValueError(f"unknown heads {', '.join(unknown)}; there are {', '.join(HEADS)}")
    labels = {"action_units": len(units), "emotions": len(EMOTIONS)}
    return {
        name: LabelHead(
            pooling=QueryPooling(
                labels=labels[name], width=p.width, heads=p.heads, mlp_ratio=p.mlp_ratio
            ),
            output_moe=_output_part(p, labels[name], outputs, moe),
            dropout=p.dropout,
        )
        if name in names
        else None
        for name, outputs in HEADS.items()
    }


def _output_part(p: Preset, labels: int, outputs: int, moe: bool) -> MixtureOfExperts | PlainExpert:
    experts = LabelReadout(
        experts=EXPERTS if moe else 1, labels=labels, width=p.width, outputs=outputs
    )
    if not moe:
        return PlainExpert(experts)
    gate = TopKGate(width=p.width, experts=EXPERTS, top_k=TOP_K)
    return MixtureOfExperts(gate=gate, experts=experts)
