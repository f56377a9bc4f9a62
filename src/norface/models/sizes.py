"""All sizes of all networks.

=========  ==========================================  =========================================
preset     encoder                                     for
=========  ==========================================  =========================================
tiny       EfficientNet-Lite0, 11 blocks, at 128       the embedded default, trained on two cores
small      ViT-S/16 at 256                             one GPU; base at a quarter of its cost
base       ViT-B/16 at 256                             the paper's scale
large      ViT-L/16 at 256                             the next published size of MAE
test       EfficientNet-Lite0, 6 blocks, at 128        the test suite, structure of tiny
test-vit   a ViT of 2 blocks at 64                     the test suite, structure of base
=========  ==========================================  =========================================

That the paper crops to 256 x 256 is stated, that its encoder is a ViT-B/16 inferred. What has no
place in the paper (landmarks, dense tokens, learned maps of change) is off from `small` on. `small`
is a ViT too, not a convolutional network, so that what is found with it holds for `base`: the same
parts, the same checkpoints' layout, the same 256 tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from norface.models.mobile_face_net import FEATURES, STAGES, STEM, Stage


@dataclass(frozen=True, slots=True)
class ConvolutionalSizes:
    """Encoder of EfficientNet-Lite0.

    Attributes:
        blocks: of the trunk (11: 16 pixels a token).
        fine_blocks: blocks after which finer features join its tokens (5: 8 pixels a cell).
    """

    blocks: int
    fine_blocks: int


@dataclass(frozen=True, slots=True)
class TransformerSizes:
    """Encoder that is a vision transformer, of the preset's width, heads and mlp_ratio.

    Attributes:
        depth: number of blocks.
        patch_size: pixels a token.
    """

    depth: int
    patch_size: int = 16


@dataclass(frozen=True, slots=True)
class GeometrySizes:
    """Tokens from the landmarks.

    Attributes:
        tokens: how many.
        hidden: hidden width of their MLP.
        dropout: share of training samples without them.
    """

    tokens: int
    hidden: int
    dropout: float


@dataclass(frozen=True, slots=True)
class DenseSizes:
    """Tokens that have read all others in place.

    Attributes:
        tokens: how many.
        reduced: width of each token when they are laid side by side.
        hidden: width of the code in between.
    """

    tokens: int
    reduced: int
    hidden: int


@dataclass(frozen=True, slots=True)
class EmotionSizes:
    """The emotion network's own grey MobileFaceNet.

    Attributes:
        image_size: width of the image that it reads. At 96 pixels the eyes are as far apart as on
            the faces that published weights were trained with.
        stem: channels of the first convolutions.
        stages: the bottlenecks.
        features: channels of the result.
    """

    image_size: int
    stem: int = STEM
    stages: tuple[Stage, ...] = STAGES
    features: int = FEATURES


@dataclass(frozen=True, slots=True)
class MaskedSizes:
    """Decoder of the masked autoencoder.

    Attributes:
        width: of a token.
        depth: number of blocks.
        heads: of attention.
    """

    width: int
    depth: int
    heads: int


@dataclass(frozen=True, slots=True)
class Preset:
    """Sizes of all networks.

    Attributes:
        image_size: S, width of the aligned crop that the encoder reads.
        width: D, width of a token.
        heads: attention heads.
        mlp_ratio: hidden width of a block's MLP over D.
        encoder: the shared encoder.
        geometry: tokens from the landmarks; None does without.
        dense: dense tokens; None does without.
        merging_blocks: transformer blocks of the Expression Merging Module.
        decoder_widths: channels after each doubling; the last stands at half the image's width.
        decoder_basis: maps of change that all targets share, mixed by the dense code; 0 without.
        expert_hidden: hidden width of an Input MoE expert.
        dropout: before the Output MoE.
        emotions: the special emotion network; None has none.
        masked: the masked autoencoder's decoder; None for an encoder that is no transformer.
    """

    image_size: int
    width: int
    heads: int
    mlp_ratio: float
    encoder: ConvolutionalSizes | TransformerSizes
    geometry: GeometrySizes | None
    dense: DenseSizes | None
    merging_blocks: int
    decoder_widths: tuple[int, ...]
    decoder_basis: int
    expert_hidden: int
    dropout: float
    emotions: EmotionSizes | None = None
    masked: MaskedSizes | None = None

    def __post_init__(self) -> None:
        if self.decoder_basis and self.dense is None:
            raise ValueError("the maps of change are mixed by the dense code: set dense as well")


def _transformer(
    *,
    width: int,
    depth: int,
    heads: int,
    decoder_widths: tuple[int, ...],
    masked: MaskedSizes,
    image_size: int = 256,
    merging_blocks: int = 4,
    dropout: float = 0.1,
) -> Preset:
    return Preset(
        image_size=image_size,
        width=width,
        heads=heads,
        mlp_ratio=4.0,
        encoder=TransformerSizes(depth=depth),
        geometry=None,
        dense=None,
        merging_blocks=merging_blocks,
        decoder_widths=decoder_widths,
        decoder_basis=0,
        expert_hidden=width,
        dropout=dropout,
        masked=masked,
    )


PRESETS: Final = {
    "tiny": Preset(
        image_size=128,
        width=192,
        heads=6,
        mlp_ratio=2.0,
        encoder=ConvolutionalSizes(blocks=11, fine_blocks=5),
        geometry=GeometrySizes(tokens=4, hidden=256, dropout=0.1),
        dense=DenseSizes(tokens=4, reduced=32, hidden=256),
        merging_blocks=2,
        decoder_widths=(96, 64, 32),
        decoder_basis=64,
        expert_hidden=192,
        dropout=0.1,
        emotions=EmotionSizes(image_size=96),
    ),
    "small": _transformer(
        width=384,
        depth=12,
        heads=6,
        decoder_widths=(256, 128, 64),
        masked=MaskedSizes(width=256, depth=4, heads=8),
    ),
    "base": _transformer(
        width=768,
        depth=12,
        heads=12,
        decoder_widths=(512, 256, 128),
        masked=MaskedSizes(width=512, depth=8, heads=16),
    ),
    "large": _transformer(
        width=1024,
        depth=24,
        heads=16,
        decoder_widths=(512, 256, 128),
        masked=MaskedSizes(width=512, depth=8, heads=16),
    ),
    "test": Preset(
        image_size=128,
        width=32,
        heads=2,
        mlp_ratio=2.0,
        encoder=ConvolutionalSizes(blocks=6, fine_blocks=5),
        geometry=GeometrySizes(tokens=2, hidden=16, dropout=0.0),
        dense=DenseSizes(tokens=2, reduced=8, hidden=24),
        merging_blocks=1,
        decoder_widths=(16, 16, 8),
        decoder_basis=6,
        expert_hidden=16,
        dropout=0.0,
        emotions=EmotionSizes(
            image_size=64,
            stem=8,
            stages=(Stage(2, 8, 1, 2), Stage(2, 16, 1, 2), Stage(2, 16, 2, 2)),
            features=32,
        ),
    ),
    "test-vit": _transformer(
        image_size=64,
        width=16,
        depth=2,
        heads=2,
        merging_blocks=1,
        decoder_widths=(16, 16, 8),
        dropout=0.0,
        masked=MaskedSizes(width=16, depth=1, heads=2),
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
