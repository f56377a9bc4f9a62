"""Options of the training of the classification network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from norface.data.augment import AugmentationConfig
from norface.training.config import RunConfig


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
