"""Options of the training of the expression embedding."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from norface.data.augment import AugmentationConfig
from norface.training.config import RunConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressionConfig(RunConfig):
    """Training of the embedding that compares expressions (or identities) of faces.

    Attributes:
        data: folders of shards to learn from, see `norface.data.shards`.
        photos: folders of shards of real photos, looked at in validation alone.
        limit: read at most so many samples of each folder.
        start: checkpoint whose weights a new run starts from, as far as names and shapes agree;
            F_nor's, for the encoder of a trained one reads faces already.
        freeze_encoder: train what follows the encoder alone, which is three times as fast.
        subject: what is alike in a pair of a triplet: the facial actions, or the identity.
        triplets: of a batch; they share its faces.
        margin: by which the odd one out must be farther, in squared distance (at most 4).
        gap: triplets whose answer is less clear than this, in distance of the actions, are left
            out.
        encoder_rate: learning rate of the encoder relative to the rest.
        freeze_batch_norm: keep the encoder's normalization statistics.
        held_out: samples (with all others of the same identities) kept for validation.
    """

    data: tuple[Path, ...]
    photos: tuple[Path, ...] = ()
    limit: int | None = None
    start: Path | None = None
    freeze_encoder: bool = False
    subject: Literal["actions", "identity"] = "actions"
    triplets: int = 512
    margin: float = 0.2
    gap: float = 0.2
    encoder_rate: float = 0.5
    freeze_batch_norm: bool = True
    held_out: int = 384
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    def __post_init__(self) -> None:
        # Zero-argument super() does not work in a dataclass with slots.
        RunConfig.__post_init__(self)
        if not self.data:
            raise ValueError("data needs at least one folder")
        if self.triplets <= 0:
            raise ValueError(f"triplets must be positive, not {self.triplets}")
        for name in ("margin", "gap", "encoder_rate"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")
