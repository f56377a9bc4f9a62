"""Options of the training of the emotion network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from norface.data.augment import AugmentationConfig
from norface.training.config import RunConfig
from norface.training.fold_config import FoldConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class EmotionsConfig(RunConfig):
    """Training of the classification network F_cla for emotions, on images.

    Attributes:
        fold: the data set, and what of it is learned from: any protocol of emotions.
        data: folders of shards with synthetic prototypes of the emotions; may be none.
        normalization: checkpoint of F_nor, whose normalized faces `norface data prepare` has put
            beside the faces; without it the network sees the original only.
        face_weights: of a MobileFaceNet that was trained to tell people apart, for the encoder to
            start from (a PyTorch state dict); without, it starts at random.
        start: checkpoints of emotion networks to start from, one after another: each gives what it
            has, such as the encoder of one of the inputs; take precedence over `face_weights`.
        start_heads: off, only the encoders start from them, and the rest anew: so networks that
            differ there can be compared.
        distributions: learn the shares of the votes on the emotions where a set has them (FER+),
            instead of the majority's emotion.
        synthetic_share: share of the batch that is synthetic, when there is any.
        smoothing: label smoothing; the labels of FER2013 are noisy.
        mixup: parameter of the beta distribution of mixed pairs; 0 is off.
        freeze_encoder: leave the encoder of the original as `start` gave it: three times as fast.
        encoder_rate: learning rate of the encoder relative to the rest.
        use_original: whether the original is read.
        use_normalized: whether the normalized face is read.
        input_moe: off, a single expert takes the place of the mixture (Input MoE).
        output_moe: the same for the Output MoE.
        importance_weight: of the experts' importance balancing (0.001 in the paper).
        load_weight: of the experts' load balancing (0.001 in the paper).
        held_out: share of the training part to choose by, where the protocol has no other.
    """

    fold: FoldConfig
    data: tuple[Path, ...] = ()
    normalization: Path | None = None
    face_weights: Path | None = None
    start: tuple[Path, ...] = ()
    start_heads: bool = True
    held_out: float = 0.05
    distributions: bool = False
    synthetic_share: float = 0.1
    smoothing: float = 0.1
    mixup: float = 0.0
    freeze_encoder: bool = False
    encoder_rate: float = 1.0
    use_original: bool = True
    use_normalized: bool = True
    input_moe: bool = True
    output_moe: bool = True
    importance_weight: float = 0.001
    load_weight: float = 0.001
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    clip: float = 2.0
    augmentation: AugmentationConfig = field(
        default_factory=lambda: AugmentationConfig(
            rotation=17.0,
            scale=0.15,
            shift=0.07,
            small=0.1,
            blur=0.1,
            noise=0.15,
            occlusion=0.4,
        )
    )

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if not self.fold:
            raise ValueError("fold.protocol is needed: a protocol of emotions, such as fer2013-7")
        if self.fold.normalized:
            raise ValueError("fold.normalized is always on here: leave it out")
        if self.freeze_encoder and not self.start:
            raise ValueError("freeze_encoder needs start, which gives the encoder")
        if not 0.0 < self.held_out < 1.0:
            raise ValueError(f"held_out must lie between 0 and 1, not {self.held_out}")
        if not 0.0 <= self.synthetic_share <= 1.0:
            raise ValueError(f"synthetic_share must lie in 0..1, not {self.synthetic_share}")
        if not 0.0 <= self.smoothing < 1.0:
            raise ValueError(f"smoothing must lie in 0..1, not {self.smoothing}")
