"""Options of the training loops. Each is declared, documented and checked here, once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from norface.data.augment import AugmentationConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """What all training loops share.

    Attributes:
        out: folder of the run; a run that was interrupted goes on from its state there.
        minutes: length of the training in minutes of work, over all its parts; or give
        steps: its length in optimizer steps.
        seed: fixes initialization, order, augmentation and dropout.
        preset: size of the networks, see `norface.models.presets`.
        batch: samples a step.
        learning_rate: its peak, after a warm-up and before a cosine to zero.
        warmup: share of the run spent warming up.
        weight_decay: of AdamW, on matrices only.
        average: how much of the running weight average stays at each step, once warm.
        save_minutes: time between saved states.
        threads: CPU threads of PyTorch; 0 leaves its own choice.
    """

    out: Path
    minutes: float | None = None
    steps: int | None = None
    seed: int = 0
    preset: str = "tiny"
    batch: int = 48
    learning_rate: float = 1e-3
    warmup: float = 0.03
    weight_decay: float = 0.02
    average: float = 0.998
    save_minutes: float = 4.0
    threads: int = 0

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give either minutes or steps")
        for name in ("minutes", "steps", "batch", "learning_rate", "save_minutes"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be positive, not {value}")
        if not 0.0 <= self.warmup < 1.0:
            raise ValueError(f"warmup must lie in 0..1, not {self.warmup}")
        if not 0.0 <= self.average < 1.0:
            raise ValueError(f"average must lie in 0..1, not {self.average}")

    def to_json(self) -> dict[str, Any]:
        """The options as plain values."""
        return {k: _plain(v) for k, v in dataclasses.asdict(self).items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class NormalizationConfig(RunConfig):
    """Training of the normalization network F_nor.

    Attributes:
        data: folders of shards, see `norface.data.shards`.
        limit: read at most so many samples of each folder.
        start: checkpoint whose weights a new run starts from, as far as names and shapes agree.
        groups: target draws a batch; few distinct targets are cheap, as each is encoded once.
        real_share: share of the batch that is photos, when there are any.
        encoder_rate: learning rate of the encoder relative to the rest.
        frozen_blocks: encoder blocks that stay as ImageNet left them: what they see (edges,
            colours) is the same in photos and renders, and their backward pass is the dearest.
        freeze_reading: train merging and decoder alone, on a `start` that reads faces already.
        freeze_batch_norm: keep the encoder's normalization statistics.
        square_weight: weight of the squared pixel loss beside the absolute one.
        edge_weight: weight of the loss on image gradients.
        action_weight: weight of the loss on the facial actions read from the merged tokens.
        flow_weight: weight of the roughness of the decoder's flow.
        motion_floor: pixel weight where the target face never moves, relative to the mean.
        held_out: samples (with all others of the same identities) kept for validation.
        picture_minutes: time between sample pictures and validation.
    """

    data: tuple[Path, ...]
    limit: int | None = None
    start: Path | None = None
    groups: int = 4
    real_share: float = 0.15
    encoder_rate: float = 0.5
    frozen_blocks: int = 3
    freeze_reading: bool = False
    freeze_batch_norm: bool = True
    square_weight: float = 5.0
    edge_weight: float = 0.5
    action_weight: float = 0.1
    flow_weight: float = 0.5
    motion_floor: float = 0.2
    held_out: int = 192
    picture_minutes: float = 5.0
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    def __post_init__(self) -> None:
        # Zero-argument super() does not work in a dataclass with slots.
        RunConfig.__post_init__(self)
        if not self.data:
            raise ValueError("data needs at least one folder")
        if self.batch % self.groups:
            raise ValueError(f"batch {self.batch} must be a multiple of groups {self.groups}")
        if not 0.0 <= self.real_share <= 1.0:
            raise ValueError(f"real_share must lie in 0..1, not {self.real_share}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassificationConfig(RunConfig):
    """Training of the classification network F_cla for action units, on cached tokens.

    Attributes:
        data: folders of shards, see `norface.data.shards`.
        normalization: checkpoint of F_nor, whose encoder makes the tokens.
        target: which of the targets the faces are normalized to.
        cache: folder of the cached tokens; by default ``out/tokens``.
        limit: read at most so many samples of each folder.
        copies: augmented versions of each sample in the cache.
        use_original, use_normalized: the inputs, for ablations.
        input_moe, output_moe: the mixtures of experts, for ablations.
        real_share: share of the batch that is photos, when there are any.
        presence_weight: weight of the presence loss beside the intensity loss.
        importance_weight, load_weight: of the balancing losses (0.001 in the paper).
        held_out: share of the training identities on which thresholds are chosen.
    """

    data: tuple[Path, ...]
    normalization: Path
    target: int = 0
    cache: Path | None = None
    limit: int | None = None
    copies: int = 2
    use_original: bool = True
    use_normalized: bool = True
    input_moe: bool = True
    output_moe: bool = True
    real_share: float = 0.1
    presence_weight: float = 0.5
    importance_weight: float = 0.001
    load_weight: float = 0.001
    held_out: float = 0.08
    batch: int = 128
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if not self.data:
            raise ValueError("data needs at least one folder")
        if self.copies < 1:
            raise ValueError(f"copies must be at least 1, not {self.copies}")
        if not (self.use_original or self.use_normalized):
            raise ValueError("use_original and use_normalized cannot both be off")
        if not 0.0 < self.held_out < 1.0:
            raise ValueError(f"held_out must lie in 0..1, not {self.held_out}")


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
        use_original, use_normalized: the inputs, for ablations.
        input_moe, output_moe: the mixtures of experts, for ablations.
        importance_weight, load_weight: of the balancing losses (0.001 in the paper).
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


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value
