"""Options of the training of the emotion network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from norface.data.augment import AugmentationConfig
from norface.training.config import RunConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class EmotionsConfig(RunConfig):
    """Training of the classification network F_cla for emotions, on images.

    Attributes:
        faces: aligned faces of FER2013, a file made by `norface.data.fer2013.prepare`.
        data: folders of shards with synthetic prototypes of the emotions; may be none, unless
            `normalization` is given, which needs their targets.npz.
        normalization: checkpoint of F_nor; without it the network sees the original only.
        start: checkpoint of an emotion network to start from (with or without the normalized
            input).
        synthetic_share: share of the batch that is synthetic, when there is any.
        smoothing: label smoothing; the labels of FER2013 are noisy.
        mixup: parameter of the beta distribution of mixed pairs; 0 is off.
        encoder_rate: learning rate of the encoder relative to the rest.
        use_original: whether the original is read.
        use_normalized: whether the normalized face is read.
        input_moe: off, a single expert takes the place of the mixture (Input MoE).
        output_moe: the same for the Output MoE.
        importance_weight: of the experts' importance balancing (0.001 in the paper).
        load_weight: of the experts' load balancing (0.001 in the paper).
        held_out: Training rows kept for validation; PublicTest is only ever reported.
    """

    faces: Path
    data: tuple[Path, ...] = ()
    normalization: Path | None = None
    start: Path | None = None
    held_out: int = 1000
    synthetic_share: float = 0.15
    smoothing: float = 0.1
    mixup: float = 0.0
    encoder_rate: float = 1.0
    use_original: bool = True
    use_normalized: bool = True
    input_moe: bool = True
    output_moe: bool = True
    importance_weight: float = 0.001
    load_weight: float = 0.001
    batch: int = 64
    weight_decay: float = 0.05
    clip: float = 2.0
    augmentation: AugmentationConfig = field(
        default_factory=lambda: AugmentationConfig(
            rotation=14.0, scale=0.12, shift=0.06, small=0.15, blur=0.1, noise=0.15
        )
    )

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if self.normalization is not None and not self.data:
            raise ValueError("normalization needs data, for the target face")
        if not 0.0 <= self.synthetic_share <= 1.0:
            raise ValueError(f"synthetic_share must lie in 0..1, not {self.synthetic_share}")
        if not 0.0 <= self.smoothing < 1.0:
            raise ValueError(f"smoothing must lie in 0..1, not {self.smoothing}")
