"""A PyTorch module as an ONNX graph."""

from __future__ import annotations

import io
import warnings
from typing import Final

import onnx
import torch

from norface.export.graphs import Graph

OPSET: Final = 17


def trace(graph: Graph) -> onnx.ModelProto:
    """The graph in float32, with as many faces as it is given."""
    # The exporter puts every part back into the mode that the whole was in before.
    graph.network.eval()
    dynamic = [i.name for i in graph.inputs if i.of_a_face] + [o.name for o in graph.outputs]
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The TorchScript exporter is marked as old, but it needs no further package, takes half a
        # second, and its graphs run as fast. Sizes that it warns about are meant to be constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.network,
            # One face would let the exporter take the number of faces for a constant.
            graph.examples(2),
            buffer,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=[i.name for i in graph.inputs],
            output_names=[o.name for o in graph.outputs],
            dynamic_axes={name: {0: "N"} for name in dynamic},
        )
    model: onnx.ModelProto = onnx.load_from_string(buffer.getvalue())
    _name_weights_once(model.graph)
    onnx.checker.check_model(model)
    return model


def _name_weights_once(graph: onnx.GraphProto) -> None:
    """Let nodes read weights themselves, where the exporter put a second name for equal ones."""
    weights = {weight.name for weight in graph.initializer}
    second = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Identity" and node.input[0] in weights
    }
    nodes = [node for node in graph.node if node.output[0] not in second]
    for node in nodes:
        names = [second.get(name, name) for name in node.input]
        del node.input[:]
        node.input.extend(names)
    del graph.node[:]
    graph.node.extend(nodes)
