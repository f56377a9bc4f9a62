"""From checkpoints to the ONNX files that `norface.runtime` reads, with a parity check.

    encoder.onnx       image -> tokens
    normalizer.onnx    original, geometry, target, target_image -> normalized
    action_units.onnx  original, normalized, geometry -> intensity, probability
    emotions.onnx      image, normalized_image, geometry -> probability

N is dynamic wherever there is a face: 1 and many give the same results. All computation is in
float32; large weights are stored in 16 bits, which halves the files, and widened when they are
loaded.
"""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from norface.facs import ACTION_UNIT_NAMES
from norface.models.checkpoint import (
    load_classification,
    load_normalization,
    write_whole,
)
from norface.models.classification import ClassificationNetwork, ClassificationOutput
from norface.models.geometry_token import LANDMARKS
from norface.models.normalization import NormalizationNetwork

FORMAT: Final = 1
OPSET: Final = 17
TOLERANCE: Final = 1e-4
"""Largest absolute difference between ONNX Runtime and PyTorch in a probability. Intensities (0..5)
and images are allowed five times as much (an eighth of a step of 8 bits), tokens ten times."""
STORAGE_TOLERANCE: Final = 30
"""How many times `TOLERANCE` the results may differ once large weights are stored in 16 bits."""
LARGE: Final = 4096
"""Number of values from which a weight is stored in 16 bits."""
CROP_SIZE: Final = 128
NORMALIZED_SIZE: Final = 256
DEFAULT_THRESHOLD: Final = 0.5


class ParityError(RuntimeError):
    """An exported network does not say what its PyTorch original says."""


class _Normalizer(nn.Module):
    def __init__(self, network: NormalizationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, original: Tensor, geometry: Tensor, target: Tensor, target_image: Tensor
    ) -> Tensor:
        return self.network.render(original, geometry, target, target_image)


class _ActionUnits(nn.Module):
    def __init__(self, network: ClassificationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, original: Tensor, normalized: Tensor, geometry: Tensor
    ) -> tuple[Tensor, Tensor]:
        output: ClassificationOutput = self.network(original, normalized, geometry)
        assert output.intensity is not None
        assert output.presence is not None
        return output.intensity, output.presence.sigmoid()


class _Emotions(nn.Module):
    def __init__(self, network: ClassificationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, normalized_image: Tensor, geometry: Tensor) -> Tensor:
        output = self.network(image, normalized_image, geometry)
        probability: Tensor = output.emotion.softmax(-1)
        return probability


@dataclass(frozen=True, slots=True)
class _Input:
    name: str
    example: Tensor
    dynamic: bool = True


@dataclass(frozen=True, slots=True)
class _Output:
    name: str
    tolerance: float = TOLERANCE


def export(
    normalization: Path,
    action_units: Path,
    emotions: Path | None,
    out: Path,
    *,
    common_face: NDArray[np.uint8],
    card: Mapping[str, Any],
    thresholds: Mapping[str, float] | None = None,
    name: str = "tiny",
    version: str = "1",
) -> Path:
    """Write a weights folder from checkpoints.

    Args:
        normalization: checkpoint of F_nor.
        action_units: checkpoint of F_cla for action units.
        emotions: checkpoint of F_cla for emotions; None leaves that part out.
        out: the folder; files of the same names are replaced, others are left alone.
        common_face: (256, 256, 3) RGB, the target face.
        card: the model card, free sections of text.
        thresholds: probability of presence from which a unit is called present, by its name;
            0.5 where missing.
        name: of these weights.
        version: of these weights.

    Returns:
        The manifest's path.

    Raises:
        CheckpointError: a checkpoint cannot be read.
        ParityError: a result differs by more than `TOLERANCE`.
        ValueError: the common face or a threshold is unusable.
    """
    return export_networks(
        load_normalization(normalization)[0],
        load_classification(action_units)[0],
        None if emotions is None else load_classification(emotions)[0],
        out,
        common_face=common_face,
        card=card,
        thresholds=thresholds,
        name=name,
        version=version,
    )


def export_networks(
    normalization: NormalizationNetwork,
    action_units: ClassificationNetwork,
    emotions: ClassificationNetwork | None,
    out: Path,
    *,
    common_face: NDArray[np.uint8],
    card: Mapping[str, Any],
    thresholds: Mapping[str, float] | None = None,
    name: str = "tiny",
    version: str = "1",
) -> Path:
    """The same from networks in memory."""
    if common_face.shape != (NORMALIZED_SIZE, NORMALIZED_SIZE, 3) or common_face.dtype != np.uint8:
        raise ValueError(
            f"the common face must be ({NORMALIZED_SIZE}, {NORMALIZED_SIZE}, 3) uint8, "
            f"not {common_face.shape} {common_face.dtype}"
        )
    unknown = set(thresholds or {}) - set(ACTION_UNIT_NAMES)
    if unknown:
        raise ValueError(f"thresholds for unknown action units: {', '.join(sorted(unknown))}")

    rng = torch.Generator().manual_seed(0)
    encoder = normalization.encoder
    tokens, width = encoder.tokens, encoder.width

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=rng)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng)

    geometry = _Input("geometry", normal(3, LANDMARKS, 3))
    target = torch.from_numpy(common_face.copy()).permute(2, 0, 1)[None].float() / 255.0
    files = {
        "encoder.onnx": to_onnx(
            encoder,
            [_Input("image", uniform(3, 3, CROP_SIZE, CROP_SIZE))],
            [_Output("tokens", 10 * TOLERANCE)],
        ),
        "normalizer.onnx": to_onnx(
            _Normalizer(normalization),
            [
                _Input("original", normal(3, tokens, width)),
                geometry,
                _Input("target", normal(1, tokens, width), dynamic=False),
                _Input("target_image", target, dynamic=False),
            ],
            [_Output("normalized", 5 * TOLERANCE)],
        ),
        "action_units.onnx": to_onnx(
            _ActionUnits(action_units),
            [
                _Input("original", normal(3, tokens, width)),
                _Input("normalized", normal(3, tokens, width)),
                geometry,
            ],
            [_Output("intensity", 5 * TOLERANCE), _Output("probability")],
        ),
    }
    if emotions is not None:
        files["emotions.onnx"] = to_onnx(
            _Emotions(emotions),
            [
                _Input("image", uniform(3, 3, CROP_SIZE, CROP_SIZE)),
                _Input("normalized_image", uniform(3, 3, CROP_SIZE, CROP_SIZE)),
                geometry,
            ],
            [_Output("probability")],
        )
    picture = io.BytesIO()
    Image.fromarray(common_face).save(picture, format="PNG", optimize=True)
    files["common_face.png"] = picture.getvalue()

    for file, content in files.items():
        write_whole(out / file, content)
    manifest = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "files": {
            file: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for file, content in files.items()
        },
        "thresholds": {
            unit: float((thresholds or {}).get(unit, DEFAULT_THRESHOLD))
            for unit in ACTION_UNIT_NAMES
        },
        "crop_size": CROP_SIZE,
        "normalized_size": NORMALIZED_SIZE,
        "card": dict(card),
    }
    # Last: a folder with a manifest is complete.
    path = out / "manifest.json"
    write_whole(path, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    return path


def to_onnx(network: nn.Module, inputs: Sequence[_Input], outputs: Sequence[_Output]) -> bytes:
    """Export one network and compare it with PyTorch, on a batch and on a single face.

    Raises:
        ParityError: see `TOLERANCE`.
    """
    # The exporter puts every part back into the mode that the whole was in before.
    network.eval()
    names = [i.name for i in inputs]
    dynamic = [i.name for i in inputs if i.dynamic] + [o.name for o in outputs]
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The TorchScript exporter is marked as old, but it needs no further package, takes half a
        # second, and its graphs run as fast. Sizes that it warns about are meant to be constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            tuple(i.example for i in inputs),
            buffer,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=[o.name for o in outputs],
            dynamic_axes={name: {0: "N"} for name in dynamic},
        )
    content = _with_all_inputs(buffer.getvalue(), inputs)
    check_parity(network, content, inputs, outputs)
    content = _stored_in_half(content)
    check_parity(network, content, inputs, outputs, factor=STORAGE_TOLERANCE)
    return content


def _stored_in_half(content: bytes) -> bytes:
    """Store large weights in float16, each followed by a cast that ONNX Runtime does at loading."""
    model = onnx.load_from_string(content)
    graph = model.graph
    casts = []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < LARGE:
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name, stored = weight.name, f"{weight.name}.half"
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString()
    return serialized


def _with_all_inputs(content: bytes, inputs: Sequence[_Input]) -> bytes:
    """Declare inputs that have no effect (ablations), so that every export is called alike."""
    model = onnx.load_from_string(content)
    declared = {i.name: i for i in model.graph.input}
    every = [
        declared.get(i.name)
        or onnx.helper.make_tensor_value_info(
            i.name,
            onnx.TensorProto.FLOAT,
            ["N" if i.dynamic else i.example.shape[0], *i.example.shape[1:]],
        )
        for i in inputs
    ]
    del model.graph.input[:]
    model.graph.input.extend(every)
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString()
    return serialized


def check_parity(
    network: nn.Module,
    content: bytes,
    inputs: Sequence[_Input],
    outputs: Sequence[_Output],
    *,
    factor: float = 1.0,
) -> None:
    """Compare an exported network with its original on a batch and on a single face.

    Raises:
        ParityError: an output differs by more than `factor` times its tolerance.
    """
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for count in (3, 1):
        examples = {i.name: i.example[:count] if i.dynamic else i.example for i in inputs}
        with torch.no_grad():
            wanted = network(*examples.values())
        if isinstance(wanted, Tensor):
            wanted = (wanted,)
        got = session.run(None, {name: value.numpy() for name, value in examples.items()})
        for output, own, other in zip(outputs, wanted, got, strict=True):
            error = float(np.abs(own.numpy() - other).max())
            # Written so that a NaN fails too.
            if own.shape != other.shape or not error <= factor * output.tolerance:
                raise ParityError(
                    f"{output.name} of {count} faces: ONNX Runtime differs from PyTorch by "
                    f"{error:.2g}, allowed {factor * output.tolerance:.2g} "
                    f"(shapes {tuple(own.shape)}, "
                    f"{other.shape})"
                )
