"""Options of the pre-training of the encoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from norface.models.sizes import PRESETS, preset
from norface.training.config import RunConfig
from norface.training.fold_config import FoldConfig

BASE_RATE: Final = 1.5e-4
"""Of MAE's recipe, for a batch of 256."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainingConfig(RunConfig):
    """Pre-training of a transformer encoder as a masked autoencoder, on faces without labels.

    That the paper's encoder is pre-trained so, on large sets of faces, is stated; all numbers are
    those of MAE's recipe (He et al., 2022), but for batch, clipping and weight average, which are
    ours.

    Attributes:
        pictures: pictures of people, folders of them, or caches that `norface train prepare-faces`
            made of them.
        shards: folders of shards, whose originals are learned from as well.
        fold: the training part of a data set instead.
        cache: folder where the faces found in `pictures` are kept; by default ``out/faces``.
        faces: which faces of a picture are taken.
        start: what the encoder starts from: a checkpoint of norface with an encoder of that size,
            or a published MAE file; by default random weights.
        mask_ratio: share of the patches that are hidden.
        smallest_crop: least share of the face's frame that a random crop shows.
        held_out: faces kept for validation, at most a tenth of all.
        learning_rate: 0 is 1.5e-4 times ``batch / 256``.
    """

    pictures: tuple[Path, ...] = ()
    shards: tuple[Path, ...] = ()
    fold: FoldConfig = field(default_factory=FoldConfig)
    cache: Path | None = None
    faces: Literal["largest", "all"] = "largest"
    start: Path | None = None
    mask_ratio: float = 0.75
    smallest_crop: float = 0.2
    held_out: int = 128
    preset: str = "base"
    batch: int = 256
    learning_rate: float = 0.0
    warmup: float = 0.05
    weight_decay: float = 0.05

    def __post_init__(self) -> None:
        if self.learning_rate == 0.0:
            object.__setattr__(self, "learning_rate", BASE_RATE * self.batch / 256)
        RunConfig.__post_init__(self)
        if not (self.pictures or self.shards or self.fold):
            raise ValueError("name pictures, folders of pictures, shards, or a fold to learn from")
        if self.fold and (self.pictures or self.shards):
            raise ValueError("a fold of a data set is learned from alone")
        if preset(self.preset).masked is None:
            others = [n for n, p in PRESETS.items() if p.masked and not n.startswith("test")]
            raise ValueError(
                f"the encoder of preset {self.preset} is convolutional, and hiding patches needs a "
                f"transformer: choose a preset among {', '.join(others)}"
            )
        for name in ("mask_ratio", "smallest_crop"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(
                    f"{name} must lie between 0 and 1, both excluded, not {getattr(self, name)}"
                )
        if self.held_out < 0:
            raise ValueError(f"held_out must not be negative, but is {self.held_out}")
