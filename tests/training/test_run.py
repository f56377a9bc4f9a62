"""What all training loops share, seen through a small one."""

from __future__ import annotations

import errno
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from norface.models.checkpoint import CheckpointError, read_tensors
from norface.training import states
from norface.training.batches import Part
from norface.training.run import TrainingError

SLOW = {**os.environ, "PAUSE": "0.03"}
SCRIPT = Path(__file__).with_name("small_loop.py")
_spec = importlib.util.spec_from_file_location("small_loop", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
small_loop = importlib.util.module_from_spec(_spec)
sys.modules["small_loop"] = small_loop
_spec.loader.exec_module(small_loop)


def train(out: Path, steps: int | None = 12, **options: Any) -> str:
    """Train in this process; returns what was said."""
    said = io.StringIO()
    options = {"precision": "fp32", "log_steps": 1, "batch": 8, **options}
    config = small_loop.SmallConfig(out=out, steps=steps, **options)
    small_loop.train(config, Console(file=said, width=1000))
    return said.getvalue()


def command(out: Path, steps: int, *options: str, processes: int = 1) -> list[str]:
    words = [str(SCRIPT), str(out), str(steps), "precision=fp32", "log_steps=1", "batch=8"]
    if processes == 1:
        return [sys.executable, *words, *options]
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [sys.executable, *start, *words, *options]


def run_together(out: Path, steps: int, *options: str) -> None:
    """Two processes train; if they fail, what they said is shown."""
    words = command(out, steps, *options, processes=2)
    ended = subprocess.run(words, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def curve(out: Path) -> dict[int, float]:
    """The loss of every step."""
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if "loss" in line}


def weights(out: Path) -> Mapping[str, torch.Tensor]:
    """All tensors of the last state."""
    return read_tensors(states.state_files(out)[-1])[0]


def test_a_run_killed_at_any_moment_goes_on_with_the_same_curve(tmp_path: Path) -> None:
    train(tmp_path / "whole", 60, save_steps=7)
    broken = tmp_path / "broken"
    # Killed twice without a warning, at moments that no step and no writing waits for.
    for kills in range(2):
        process = subprocess.Popen(command(broken, 60, "save_steps=7"), env=SLOW)
        while not states.state_files(broken) or len(curve(broken)) < 20 * (kills + 1):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = len(curve(broken))
    assert 40 <= done < 60
    train(broken, 60, save_steps=7)
    assert curve(broken) == curve(tmp_path / "whole")
    for name, tensor in weights(tmp_path / "whole").items():
        assert torch.equal(tensor, weights(broken)[name]), name


def test_a_run_asked_to_stop_keeps_its_last_step(tmp_path: Path) -> None:
    process = subprocess.Popen(command(tmp_path, 200), env=SLOW)
    while not (tmp_path / "log.jsonl").exists() or len(curve(tmp_path)) < 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    last = max(curve(tmp_path))
    assert states.state_files(tmp_path)[-1].name == f"step_{last:08d}.safetensors"


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_learn_what_one_does(tmp_path: Path, strategy: str) -> None:
    config = small_loop.SmallConfig(out=tmp_path / "one", steps=6, batch=8, precision="fp32")
    small_loop.train(config, Console(file=io.StringIO()), dropout=False)
    run_together(tmp_path / "two", 6, f"strategy={strategy}")
    one, other = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == other.keys()
    notes = read_tensors(tmp_path / "two" / "net.safetensors")[1]["notes"]
    assert (notes["processes"], notes["sharded"]) == (2, strategy == "fsdp")
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, rtol=1e-4, atol=1e-6)


def test_a_sharded_run_goes_on_in_one_process(tmp_path: Path) -> None:
    run_together(tmp_path, 4, "strategy=fsdp")
    assert read_tensors(tmp_path / "net.safetensors")[1]["notes"]["sharded"]
    assert "going on from step 4" in train(tmp_path, 8)
    assert max(curve(tmp_path)) == 8


def test_accumulated_parts_give_the_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    for name, parts in (("whole", 1), ("parts", 4)):
        config = small_loop.SmallConfig(
            out=tmp_path / name, steps=5, batch=8, accumulate=parts, precision="fp32"
        )
        small_loop.train(config, Console(file=io.StringIO()), dropout=False)
    for name, tensor in weights(tmp_path / "whole").items():
        torch.testing.assert_close(weights(tmp_path / "parts")[name], tensor, rtol=1e-4, atol=1e-6)


def test_the_last_states_and_the_best_network_are_kept(tmp_path: Path) -> None:
    train(tmp_path, 12, save_steps=2, keep=3, validate_steps=1)
    names = [path.name for path in states.state_files(tmp_path)]
    assert names == [f"step_{step:08d}.safetensors" for step in (8, 10, 12)]
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    errors = {line["step"]: line["error"] for line in lines if "error" in line}
    _, header = read_tensors(tmp_path / "best_net.safetensors")
    assert header["notes"]["steps"] == min(errors, key=lambda step: errors[step])
    assert (tmp_path / "net.safetensors").exists()


def test_the_checkpoint_knows_how_it_was_made(tmp_path: Path) -> None:
    train(tmp_path, 3, seed=5)
    notes = read_tensors(tmp_path / "net.safetensors")[1]["notes"]
    assert notes["config"]["seed"] == 5
    assert notes["steps"] == 3
    assert set(notes) >= {"norface", "torch"}


def test_a_damaged_state_is_passed_over(tmp_path: Path) -> None:
    train(tmp_path, 6, save_steps=3)
    newest = states.state_files(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    said = train(tmp_path, 8)
    assert f"left out: {newest}" in said
    assert "going on from step 3" in said


def test_without_any_sound_state_nothing_is_trained_over_it(tmp_path: Path) -> None:
    train(tmp_path, 3)
    newest = states.state_files(tmp_path)[-1]
    newest.write_bytes(b"")
    with pytest.raises(CheckpointError, match=newest.name):
        train(tmp_path, 8)


def test_a_run_does_not_go_on_with_other_options(tmp_path: Path) -> None:
    train(tmp_path, 3)
    with pytest.raises(TrainingError, match=r"learning_rate was 0\.001, not 0\.5"):
        train(tmp_path, 6, learning_rate=0.5)
    assert "going on from step 3" in train(tmp_path, 6, threads=1)


def test_a_gradient_that_is_no_number_ends_the_run_and_keeps_the_state(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"step 7: the loss of network \(nan\)") as error:
        train(tmp_path, 12, save_steps=3, poison=7)
    kept = states.state_files(tmp_path)[-1]
    assert kept.name == "step_00000006.safetensors"
    assert str(kept) in str(error.value)
    assert all(torch.isfinite(tensor).all() for tensor in weights(tmp_path).values())


def test_a_full_disk_ends_the_run_and_keeps_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path, 4)
    before = states.state_files(tmp_path)[-1].read_bytes()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("norface.models.checkpoint.os.fsync", full)
    with pytest.raises(TrainingError, match="the disk is full") as error:
        train(tmp_path, 8)
    assert "step_00000004.safetensors is kept" in str(error.value)
    assert [path.read_bytes() for path in states.state_files(tmp_path)] == [before]
    assert not list(tmp_path.rglob(".*.safetensors.*"))
    monkeypatch.undo()
    assert "going on from step 4" in train(tmp_path, 8)


def test_a_dry_run_tries_everything_and_leaves_nothing(tmp_path: Path) -> None:
    said = train(tmp_path / "run", None, dry_run=True)
    assert "step 2" in said
    assert "validation" in said
    assert "every part works" in said
    assert list((tmp_path / "run").iterdir()) == []


def test_tensorboard_gets_losses_rates_and_throughput(tmp_path: Path) -> None:
    train(tmp_path, 3, validate_steps=1)
    (file,) = (tmp_path / "tensorboard").iterdir()
    content = file.read_bytes()
    for tag in (b"train/loss", b"train/rate_network", b"train/speed", b"validation/error"):
        assert tag in content


def test_a_run_can_be_given_in_epochs(tmp_path: Path) -> None:
    train(tmp_path, None, epochs=2)
    assert max(curve(tmp_path)) == 2 * small_loop.SAMPLES / 8


def test_in_bfloat16_the_weights_stay_in_32_bits(tmp_path: Path) -> None:
    train(tmp_path / "half", 4, precision="bf16")
    train(tmp_path / "full", 4)
    half, full = weights(tmp_path / "half"), weights(tmp_path / "full")
    assert {tensor.dtype for tensor in half.values()} == {torch.float32}
    differences = [float((half[k] - full[k]).abs().max()) for k in full]
    assert 0 < max(differences) < 0.05


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": None}, "give one of minutes, steps and epochs"),
        ({"minutes": 1.0}, "give one of minutes, steps and epochs"),
        ({"batch": 8, "accumulate": 3}, "must be a multiple of accumulate 3"),
        ({"keep": 0}, "keep must be positive"),
        ({"warmup": 1.0}, "warmup must lie in"),
    ],
)
def test_options_are_checked(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        small_loop.SmallConfig(out=tmp_path, **({"steps": 3} | options))


def test_the_order_of_the_data_depends_on_seed_and_step_alone(tmp_path: Path) -> None:
    make = small_loop.make_batch(small_loop.SmallConfig(out=tmp_path, steps=1))
    whole = make(3, Part(0, 1)).x.numpy()
    parts = [make(3, Part(i, 2)).x.numpy() for i in range(2)]
    np.testing.assert_array_equal(whole[0::2], parts[0])
    np.testing.assert_array_equal(whole[1::2], parts[1])
    assert not np.array_equal(whole, make(4, Part(0, 1)).x.numpy())
