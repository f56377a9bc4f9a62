"""What a run says while it works: lines, a log, TensorBoard."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from tensorboardX import SummaryWriter
from torch import Tensor

from norface.models.checkpoint import write_whole
from norface.training.schedule import Schedule

LOG = "log.jsonl"


class Record:
    """Writes ``log.jsonl``, TensorBoard's files and pictures, and says now and then how it goes.

    Args:
        out: folder of the run.
        console: where lines go.
        steps: steps between two lines of the log; 0: every 15 seconds.
        silent: for all processes but the first: nothing is written or said.
    """

    def __init__(
        self, out: Path, console: Console, *, steps: int = 0, silent: bool = False
    ) -> None:
        self._out = out
        self._console = console
        self._steps = steps
        self._silent = silent
        self._board: SummaryWriter | None = None
        self._losses: list[dict[str, Tensor]] = []
        self._samples = 0
        self._since = time.monotonic()

    def start(self, step: int) -> None:
        """Forget what an interrupted run wrote after the state that it goes on from."""
        self._since = time.monotonic()
        if self._silent:
            return
        log = self._out / LOG
        if log.exists():
            lines = [line for line in log.read_text().splitlines(keepends=True) if _whole(line)]
            kept = [line for line in lines if json.loads(line).get("step", 0) <= step]
            write_whole(log, "".join(kept).encode())
        self._board = SummaryWriter(str(self._out / "tensorboard"), purge_step=step or None)

    def add(self, samples: int, losses: Mapping[str, Tensor]) -> None:
        """Take in the losses of a part of a batch."""
        # Kept as tensors: reading one waits for the device.
        self._losses.append({name: value.detach() for name, value in losses.items()})
        self._samples += samples

    def report(
        self, schedule: Schedule, rates: Mapping[str, float], *, force: bool = False
    ) -> None:
        """Write the means since the last report, if it is time."""
        elapsed = time.monotonic() - self._since
        due = schedule.step % self._steps == 0 if self._steps else elapsed >= 15.0
        if not self._losses or not (due or force):
            return
        means = self._means()
        speed = self._samples / max(elapsed, 1e-6)
        self._losses, self._samples = [], 0
        self._since = time.monotonic()
        self.write(
            "train", schedule, {**means, **rates, "speed": speed, "seconds": schedule.seconds}
        )
        losses = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        self.say(
            f"[bold]{100 * schedule.progress:5.1f}%[/]  step {schedule.step}  {losses}  "
            f"{speed:.0f} samples/s  {_clock(schedule.seconds_left)} left"
        )

    def write(self, group: str, schedule: Schedule, values: Mapping[str, Any]) -> None:
        """Add a line to the log, and its numbers to TensorBoard."""
        if self._silent:
            return
        # JSON knows no NaN, which is how an undefined figure comes.
        known = {k: None if isinstance(v, float) and v != v else v for k, v in values.items()}
        with (self._out / LOG).open("a") as stream:
            stream.write(json.dumps({"step": schedule.step, **known}) + "\n")
        if self._board is not None:
            for name, value in known.items():
                if isinstance(value, (int, float)):
                    self._board.add_scalar(f"{group}/{name}", value, schedule.step)
            self._board.flush()

    def picture(self, name: str, schedule: Schedule, picture: NDArray[np.uint8]) -> None:
        """Show a picture (H, W, 3) RGB: ``pictures/NAME_STEP.png``, and in TensorBoard."""
        if self._silent:
            return
        _, content = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
        write_whole(self._out / "pictures" / f"{name}_{schedule.step:06d}.png", content.tobytes())
        if self._board is not None:
            self._board.add_image(name, picture, schedule.step, dataformats="HWC")

    def say(self, text: str) -> None:
        """Print a line."""
        if not self._silent:
            self._console.print(text, highlight=False)

    def close(self) -> None:
        """Finish TensorBoard's files."""
        if self._board is not None:
            self._board.close()
            self._board = None

    def _means(self) -> dict[str, float]:
        names = list(dict.fromkeys(name for losses in self._losses for name in losses))
        means = []
        for name in names:
            values = [losses[name].float() for losses in self._losses if name in losses]
            means.append(torch.stack(values).mean())
        return dict(zip(names, torch.stack(means).tolist(), strict=True))


def _whole(line: str) -> bool:
    """Whether a line of the log was written to its end."""
    return line.endswith("}\n")


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
