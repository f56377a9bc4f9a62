"""Options that all training loops share; each loop adds its own in a module beside its own."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value
