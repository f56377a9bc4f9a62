"""The weights folder: every network's file, the common face, and the manifest, written last."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from norface.export.faces import FaceExamples, Faces, noise_faces, rendered_faces, shard_faces
from norface.export.graphs import (
    Graph,
    check_heads,
    classification_graph,
    normalization_graphs,
    reads_tokens,
)
from norface.export.network import NetworkFile, export_network
from norface.export.parity import Difference
from norface.export.precision import PRECISIONS
from norface.facs import ACTION_UNIT_NAMES
from norface.models.checkpoint import (
    CheckpointError,
    learned_from,
    load_classification,
    load_normalization,
    write_whole,
)
from norface.models.classification import ClassificationNetwork
from norface.models.normalization import NormalizationNetwork
from norface.runtime.normalizer import TARGET_FILE
from norface.runtime.places import MANIFEST
from norface.runtime.sessions import FORMAT

NORMALIZED_SIZE: Final = 256
DEFAULT_THRESHOLD: Final = 0.5
_TRIED: Final = {
    **{precision: (precision,) for precision in PRECISIONS},
    "auto": ("int8", "fp16", "fp32"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """What was written.

    Attributes:
        folder: the weights folder.
        networks: its networks.
        faces: on what they were compared with PyTorch.
    """

    folder: Path
    networks: tuple[NetworkFile, ...]
    faces: str


def export(
    out: Path,
    *,
    normalization: Path | None = None,
    classification: Path | None = None,
    emotions: Path | None = None,
    common_face: NDArray[np.uint8],
    precision: str = "fp16",
    calibration: Path | None = None,
    card: Mapping[str, Any] | None = None,
    name: str | None = None,
    version: str = "1",
) -> Exported:
    """Write a weights folder from checkpoints; any of them can be left out.

    Args:
        out: the folder; files of the same names are replaced, others are left alone.
        normalization: checkpoint of F_nor.
        classification: checkpoint of F_cla: action units, emotions or both. Its notes hold the
            thresholds of presence; 0.5 for a unit that they do not name.
        emotions: checkpoint of a further F_cla, for emotions.
        common_face: (256, 256, 3) RGB, the target face.
        precision: one of `PRECISIONS`, or ``auto``: for each network the smallest that is within
            the limits.
        calibration: shards whose faces are used to compare and to quantize; None takes rendered
            faces if anything is quantized, and noise otherwise.
        card: the model card, free sections of text.
        name: of these weights; the folder's when None.
        version: of these weights.

    Raises:
        CheckpointError: a checkpoint cannot be read, or is of another network.
        ParityError: a network differs from its original by more than
            `norface.export.parity.LIMITS`.
        ShardError: the calibration faces cannot be read.
        ValueError: the networks do not go together, or an option is unusable.
    """
    networks, thresholds = [], {}
    for path in (classification, emotions):
        if path is not None:
            network, notes = load_classification(path)
            networks.append(network)
            thresholds.update(notes.get("thresholds", {}))
            if path is emotions and "emotions" not in network.heads:
                raise CheckpointError(f"{path} reads no emotions")
    return export_networks(
        out,
        normalization=None if normalization is None else load_normalization(normalization)[0],
        classification=networks,
        common_face=common_face,
        precision=precision,
        faces=None if calibration is None else shard_faces(calibration),
        card=card,
        thresholds=thresholds,
        people=learned_from(normalization, classification, emotions),
        name=name,
        version=version,
    )


def export_networks(
    out: Path,
    *,
    normalization: NormalizationNetwork | None,
    classification: Sequence[ClassificationNetwork],
    common_face: NDArray[np.uint8],
    precision: str = "fp16",
    faces: Faces | None = None,
    card: Mapping[str, Any] | None = None,
    thresholds: Mapping[str, float] | None = None,
    people: Mapping[str, Sequence[str]] | None = None,
    name: str | None = None,
    version: str = "1",
) -> Exported:
    """The same from networks in memory and faces to compare and quantize with.

    `people` are those whom the networks learned from, by data set: `norface evaluate` never tests
    on them.
    """
    if common_face.shape != (NORMALIZED_SIZE, NORMALIZED_SIZE, 3) or common_face.dtype != np.uint8:
        raise ValueError(
            f"the common face must be ({NORMALIZED_SIZE}, {NORMALIZED_SIZE}, 3) uint8, "
            f"not {common_face.shape} {common_face.dtype}"
        )
    units = next((n.units for n in classification if n.units), ACTION_UNIT_NAMES)
    unknown = set(thresholds or {}) - set(units)
    if unknown:
        raise ValueError(f"thresholds for unknown action units: {', '.join(sorted(unknown))}")
    if precision not in _TRIED:
        raise ValueError(f"precision must be one of {', '.join(_TRIED)}, not {precision!r}")
    _check_that_they_go_together(normalization, classification)

    if faces is None:
        faces = rendered_faces() if "int8" in _TRIED[precision] else noise_faces()
    examples = FaceExamples(faces, normalization, common_face)
    graphs: list[Graph] = []
    if normalization is not None:
        graphs += normalization_graphs(normalization.eval(), examples)
    graphs += [classification_graph(network.eval(), examples) for network in classification]
    networks = tuple(export_network(graph, _TRIED[precision]) for graph in graphs)

    files = {network.name: network.content for network in networks}
    if normalization is not None:
        files[TARGET_FILE] = _png(common_face)
    about = {
        network.name: {
            "precision": network.precision,
            "parity": [_figures(difference) for difference in network.differences],
        }
        for network in networks
    }
    manifest = {
        "format": FORMAT,
        "name": out.resolve().name if name is None else name,
        "version": version,
        "files": {
            file: {
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                **about.get(file, {}),
            }
            for file, content in files.items()
        },
        "parity_on": faces.source,
        "thresholds": {
            unit: float((thresholds or {}).get(unit, DEFAULT_THRESHOLD)) for unit in units
        },
        "units": list(units),
        "learned_from": {name: list(people) for name, people in (people or {}).items()},
        "crop_size": _crop_size(normalization, graphs),
        "normalized_size": NORMALIZED_SIZE,
        "card": dict(card or {}),
    }
    for file, content in files.items():
        write_whole(out / file, content)
    # Last: a folder with a manifest is complete.
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    write_whole(out / MANIFEST, text.encode())
    return Exported(out, networks, faces.source)


def _check_that_they_go_together(
    normalization: NormalizationNetwork | None, classification: Sequence[ClassificationNetwork]
) -> None:
    if normalization is None and not classification:
        raise ValueError("there is nothing to export: give at least one checkpoint")
    check_heads(classification)
    for network in classification:
        if not reads_tokens(network):
            continue
        kind = " and ".join(network.heads).replace("_", " ")
        if normalization is None:
            raise ValueError(
                f"the network for {kind} reads tokens of the normalization network's encoder: "
                "give that network's checkpoint too"
            )
        width = len(network.input_norm.weight)
        if width != normalization.encoder.width:
            raise ValueError(
                f"the network for {kind} reads tokens of width {width}, and the normalization "
                f"network's encoder gives {normalization.encoder.width}: they were not trained "
                "together"
            )


def _crop_size(normalization: NormalizationNetwork | None, graphs: Sequence[Graph]) -> int:
    if normalization is not None:
        return normalization.encoder.image_size
    return max(
        i.examples.shape[-1] for graph in graphs for i in graph.inputs if i.name.endswith("image")
    )


def _figures(difference: Difference) -> dict[str, Any]:
    return {
        "output": difference.output,
        "faces": difference.faces,
        "max": float(f"{difference.maximum:.3g}"),
        "mean": float(f"{difference.mean:.3g}"),
    }


def _png(image: NDArray[np.uint8]) -> bytes:
    picture = io.BytesIO()
    Image.fromarray(image).save(picture, format="PNG", optimize=True)
    return picture.getvalue()
