"""How quickly do the networks train, and how much of the machine's matrix speed is that?

    python benchmarks/training_speed.py --preset tiny base --batch 8 [--steps 5] [--profile]

Both stages: ``normalization``, a paired step of F_nor, and ``classification``, a step of F_cla on
images, which holds a forward pass of the frozen F_nor. The training loops themselves run, on random
pictures, with their own data, optimizer and weight average; only saving and validation are left
out. ``pretraining`` (transformer presets) is the masked autoencoder of the encoder.

- images/s: in steps after the warm-up, waiting for data included;
- GFLOP: of an image forward and backward, matrix products, convolutions and attention alone, each
  multiplication with its addition as two (`torch.utils.flop_counter`); with ``--checkpointing``
  what is computed twice counts twice;
- GFLOP/s: of these, on a CPU in the process's own time (CPU time over threads), so that other
  programs on the machine do not count; of peak: of large square matrix products, timed likewise,
  the best of several, in bfloat16 or float32 as the networks run;
- data: time to make a batch in one thread, and the share of a step spent waiting for it (training
  makes batches ahead).

``--profile`` says where the time of a step goes, by kinds of operation (`torch.profiler`); on a GPU
the time is that of its kernels.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from norface import facs
from norface.data.shards import write_shard
from norface.models.checkpoint import Recipe, save_network
from norface.models.sizes import PRESETS, preset
from norface.synthesis.shard_format import fields
from norface.training import classification, normalization, pretraining
from norface.training.batches import Part
from norface.training.classification_config import ClassificationConfig
from norface.training.config import RunConfig
from norface.training.normalization_config import NormalizationConfig
from norface.training.pretraining_config import PretrainingConfig
from norface.training.run import Run

SAMPLES = 64
STAGES = ("normalization", "classification", "pretraining")
# The first that fits counts; names of PyTorch's operations.
GROUPS = (
    ("optimizer", ("_foreach", "_fused_adam", "Optimizer.")),
    ("attention", ("scaled_dot_product", "aten::bmm", "softmax", "flash_attn")),
    ("convolution", ("conv", "aten::slow_", "aten::thnn_")),
    ("matmul", ("aten::mm", "aten::addmm", "aten::linear", "mkldnn_linear", "aten::matmul")),
    ("norm", ("layer_norm", "batch_norm", "group_norm", "native_norm")),
    ("resampling", ("grid_sampl", "upsample", "pool", "interpolate")),
    ("copies", ("aten::copy_", "aten::cat", "aten::_to_copy", "aten::clone", "aten::stack")),
    ("indexing", ("gather", "scatter", "index", "embedding", "sort", "topk")),
)
OTHER = "elementwise and other"


@dataclass
class Measured:
    """What is known of a stage after its steps.

    Attributes:
        batch: images a step.
        parameters: that are trained.
        flops: of a step.
        seconds: of each step after the warm-up, waiting included.
        busy: the same in the time of `own_time`.
        waited: for data, of the same steps.
        made: time to make a batch in one thread.
        shares: group of operations -> share of the time.
    """

    batch: int
    parameters: int = 0
    flops: int = 0
    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    made: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", nargs="+", default=["tiny"], choices=sorted(PRESETS))
    parser.add_argument("--stage", nargs="+", default=list(STAGES[:2]), choices=STAGES)
    parser.add_argument("--batch", type=int, default=16, help="images a step")
    parser.add_argument("--steps", type=int, default=5, help="that are timed")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them")
    parser.add_argument("--precision", default="auto", choices=["auto", "bf16", "fp32"])
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    parser.add_argument("--checkpointing", action="store_true", help="of activations")
    parser.add_argument("--cpu", action="store_true", help="leave a GPU alone")
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch on a CPU")
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    options = parser.parse_args()
    # The profiler's own lines.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    if options.cpu:
        os.environ["ACCELERATE_USE_CPU"] = "true"
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() and not options.cpu else "cpu")
    console = Console(width=120)
    console.print(machine(device))
    peaks = {kind: matrix_peak(device, kind) for kind in (torch.bfloat16, torch.float32)}
    for kind, peak in peaks.items():
        console.print(f"matrix peak {str(kind).removeprefix('torch.')}: {peak / 1e9:.0f} GFLOP/s")
    half = options.precision == "bf16" or (
        options.precision == "auto" and (device.type == "cpu" or torch.cuda.is_bf16_supported())
    )
    peak = peaks[torch.bfloat16 if half else torch.float32]
    columns = ("preset", "stage", "batch", "parameters", "GFLOP/image", "images/s", "GFLOP/s")
    table = Table(*columns, "of peak", "data", "waiting", box=None, padding=(0, 3, 0, 0))
    for name in options.preset:
        for stage in options.stage:
            if stage == "pretraining" and preset(name).masked is None:
                continue
            with tempfile.TemporaryDirectory() as folder:
                found = measure(stage, name, Path(folder), options)
            if not found.seconds:
                raise SystemExit("stopped before any step was timed")
            table.add_row(name, stage, *row(found, peak))
            for group, share in sorted(found.shares.items(), key=lambda pair: -pair[1]):
                console.print(f"  {name} {stage}: {100 * share:5.1f}%  {group}", highlight=False)
    console.print(table)


def row(found: Measured, peak: float) -> list[str]:
    """The cells of a measured stage; peak in FLOP/s."""
    seconds = median(found.seconds)
    speed = found.flops / median(found.busy)
    return [
        str(found.batch),
        f"{found.parameters / 1e6:.1f} M",
        f"{found.flops / found.batch / 1e9:.2f}",
        f"{found.batch / seconds:.2f}",
        f"{speed / 1e9:.1f}",
        f"{100 * speed / peak:.0f}%",
        f"{1000 * found.made:.0f} ms",
        f"{100 * sum(found.waited) / sum(found.seconds):.0f}%",
    ]


def machine(device: torch.device) -> str:
    """What the figures were measured on."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, PyTorch {torch.__version__}"
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    return f"CPU, {torch.get_num_threads()} threads{load}, PyTorch {torch.__version__}"


def matrix_peak(device: torch.device, kind: torch.dtype, *, seconds: float = 1.5) -> float:
    """FLOP/s of square matrix products, the best of as many as fit into the time."""
    side = 8192 if device.type == "cuda" else 1536
    a, b = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    out = torch.empty_like(a)
    torch.mm(a, b, out=out)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        synchronize(device)
        start = own_time(device)
        torch.mm(a, b, out=out)
        synchronize(device)
        best = min(best, own_time(device) - start)
    return 2 * side**3 / best


def count_flops(step: Callable[[], Any]) -> int:
    """FLOP of what `step` computes: matrix products, convolutions, attention; also backwards."""
    with flop_counter() as counter:
        step()
    return int(counter.get_total_flops())


def flop_counter() -> FlopCounterMode:
    """PyTorch's counter, which takes a grouped convolution's gradient for that of a full one."""
    own = {torch.ops.aten.convolution_backward: _convolution_backward_flops}
    return FlopCounterMode(display=False, custom_mapping=own)


def _convolution_backward_flops(
    gradient: Sequence[int], x: Sequence[int], weight: Sequence[int], *rest: Any, **_: Any
) -> int:
    """Each gradient that is asked for costs as much as the convolution; arguments are shapes."""
    transposed, mask = rest[4], rest[7]
    forward = 2 * prod(x if transposed else gradient) * prod(weight[1:])
    return forward * (bool(mask[0]) + bool(mask[1]))


def own_time(device: torch.device) -> float:
    """Seconds of this process: on a CPU what it computed, as if all its threads had shared it."""
    if device.type == "cuda":
        return time.perf_counter()
    return time.process_time() / torch.get_num_threads()


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


# The loops, watched --------------------------------------------------------------------------


def measure(stage: str, name: str, folder: Path, options: argparse.Namespace) -> Measured:
    """Run a stage's training loop for a few steps on random pictures."""
    found = Measured(options.batch)
    # One step to count in, and one to profile.
    steps = options.warmup + options.steps + 1 + options.profile
    write_random_shard(folder / "shards", preset(name).image_size)
    common: dict[str, Any] = {
        "out": folder / "run", "steps": steps, "preset": name, "batch": options.batch,
        "precision": options.precision, "compile": options.compile,
        "checkpointing": options.checkpointing, "threads": options.threads, "warmup": 0.0,
    }  # fmt: skip
    config: RunConfig
    if stage == "normalization":
        config = NormalizationConfig(
            data=(folder / "shards",), held_out=0, groups=min(4, options.batch), **common
        )
        with watched(normalization, found, options), quiet(normalization):
            normalization.train_normalization(config, Console(file=io.StringIO()))
    elif stage == "classification":
        weights = folder / "normalization.safetensors"
        recipe = Recipe(kind="normalization", preset=name)
        save_network(weights, recipe.build(), recipe)
        config = ClassificationConfig(
            data=(folder / "shards",), normalization=weights, reads="images", **common
        )
        with watched(classification, found, options):
            classification.train_classification(config, Console(file=io.StringIO()))
    else:
        config = PretrainingConfig(shards=(folder / "shards",), held_out=0, **common)
        with watched(pretraining, found, options), quiet(pretraining):
            pretraining.train_encoder(config, Console(file=io.StringIO()))
    return found


def write_random_shard(folder: Path, crop: int) -> None:
    """`SAMPLES` samples of noise, each another person on one of two targets."""
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for name, (shape, kind) in fields(crop).items():
        if kind is np.uint8:
            arrays[name] = rng.integers(0, 256, (SAMPLES, *shape), np.uint8)
        else:
            arrays[name] = rng.random((SAMPLES, *shape))
    arrays["identity"] = np.arange(SAMPLES)
    arrays["emotion"] = np.arange(SAMPLES) % len(facs.EMOTIONS)
    arrays["target_id"] = np.arange(SAMPLES) % 2
    write_shard(folder / "shard_0000.npz", **arrays)
    np.savez(folder / "targets.npz", image=rng.integers(0, 256, (2, 256, 256, 3), np.uint8))


@contextmanager
def watched(loop: Any, found: Measured, options: argparse.Namespace) -> Iterator[None]:
    """A training loop whose steps are measured and whose run keeps nothing."""

    class WatchedRun(Run[Any]):
        def batches(self, make: Callable[[int, Part], Any]) -> Iterator[Any]:
            networks = self.wrapped.values()
            parameters = [p for network in networks for p in network.parameters()]
            found.parameters = sum(p.numel() for p in parameters if p.requires_grad)
            make(0, Part(0, 1))  # Fills caches.
            start = time.perf_counter()
            make(1, Part(0, 1))
            found.made = time.perf_counter() - start
            counted, profiled = options.warmup, options.warmup + options.steps + 1
            start, own_start = time.perf_counter(), own_time(self.device)
            for number, batch in enumerate(super().batches(make)):
                waited = time.perf_counter() - start
                if number == counted:
                    # Of compiled code nothing could be counted.
                    eager = torch.compiler.set_stance("force_eager")
                    with eager, flop_counter() as counter:
                        yield batch
                    found.flops = int(counter.get_total_flops())
                elif number == profiled:
                    with profile(activities=activities(self.device)) as trace:
                        yield batch
                        synchronize(self.device)
                    found.shares = time_shares(trace, self.device)
                else:
                    yield batch
                synchronize(self.device)
                if counted < number < profiled:
                    found.seconds.append(time.perf_counter() - start)
                    found.busy.append(own_time(self.device) - own_start)
                    found.waited.append(waited)
                start, own_start = time.perf_counter(), own_time(self.device)
            # For loops that validate at their end unless they were stopped.
            self.stopped = True

        def validation_due(self) -> bool:
            return False

        def save(self, **_: Any) -> None:
            pass

    kept = loop.Run
    loop.Run = WatchedRun
    try:
        yield
    finally:
        loop.Run = kept


@contextmanager
def quiet(loop: Any) -> Iterator[None]:
    """A training loop without its validation."""
    kept = loop.validate
    loop.validate = lambda *_, **__: None
    try:
        yield
    finally:
        loop.validate = kept


# Where the time goes -------------------------------------------------------------------------


def activities(device: torch.device) -> list[ProfilerActivity]:
    gpu = [ProfilerActivity.CUDA] if device.type == "cuda" else []
    return [ProfilerActivity.CPU, *gpu]


def time_shares(trace: Any, device: torch.device) -> dict[str, float]:
    """Group of operations -> its share of the time that all operations take themselves."""
    times: dict[str, float] = defaultdict(float)
    for event in trace.key_averages():
        gpu = device.type == "cuda"
        own = event.self_device_time_total if gpu else event.self_cpu_time_total
        # On a GPU the kernels are listed beside the operations that started them.
        if own > 0 and not (gpu and event.device_type != torch.autograd.DeviceType.CPU):
            times[group_of(event.key)] += own
    total = sum(times.values())
    return {group: value / total for group, value in times.items()}


def group_of(operation: str) -> str:
    """The group in `GROUPS` of one of PyTorch's operations."""
    for group, words in GROUPS:
        if any(word in operation for word in words):
            return group
    return OTHER


if __name__ == "__main__":
    sys.exit(main())
