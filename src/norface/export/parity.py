"""How far an exported network's results lie from its original's, and how far they may."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from norface.export.faces import COMPARED
from norface.export.graphs import Graph


class Limit(NamedTuple):
    """Largest allowed differences; None where there is no limit."""

    maximum: float | None
    mean: float | None


LIMITS: Final = {
    "fp32": {
        "tokens": Limit(1e-3, None),
        "normalized": Limit(5e-4, None),
        "intensity": Limit(5e-4, None),
        "probability": Limit(1e-4, None),
        "emotion": Limit(1e-4, None),
    },
    "fp16": {
        "tokens": Limit(3e-2, None),
        "normalized": Limit(1.5e-2, None),
        "intensity": Limit(1.5e-2, None),
        "probability": Limit(3e-3, None),
        "emotion": Limit(3e-3, None),
    },
    "int8": {
        "tokens": Limit(None, 6e-2),
        "normalized": Limit(None, 4e-3),
        "intensity": Limit(None, 5e-2),
        "probability": Limit(None, 2e-2),
        "emotion": Limit(None, 1e-2),
    },
}
"""By precision, then by what is said: tokens in units of their standard deviation, normalized
faces and probabilities in 0..1, intensities in 0..5. A mixture of experts hands a face that is
nearly between two experts to the other one after the slightest change, which makes large
differences rare but possible, so that 8 bits are judged by the mean."""


class ParityError(RuntimeError):
    """An exported network does not say what its PyTorch original says."""


class Difference(NamedTuple):
    """Of one output of an exported network from PyTorch, in the units of `LIMITS`.

    Attributes:
        output: its name.
        kind: what it is, a key of `LIMITS`.
        faces: how many were read at once.
        maximum, mean: absolute differences.
    """

    output: str
    kind: str
    faces: int
    maximum: float
    mean: float

    def fault(self, precision: str) -> str:
        """What is wrong with it at this precision; empty when nothing is."""
        limit = LIMITS[precision][self.kind]
        for name, value, allowed in (
            ("", self.maximum, limit.maximum),
            (" on average", self.mean, limit.mean),
        ):
            # Written so that a NaN fails too.
            if allowed is not None and not value <= allowed:
                return (
                    f"{self.output} of {self.faces} faces differs from PyTorch by {value:.2g}"
                    f"{name}, allowed at {precision} is {allowed:.2g}"
                )
        return ""


def compare(graph: Graph, content: bytes) -> list[Difference]:
    """Run an exported network beside its original, on several faces at once and on one.

    Raises:
        ParityError: the file cannot be run, or gives other shapes.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    names = [output.name for output in graph.outputs]
    differences = []
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ParityError(f"{graph.file}: ONNX Runtime cannot load it: {error}") from error
    for count in (min(COMPARED, graph.faces), 1):
        values = (value.numpy() for value in graph.examples(count))
        feed = dict(zip((i.name for i in graph.inputs), values, strict=True))
        try:
            got = session.run(names, feed)
        except Exception as error:
            raise ParityError(
                f"{graph.file}: ONNX Runtime cannot run it on {count} faces: {error}"
            ) from error
        for output, own, other in zip(graph.outputs, graph.run(count), got, strict=True):
            differences.append(_difference(graph, output.name, output.kind, own.numpy(), other))
    return differences


def _difference(
    graph: Graph, name: str, kind: str, own: NDArray[np.float32], other: NDArray[np.float32]
) -> Difference:
    if own.shape != other.shape:
        raise ParityError(
            f"{graph.file}: {name} has shape {other.shape}, in PyTorch it has {own.shape}"
        )
    error = np.abs(own - other)
    if kind == "tokens":
        error = error / own.std()
    return Difference(name, kind, len(own), float(error.max()), float(error.mean()))
