"""The weights folder: its manifest, and sessions for its networks, each checked before use."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from norface.facs import ACTION_UNIT_NAMES
from norface.runtime.places import MANIFEST, WeightsError, find_weights
from norface.runtime.providers import Device, DeviceError, open_session

FORMAT = 1
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """What the manifest says of one file.

    Attributes:
        sha256: of its content.
        size: in bytes.
        precision: of a network: ``fp32``, ``fp16`` or ``int8``; empty where it is not said.
    """

    sha256: str
    size: int
    precision: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a weights folder says of itself.

    Attributes:
        name, version: of this set of weights.
        files: by file name.
        thresholds: by action unit; probability from which the unit is called present.
        units: what the network for action units reads, in the order of its outputs.
        learned_from: data set -> people whom the networks learned from, as far as it is known.
        crop_size: side of the square that the encoder reads, in pixels.
        normalized_size: side of the normalized face, in pixels.
        card: the model card: free sections, printed by ``norface info``.
    """

    name: str
    version: str
    files: Mapping[str, WeightsFile]
    thresholds: Mapping[str, float]
    units: tuple[str, ...]
    learned_from: Mapping[str, tuple[str, ...]]
    crop_size: int
    normalized_size: int
    card: Mapping[str, Any]

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file, in the order of their names."""
        return {name: file.sha256 for name, file in sorted(self.files.items())}


class Weights:
    """A folder of weights, opened: every file is compared with the manifest when it is read.

    Args:
        weights: a folder that holds ``manifest.json`` and the files that it lists, or a name, see
            `norface.runtime.places.find_weights`; None for the weights that come with norface.
        device: what its networks run on, see `norface.runtime.providers`.

    Raises:
        WeightsError: there is no usable manifest.
    """

    def __init__(
        self, weights: str | os.PathLike[str] | None = None, *, device: Device = "auto"
    ) -> None:
        self._device: Device = device
        self.folder = find_weights(weights)
        self.manifest = _read_manifest(self.folder / MANIFEST)

    def __contains__(self, name: str) -> bool:
        """Whether the file belongs to these weights and is there (optional parts may not be)."""
        return name in self.manifest.files and (self.folder / name).is_file()

    def read(self, name: str) -> bytes:
        """The content of one file.

        Raises:
            WeightsError: the file is not listed, missing, or not the one that was published.
        """
        expected = self.manifest.files.get(name)
        if expected is None:
            raise WeightsError(f"{self.folder / MANIFEST} does not list {name}.")
        path = self.folder / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise WeightsError(f"{path} cannot be read ({error.strerror}).{_REMEDY}") from error
        if hashlib.sha256(content).hexdigest() != expected.sha256:
            raise WeightsError(f"{path} is damaged: its SHA-256 is not the manifest's.{_REMEDY}")
        return content

    def session(self, name: str, *, threads: int | None = None, paired: bool = False) -> Session:
        """Open one network; see `Session`.

        Raises:
            WeightsError: the file cannot be used.
            DeviceError: the device cannot be used.
        """
        return Session(
            self.read(name),
            name=name,
            threads=threads,
            paired=paired,
            # Products of 8 bits scale what they are given by its largest value.
            alone=self.manifest.files[name].precision == "int8",
            device=self._device,
        )


class Session:
    """One ONNX network.

    Args:
        model: the content of the file.
        name: said in error messages.
        threads: how many it may use; None for all cores that this process may use.
        paired: give it a single face twice. A product with one row is summed in another order than
            one with several, so that a face would be read a bit differently alone; and several
            faces at once take half the time that they take one by one.
        alone: give it one face at a time, lest a face's results depend on the others.
        device: what it runs on.

    Attributes:
        outputs: the names of what it says.

    Raises:
        WeightsError: it is not a network that can be run.
        DeviceError: the device cannot be used.
    """

    def __init__(
        self,
        model: bytes,
        *,
        name: str,
        threads: int | None = None,
        paired: bool = False,
        alone: bool = False,
        device: Device = "auto",
    ) -> None:
        self._alone = alone
        self._paired = paired and not alone
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = available_cores() if threads is None else threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Several networks run in turn: waiting threads must not take the cores from each other.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = open_session(model, options, device)
        except DeviceError:
            raise
        except Exception as error:
            raise WeightsError(f"{name} is not a network that ONNX Runtime can run: {error}") from (
                error
            )
        self._shapes = {node.name: tuple(node.shape) for node in self._session.get_inputs()}
        self.outputs = tuple(output.name for output in self._session.get_outputs())

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what it reads."""
        return tuple(self._shapes)

    def side(self, name: str) -> int:
        """The side, in pixels, of the pictures that it reads as this input."""
        return int(self._shapes[name][-1])

    def run(self, **inputs: FloatArray) -> dict[str, FloatArray]:
        """Every output by name, for the inputs by name.

        An input that the network does not have is left out: an export drops what has no effect.
        """
        feed = {
            name: np.ascontiguousarray(value, np.float32)
            for name, value in inputs.items()
            if name in self._shapes
        }
        faces = {name for name in feed if isinstance(self._shapes[name][0], str)}
        count = max((len(feed[name]) for name in faces), default=1)
        if self._paired and count == 1:
            twice = {k: np.concatenate([v, v]) if k in faces else v for k, v in feed.items()}
            given = self._session.run(self.outputs, twice)
            return {k: v[:1] for k, v in zip(self.outputs, given, strict=True)}
        if not self._alone or count == 1:
            return dict(zip(self.outputs, self._session.run(self.outputs, feed), strict=True))
        results = [
            self._session.run(
                self.outputs, {k: v[i : i + 1] if k in faces else v for k, v in feed.items()}
            )
            for i in range(count)
        ]
        joined = (np.concatenate(values) for values in zip(*results, strict=True))
        return dict(zip(self.outputs, joined, strict=True))


def available_cores() -> int:
    """How many cores this process may use (a container may allow fewer than there are)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_REMEDY = " Install norface again, or name another folder of weights."


def _read_manifest(path: Path) -> Manifest:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error}).{_REMEDY}") from error
    version = content.get("format") if isinstance(content, dict) else None
    if version != FORMAT:
        raise WeightsError(f"{path} has format {version}; this norface reads format {FORMAT}.")
    try:
        return Manifest(
            name=str(content["name"]),
            version=str(content["version"]),
            files={
                name: WeightsFile(
                    sha256=str(file["sha256"]),
                    size=int(file["bytes"]),
                    precision=str(file.get("precision", "")),
                )
                for name, file in content["files"].items()
            },
            thresholds={name: float(value) for name, value in content["thresholds"].items()},
            # Older folders do not name them, for all had the same.
            units=tuple(map(str, content.get("units", ACTION_UNIT_NAMES))),
            learned_from={
                name: tuple(map(str, people))
                for name, people in content.get("learned_from", {}).items()
            },
            crop_size=int(content["crop_size"]),
            normalized_size=int(content["normalized_size"]),
            card=dict(content["card"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"{path} lacks an entry or has a wrong one: {error!r}.") from error
