"""Options of the training of the normalization network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from norface.data.augment import AugmentationConfig
from norface.training.config import RunConfig


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
