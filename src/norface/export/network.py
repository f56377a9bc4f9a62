"""One network: traced, shrunk to a precision, and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import onnx

from norface.export.faces import COMPARED
from norface.export.graphs import Graph
from norface.export.parity import Difference, ParityError, compare
from norface.export.precision import Feed, quantized, stored_in_half
from norface.export.trace import trace


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFile:
    """An exported network.

    Attributes:
        name: of the file.
        content: of the file.
        precision: one of `norface.export.precision.PRECISIONS`; ``fp16`` also where there was
            nothing to quantize.
        differences: from PyTorch, on several faces at once and on one.
        refused: precisions that were tried before, and what was wrong with them.
    """

    name: str
    content: bytes
    precision: str
    differences: tuple[Difference, ...]
    refused: tuple[str, ...] = ()


def export_network(graph: Graph, precisions: Sequence[str]) -> NetworkFile:
    """Make the file, in the first precision whose differences are within the limits.

    Raises:
        ParityError: none is, or the network differs before anything is done to its weights.
    """
    model = trace(graph)
    plain = _file(graph, model, "fp32", ())
    refused: list[str] = []
    for precision in precisions:
        try:
            if precision == "fp32":
                return replace(plain, refused=tuple(refused))
            if precision == "int8":
                smaller = quantized(model, _calibration(graph))
                if smaller is not None:
                    return _file(graph, smaller, precision, tuple(refused))
            return _file(graph, stored_in_half(model), "fp16", tuple(refused))
        except ParityError as error:
            refused.append(str(error))
    raise ParityError("; ".join(refused))


def _file(
    graph: Graph, model: onnx.ModelProto, precision: str, refused: tuple[str, ...]
) -> NetworkFile:
    content: bytes = model.SerializeToString()
    differences = compare(graph, content)
    faults = [fault for difference in differences if (fault := difference.fault(precision))]
    if faults:
        raise ParityError(f"{graph.file}: {'; '.join(faults)}")
    return NetworkFile(graph.file, content, precision, tuple(differences), refused)


def _calibration(graph: Graph) -> list[Feed]:
    """The faces that are not compared, one by one; all where there are no others."""
    first = COMPARED if graph.faces > COMPARED else 0
    names = [i.name for i in graph.inputs]
    return [
        dict(zip(names, (value.numpy() for value in graph.examples(1, face)), strict=True))
        for face in range(first, graph.faces)
    ]
