"""A training run: its folder, processes, precision, schedule, states and record.

The loops stay plain code; what each of them would repeat stands here. One process, or several that
``torchrun`` starts: `accelerate` finds them, and every process computes its part of each batch.
"""

from __future__ import annotations

import dataclasses
import errno
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn

import norface
from norface.models.checkpoint import Recipe, save_network
from norface.training.average import WeightAverage
from norface.training.batches import Part, ahead
from norface.training.config import RunConfig
from norface.training.processes import Processes
from norface.training.record import Record
from norface.training.schedule import Schedule
from norface.training.sharding import shard, whole
from norface.training.speed import keep_freed_memory
from norface.training.states import load_newest, load_state, save_state, state_files
from norface.training.stop import StopRequest

C = TypeVar("C", bound=RunConfig)
B = TypeVar("B", bound="tuple[Any, ...]")


class TrainingError(RuntimeError):
    """The training cannot go on; the message says why, what is kept, and what to do."""


class Run(Generic[C]):
    """A run in a folder, begun or gone on with.

    Args:
        config: its options.
        checkpoint: name of the file for the averaged network.
        console: where lines go.

    Attributes:
        config: the options in force (a dry run has a folder and a length of its own).
        device: where the networks are.
        main: whether this process is the one that writes.
        record: the log.
        schedule: how far the run is; there after `begin`.
        wrapped: the networks to call in training, by name; there after `begin`.
        stopped: whether a signal ended the run early.
    """

    schedule: Schedule

    def __init__(self, config: C, *, checkpoint: str, console: Console | None = None) -> None:
        if config.threads:
            torch.set_num_threads(config.threads)
        keep_freed_memory()
        self.config: C = _tried(config) if config.dry_run else config
        config = self.config
        self._processes = Processes(config)
        self.device = self._processes.device
        self.main = self._processes.main
        if config.dry_run:
            # One that failed leaves its folder.
            if self.main:
                shutil.rmtree(config.out, ignore_errors=True)
            self._processes.wait()
        self._checkpoint = config.out / checkpoint
        config.out.mkdir(parents=True, exist_ok=True)
        self.record = Record(
            config.out, console or Console(), steps=config.log_steps, silent=not self.main
        )
        self._half = config.precision == "bf16" or (
            config.precision == "auto"
            and (self.device.type == "cpu" or torch.cuda.is_bf16_supported())
        )
        self.wrapped: dict[str, nn.Module] = {}
        self.stopped = False
        self._micro = 0
        self._best = float("-inf")
        self._saved_step = -1
        self._saved_seconds = self._validated_seconds = 0.0

    def begin(
        self,
        *,
        recipe: Recipe,
        networks: Mapping[str, nn.Module],
        averages: Mapping[str, WeightAverage[Any]],
        optimizers: Mapping[str, torch.optim.Optimizer],
        epoch_samples: int,
        notes: Mapping[str, Any] | None = None,
    ) -> None:
        """Move everything to the device, spread it over the processes, and go on from a state.

        Args:
            recipe: of the network whose average is the checkpoint: the first of `averages`.
            networks: what is trained.
            averages: of networks, by the same names.
            optimizers: of networks, by the same names.
            epoch_samples: samples of a pass over the data.
            notes: what the checkpoint says of its making, e.g. which data.

        Raises:
            CheckpointError: the states in the folder are damaged or of another training.
            TrainingError: they are of a run with other options.
        """
        self._recipe = recipe
        self._networks, self._averages = dict(networks), dict(averages)
        self._optimizers = dict(optimizers)
        self._notes = {
            "config": self.config.to_json(),
            "norface": norface.__version__,
            "torch": torch.__version__,
            "processes": self._processes.world,
            "sharded": self._processes.sharded,
            **(notes or {}),
        }
        self._modules = self._networks | {
            f"{name}_average": average.network for name, average in averages.items()
        }
        for module in self._modules.values():
            module.to(self.device)
        for name, network in self._networks.items():
            if self.config.checkpointing:
                _checkpoint_activations(network)
            self.wrapped[name] = self._processes.wrap(
                network, self._optimizers.get(name), compiled=self.config.compile
            )
            network.train()
        if self._processes.sharded:
            for average in averages.values():
                shard(average.network)
        self.schedule = Schedule(
            steps=self.config.length(epoch_samples),
            minutes=self.config.minutes,
            warmup=self.config.warmup,
        )
        values, faults = load_newest(
            self.config.out, modules=self._modules, optimizers=self._optimizers
        )
        for fault in faults:
            self.record.say(f"[yellow]left out: {fault}[/]")
        if values is None:
            self.schedule.start()
        else:
            self._check_same(values["config"])
            self.schedule.start(values["step"], values["seconds"])
            self._best = values["best"] if values["best"] is not None else self._best
            self.record.say(f"going on from step {self.schedule.step}")
        self._saved_step = self.schedule.step if values is not None else -1
        self._saved_seconds = self._validated_seconds = self.schedule.seconds
        with self._writing():
            self.record.start(self.schedule.step)

    def _check_same(self, other: Mapping[str, Any]) -> None:
        own = self.config.what_is_learned()
        differing = [k for k in own if k in other and other[k] != own[k]]
        if differing:
            said = ", ".join(f"{k} was {other[k]}, not {own[k]}" for k in differing)
            raise TrainingError(
                f"{self.config.out} holds a run with other options ({said}). Go on with the same "
                "ones, or give another folder."
            )

    def batches(self, make: Callable[[int, Part], B]) -> Iterator[B]:
        """The batches up to the end of the run, on the device; each part of a step by itself.

        Args:
            make: the number of a step and a part of its batch -> a tuple of tensors. Equal numbers
                must give equal batches.
        """
        parts, world, rank = self.config.accumulate, self._processes.world, self._processes.rank

        def nth(number: int) -> B:
            step, micro = divmod(number, parts)
            return make(step, Part(micro * world + rank, parts * world))

        with StopRequest() as stop, ahead(nth, self.schedule.step * parts) as items:
            for batch in items:
                if self._micro == 0:
                    self.stopped = self._agreed(stop.asked)
                    if self.schedule.done or self.stopped:
                        break
                    for optimizer in self._optimizers.values():
                        for group in optimizer.param_groups:
                            group["lr"] = group["peak"] * self.schedule.rate
                torch.manual_seed(
                    (self.config.seed * 1_000_003 + self.schedule.step) * 64
                    + self._micro * world
                    + rank
                )
                yield _moved(batch, self.device)

    def autocast(self) -> AbstractContextManager[Any]:
        """The precision of the networks' arithmetic."""
        if not self._half:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def descend(self, name: str, loss: Tensor) -> None:
        """Gradients of a loss for one network, and at the last part of a batch a step.

        Args:
            name: of the network and its optimizer.
            loss: scalar, the mean over this part of the batch.

        Raises:
            TrainingError: a gradient is not finite.
        """
        last = self._micro == self.config.accumulate - 1
        network, optimizer = self.wrapped[name], self._optimizers[name]
        with nullcontext() if last else self._processes.quiet(network):
            (loss / self.config.accumulate).backward()  # type: ignore[no-untyped-call]
        if not last:
            return
        norm = whole(nn.utils.clip_grad_norm_(self._networks[name].parameters(), self.config.clip))
        if not torch.isfinite(norm):
            raise TrainingError(
                f"step {self.schedule.step}: the loss of {name} ({float(loss.detach()):.4g}) has "
                f"no finite gradient. {self._kept()} Look for damaged samples, or start again in "
                "another folder with a lower learning rate or precision fp32."
            )
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def end_step(self, losses: Mapping[str, Tensor], *, samples: int) -> None:
        """Count a part of a batch; after the last one average, report and save.

        Args:
            losses: scalars for the log.
            samples: how many this process computed.

        Raises:
            TrainingError: the disk is full.
        """
        self.record.add(samples * self._processes.world, losses)
        self._micro = (self._micro + 1) % self.config.accumulate
        if self._micro:
            return
        self.schedule.advance()
        # All processes decide what is due by one clock.
        self._agreed(False)
        for average in self._averages.values():
            average.update(self.schedule.step)
        self._report()
        if self._due(self.config.save_steps, self.config.save_minutes, self._saved_seconds):
            self._saved_seconds = self.schedule.seconds
            self.save()

    def validation_due(self) -> bool:
        """Whether it is time to validate, apart from the end; all processes agree."""
        if self._micro or self.schedule.step == 0 or self.schedule.done:
            return False
        config = self.config
        if not self._due(config.validate_steps, config.validate_minutes, self._validated_seconds):
            return False
        self._validated_seconds = self.schedule.seconds
        return True

    def validated(
        self,
        figures: Mapping[str, float],
        *,
        best: float | None = None,
        pictures: Mapping[str, NDArray[np.uint8]] | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> None:
        """Record a validation, and keep the averaged network if it is the best so far.

        Args:
            figures: by name.
            best: what the best network has most of.
            pictures: (H, W, 3) RGB by name.
            notes: what the checkpoints say from now on.
        """
        self._notes |= notes or {}
        if figures:
            said = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
            self.record.say(f"       validation: {said}")
        with self._writing():
            self.record.write("validation", self.schedule, figures)
            for name, picture in (pictures or {}).items():
                self.record.picture(name, self.schedule, picture)
            if best is not None and best > self._best:
                self._best = best
                self._write_checkpoint(self._checkpoint.with_name(f"best_{self._checkpoint.name}"))

    def save(self) -> None:
        """Write a state and the checkpoint.

        Raises:
            TrainingError: the disk is full; what was written before stays.
        """
        self._report(force=True)
        with self._writing():
            if self._saved_step != self.schedule.step:
                save_state(
                    self.config.out,
                    step=self.schedule.step,
                    keep=self.config.keep,
                    modules=self._modules,
                    optimizers=self._optimizers,
                    values={
                        "step": self.schedule.step,
                        "seconds": self.schedule.seconds,
                        "best": None if self._best == float("-inf") else self._best,
                        "seed": self.config.seed,
                        "config": self.config.what_is_learned(),
                        "norface": norface.__version__,
                    },
                    write=self.main,
                )
                self._saved_step = self.schedule.step
            self._write_checkpoint(self._checkpoint)

    def finish(self) -> Path:
        """Write the last state and checkpoint; a dry run reads them back and removes them.

        Returns:
            The checkpoint.
        """
        self.save()
        self.record.close()
        # All return with the checkpoint written; and none ends while torch's threads still drop
        # what was exchanged last, which aborts the process.
        self._processes.wait()
        if self.config.dry_run:
            load_state(
                state_files(self.config.out)[-1],
                modules=self._modules,
                optimizers=self._optimizers,
            )
            self._processes.wait()
            if self.main:
                shutil.rmtree(self.config.out)
            self.record.say("dry run: every part works")
        return self._checkpoint

    def _write_checkpoint(self, path: Path) -> None:
        name = next(iter(self._averages))
        network = self._averages[name].network
        tensors = {key: whole(value) for key, value in network.state_dict().items()}
        if self.main:
            notes = self._notes | {"steps": self.schedule.step}
            save_network(path, network, self._recipe, notes=notes, tensors=tensors)

    def _agreed(self, asked: bool) -> bool:
        """Whether any process was asked to stop; and all take the first one's clock."""
        asked, self.schedule.seconds = self._processes.agree(asked, self.schedule.seconds)
        return asked

    def _due(self, steps: int | None, minutes: float, since: float) -> bool:
        if steps is not None:
            return self.schedule.step % steps == 0
        return self.schedule.seconds - since > 60.0 * minutes

    def _report(self, *, force: bool = False) -> None:
        rates = {
            f"rate_{name}": max(group["lr"] for group in optimizer.param_groups)
            for name, optimizer in self._optimizers.items()
        }
        with self._writing():
            self.record.report(self.schedule, rates, force=force)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say so when the disk is full; what was written before stays."""
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise TrainingError(
                f"{self.config.out}: the disk is full. {self._kept()} Free some space and run the "
                "same command again."
            ) from error

    def _kept(self) -> str:
        states = state_files(self.config.out)
        if not states:
            return "No state has been written yet."
        return f"The state {states[-1]} is kept."


def _tried(config: C) -> C:
    return dataclasses.replace(
        config,
        out=config.out / "dry-run",
        minutes=None,
        steps=2,
        epochs=None,
        save_steps=1,
        validate_steps=1,
        log_steps=1,
    )


def _checkpoint_activations(network: nn.Module) -> None:
    for part in network.modules():
        if hasattr(part, "checkpointing"):
            setattr(part, "checkpointing", True)  # noqa: B010


def _moved(batch: B, device: torch.device) -> B:
    if device.type == "cpu":
        return batch
    moved = [
        item.pin_memory().to(device, non_blocking=True) if isinstance(item, Tensor) else item
        for item in batch
    ]
    make = getattr(batch, "_make", tuple)
    return cast(B, make(moved))
