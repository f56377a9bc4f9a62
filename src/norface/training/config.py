"""Options that all training loops share; each loop adds its own in a module beside its own."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

# How a run may differ when it goes on: none of these changes what is learned from a step.
_FREE = frozenset(
    {"out", "minutes", "steps", "epochs", "save_minutes", "save_steps", "keep", "log_steps"}
    | {"validate_minutes", "validate_steps", "threads", "compile", "checkpointing", "strategy"}
    | {"dry_run", "cache"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """What all training loops share.

    Attributes:
        out: folder of the run; a run that was interrupted goes on from its state there.
        minutes: length of the training in minutes of work, over all its parts; or give
        steps: its length in optimizer steps; or
        epochs: in passes over the data.
        seed: fixes initialization, order, augmentation and dropout.
        preset: size of the networks, see `norface.models.presets`.
        batch: samples an optimizer step, over all processes.
        accumulate: parts in which a process computes its share of a batch, one after another, to
            save memory; the gradient is the same.
        learning_rate: its peak, after a warm-up and before a cosine to zero.
        warmup: share of the run spent warming up.
        weight_decay: of AdamW, on matrices only.
        average: how much of the running weight average stays at each step, once warm.
        clip: largest norm of a gradient.
        precision: of the arithmetic: bf16 (weights stay in 32 bits), fp32, or auto: bf16 wherever
            the device has it.
        compile: translate the networks with torch.compile.
        checkpointing: compute activations again instead of keeping them, where a network can.
        strategy: how several processes share the work: each with a copy of the networks (ddp) or
            of a part of them (fsdp), or auto: fsdp for preset large.
        save_minutes: time between saved states; or give
        save_steps: steps between them.
        keep: how many of the last states stay.
        validate_minutes: time between validations; or give
        validate_steps: steps between them.
        log_steps: steps between lines of the log; 0: a line every 15 seconds.
        threads: CPU threads of PyTorch; 0 leaves its own choice.
        dry_run: only try all parts: two steps, validation, a state written and read, nothing left.
    """

    out: Path
    minutes: float | None = None
    steps: int | None = None
    epochs: float | None = None
    seed: int = 0
    preset: str = "tiny"
    batch: int = 48
    accumulate: int = 1
    learning_rate: float = 1e-3
    warmup: float = 0.03
    weight_decay: float = 0.02
    average: float = 0.998
    clip: float = 1.0
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    compile: bool = False
    checkpointing: bool = False
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    save_minutes: float = 4.0
    save_steps: int | None = None
    keep: int = 2
    validate_minutes: float = 5.0
    validate_steps: int | None = None
    log_steps: int = 0
    threads: int = 0
    dry_run: bool = False

    def __post_init__(self) -> None:
        lengths = (self.minutes, self.steps, self.epochs)
        if sum(length is not None for length in lengths) != 1 and not self.dry_run:
            raise ValueError("give one of minutes, steps and epochs")
        for name in (
            *("minutes", "steps", "epochs", "batch", "accumulate", "learning_rate", "clip"),
            *("save_minutes", "save_steps", "keep", "validate_minutes", "validate_steps"),
        ):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be positive, not {value}")
        if self.batch % self.accumulate:
            raise ValueError(
                f"batch {self.batch} must be a multiple of accumulate {self.accumulate}"
            )
        if not 0.0 <= self.warmup < 1.0:
            raise ValueError(f"warmup must lie in 0..1, not {self.warmup}")
        if not 0.0 <= self.average < 1.0:
            raise ValueError(f"average must lie in 0..1, not {self.average}")

    def length(self, epoch_samples: int) -> int | None:
        """The run's length in optimizer steps; None if it is given in minutes."""
        if self.epochs is not None:
            return max(math.ceil(self.epochs * epoch_samples / self.batch), 1)
        return self.steps

    def to_json(self) -> dict[str, Any]:
        """The options as plain values."""
        return {k: _plain(v) for k, v in dataclasses.asdict(self).items()}

    def what_is_learned(self) -> dict[str, Any]:
        """The options that must stay the same when a run goes on."""
        return {k: v for k, v in self.to_json().items() if k not in _FREE}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value
