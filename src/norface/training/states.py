"""The states of a run: files that hold all that going on needs. Whole or not there at all.

``out/states/step_00001000.safetensors`` holds the networks, their averages and the optimizers; JSON
in its header holds the rest. Randomness needs no state: it is seeded by the number of the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from norface.models.checkpoint import (
    FORMAT,
    CheckpointError,
    fill,
    read_tensors,
    write_tensors,
)
from norface.training.sharding import fill_in_place, placed_like, whole

FOLDER = "states"


def state_files(out: Path) -> list[Path]:
    """The states in the folder of a run, oldest first."""
    return sorted((out / FOLDER).glob("step_*.safetensors"))


def save_state(
    out: Path,
    *,
    step: int,
    keep: int,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    values: Mapping[str, Any],
    write: bool = True,
) -> None:
    """Write a state, then remove all but the last `keep`.

    Args:
        out: folder of the run.
        step: of the run.
        keep: how many states stay.
        modules: by a name without dots.
        optimizers: likewise.
        values: anything that JSON can hold.
        write: off for all processes but the first: they only lend their parts.
    """
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"module.{name}.{key}": whole(v) for key, v in module.state_dict().items()}
    plain: dict[str, Any] = {}
    for name, optimizer in optimizers.items():
        state = optimizer.state_dict()
        scalars: dict[str, dict[str, Any]] = {}
        for index, slots in state["state"].items():
            for slot, value in slots.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer.{name}.{index}.{slot}"] = whole(value)
                else:
                    scalars.setdefault(str(index), {})[slot] = value
        plain[name] = {"groups": state["param_groups"], "scalars": scalars}
    if not write:
        return
    header = {"format": FORMAT, "optimizers": plain, "values": dict(values)}
    write_tensors(out / FOLDER / f"step_{step:08d}.safetensors", tensors, header)
    for old in state_files(out)[:-keep]:
        old.unlink()


def load_state(
    path: Path,
    *,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> dict[str, Any]:
    """Restore modules and optimizers in place, as `save_state` wrote them.

    Returns:
        The values.

    Raises:
        CheckpointError: no such file, damaged, or of another training.
    """
    tensors, header = read_tensors(path)
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        kind, name, rest = key.split(".", 2)
        parts.setdefault(f"{kind}.{name}", {})[rest] = tensor
    for name, module in modules.items():
        _restore(module, parts.get(f"module.{name}", {}), path)
    for name, optimizer in optimizers.items():
        plain = header.get("optimizers", {}).get(name)
        if plain is None:
            raise CheckpointError(f"{path} lacks the state of the optimizer {name}")
        state: dict[int, dict[str, Any]] = {
            int(index): dict(slots) for index, slots in plain["scalars"].items()
        }
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for key, tensor in parts.get(f"optimizer.{name}", {}).items():
            index, slot = key.split(".", 1)
            if int(index) >= len(parameters):
                raise CheckpointError(f"{path} does not fit the optimizer {name}")
            like = parameters[int(index)]
            fits = tensor.shape == like.shape
            state.setdefault(int(index), {})[slot] = placed_like(tensor, like) if fits else tensor
        try:
            optimizer.load_state_dict({"state": state, "param_groups": plain["groups"]})
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"{path} does not fit the optimizer {name}: {error}") from error
    return dict(header.get("values", {}))


def load_newest(
    out: Path,
    *,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> tuple[dict[str, Any] | None, Sequence[str]]:
    """Restore the newest state that is readable.

    Returns:
        its values, None if there is no state yet; and what is wrong with newer ones.

    Raises:
        CheckpointError: there are states, but none fits.
    """
    faults: list[str] = []
    for path in reversed(state_files(out)):
        try:
            return load_state(path, modules=modules, optimizers=optimizers), faults
        except CheckpointError as error:
            faults.append(str(error))
    if faults:
        raise CheckpointError("; ".join(faults))
    return None, faults


def _restore(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    if any(hasattr(p, "device_mesh") for p in module.parameters()):
        fill_in_place(module, tensors)
    else:
        fill(module, tensors, path)
