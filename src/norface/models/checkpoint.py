"""Checkpoints: safetensors files whose header holds JSON. No pickles.

A network's checkpoint says how to build it (`Recipe`) and how it was made (`notes`: data, code
version, seed, figures). It is one file, written beside its place and renamed, so that it is whole
or not there at all.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from norface.models import presets
from norface.models.classification import ClassificationNetwork
from norface.models.normalization import NormalizationNetwork
from norface.runtime.checkpoint_header import HEADER, checkpoint_header

FORMAT = 1
_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "normalization": presets.normalization,
    "classification": presets.classification,
    "emotions": presets.emotions,
    "masked_autoencoder": presets.masked_autoencoder,
    "expression_embedding": presets.expression_embedding,
}


class CheckpointError(RuntimeError):
    """The file is missing, damaged or of another network; the message names file and keys."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to build a network.

    Attributes:
        kind: name of the builder: ``"normalization"``, ``"classification"``, ``"emotions"``,
            ``"masked_autoencoder"`` or ``"expression_embedding"``.
        preset: a name in `presets.PRESETS`.
        options: further keyword arguments of the builder in `presets`, e.g.
            ``{"heads": ["action_units"]}``; anything that JSON can hold.
    """

    kind: str
    preset: str = "tiny"
    options: dict[str, Any] = field(default_factory=dict)

    def build(self, *, pretrained: bool = False) -> nn.Module:
        """A fresh network.

        Raises:
            CheckpointError: there is no such kind.
        """
        if self.kind not in _BUILDERS:
            raise CheckpointError(f"unknown kind of network {self.kind!r}")
        build = _BUILDERS[self.kind]
        if self.kind in ("masked_autoencoder", "emotions"):
            return build(self.preset, **self.options)
        return build(self.preset, pretrained=pretrained, **self.options)


def save_network(
    path: Path,
    network: nn.Module,
    recipe: Recipe,
    *,
    notes: Mapping[str, Any] | None = None,
    tensors: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a network; an existing file is replaced in one step.

    Args:
        path: e.g. ``runs/normalization/best.safetensors``.
        network: built by `recipe`.
        recipe: how to build it.
        notes: anything that JSON can hold.
        tensors: the network's, gathered, where they are spread over several processes.
    """
    header = {"format": FORMAT, "recipe": asdict(recipe), "notes": dict(notes or {})}
    write_tensors(path, tensors or network.state_dict(), header)


def load_normalization(path: Path) -> tuple[NormalizationNetwork, dict[str, Any]]:
    """F_nor in evaluation mode, and its notes.

    Raises:
        CheckpointError: no such file, damaged, or of another network.
    """
    network, notes = load_network(path)
    if not isinstance(network, NormalizationNetwork):
        raise CheckpointError(f"{path} holds no normalization network")
    return network, notes


def load_classification(path: Path) -> tuple[ClassificationNetwork, dict[str, Any]]:
    """F_cla in evaluation mode, and its notes; errors as `load_normalization`."""
    network, notes = load_network(path)
    if not isinstance(network, ClassificationNetwork):
        raise CheckpointError(f"{path} holds no classification network")
    return network, notes


def learned_from(*paths: Path | None) -> dict[str, list[str]]:
    """Data set -> people whom networks learned from, as far as their checkpoints tell.

    Args:
        paths: checkpoints; None, and files of others' networks, tell nothing.
    """
    people: dict[str, set[str]] = {}
    for path in paths:
        if path is None:
            continue
        try:
            header = read_header(path)
        except CheckpointError:
            continue
        for name, these in header.get("notes", {}).get("learned_from", {}).items():
            people.setdefault(name, set()).update(these)
    return {name: sorted(these) for name, these in people.items()}


def load_matching(path: Path, network: nn.Module) -> tuple[int, int]:
    """Copy a checkpoint's weights into a network wherever name and shape agree.

    Returns:
        how many tensors were copied, and how many the network has.

    Raises:
        CheckpointError: the file cannot be read.
    """
    tensors, _ = read_tensors(path)
    own = network.state_dict()
    matching = {k: v for k, v in tensors.items() if k in own and v.shape == own[k].shape}
    network.load_state_dict(own | matching)
    return len(matching), len(own)


def load_network(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Any network in evaluation mode, and its notes; errors as `load_normalization`."""
    tensors, header = read_tensors(path)
    try:
        network = Recipe(**header["recipe"]).build()
    except (KeyError, TypeError, ValueError, CheckpointError) as error:
        raise CheckpointError(f"{path} does not say which network it holds: {error}") from error
    fill(network, tensors, path)
    return network.eval(), dict(header.get("notes", {}))


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Put tensors into a network.

    Raises:
        CheckpointError: a key is missing, unknown, or of another shape; names all of them.
    """
    own = network.state_dict()
    faults = [f"{key} is missing" for key in own if key not in tensors]
    faults += [f"{key} is unknown" for key in tensors if key not in own]
    faults += [
        f"{key} has shape {tuple(tensors[key].shape)}, not {tuple(value.shape)}"
        for key, value in own.items()
        if key in tensors and tensors[key].shape != value.shape
    ]
    if faults:
        raise CheckpointError(f"{source} does not fit the network: {'; '.join(faults)}")
    network.load_state_dict(dict(tensors))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; give it the permissions of any other new file.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors and a header, which holds ``"format"`` and whatever else JSON can hold."""
    plain = {key: t.detach().cpu().contiguous().clone() for key, t in tensors.items()}
    write_whole(path, save(plain, metadata={HEADER: json.dumps(header, sort_keys=True)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of a file by `write_tensors`.

    Raises:
        CheckpointError: no such file, damaged, or of another program or format.
    """
    header = read_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file: {error}") from error
    return tensors, header


def read_header(path: Path) -> dict[str, Any]:
    """The header of a file by `write_tensors`; no tensor is read.

    Raises:
        CheckpointError: no such file, damaged, or of another program or format.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist")
    try:
        header, keys = checkpoint_header(path)
    except (ValueError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file: {error}") from error
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is no norface checkpoint of format {FORMAT} "
            f"(format {header.get('format')}, keys {', '.join(keys[:5])}, ...)"
        )
    return header
