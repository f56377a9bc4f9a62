from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from norface.export import ParityError, parity
from norface.export.faces import FaceExamples, Faces, rendered_faces, shard_faces
from norface.export.graphs import classification_graph, normalization_graphs
from norface.export.network import export_network
from norface.export.parity import Limit, compare
from norface.export.precision import LARGE, quantized
from norface.export.trace import trace


@pytest.fixture
def examples(networks: Any, faces: Faces) -> FaceExamples:
    return FaceExamples(faces, networks["normalization"](), np.full((256, 256, 3), 90, np.uint8))


@pytest.mark.parametrize(
    ("preset", "precision"),
    [("test", "fp32"), ("test", "int8"), ("test-vit", "fp16"), ("test-vit", "int8")],
)
def test_every_network_says_what_pytorch_says(
    preset: str, precision: str, networks: Any, faces: Faces
) -> None:
    normalization = networks["normalization"](preset)
    examples = FaceExamples(faces, normalization, np.full((256, 256, 3), 90, np.uint8))
    both = ("action_units", "emotions")
    graphs = [
        *normalization_graphs(normalization, examples),
        classification_graph(
            networks["classification"](preset, reads="images", heads=both), examples
        ),
    ]
    limit = {"fp32": 2e-5, "fp16": 1e-2, "int8": 0.3}[precision]
    used = set()
    for graph in graphs:
        network = export_network(graph, [precision])
        used.add(network.precision)
        assert network.refused == ()
        assert {d.faces for d in network.differences} == {8, 1}
        assert {d.output for d in network.differences} == {o.name for o in graph.outputs}
        assert all(d.maximum < limit for d in network.differences)
        session = onnxruntime.InferenceSession(network.content)
        assert [node.name for node in session.get_inputs()] == [i.name for i in graph.inputs]
    assert precision in used


def test_16_bits_are_widened_before_anything_reads_them(examples: FaceExamples) -> None:
    for graph in normalization_graphs(examples._normalization, examples):
        network = export_network(graph, ["fp16"])
        model = onnx.load_from_string(network.content)
        assert all(opset.domain in ("", "ai.onnx") for opset in model.opset_import)
        weights = model.graph.initializer
        halves = {w.name for w in weights if w.data_type == onnx.TensorProto.FLOAT16}
        assert halves
        for node in model.graph.node:
            if halves & set(node.input):
                assert node.op_type == "Cast"
                assert node.attribute[0].i == onnx.TensorProto.FLOAT
        plain = [w for w in weights if w.data_type == onnx.TensorProto.FLOAT]
        assert all(np.prod(w.dims) < LARGE for w in plain if len(w.dims) > 1)
        assert len(network.content) < 0.75 * trace(graph).ByteSize()


def test_8_bits_multiply_8_bits_and_gates_stay(examples: FaceExamples) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(32, 256), torch.nn.GELU(), torch.nn.Linear(256, 32), torch.nn.Linear(32, 4)
    )
    graph = classification_graph(_units(), examples)
    graph = type(graph)("x.onnx", network, graph.inputs[:1], graph.outputs[:1])
    model = quantized(trace(graph), [{"original": examples.original[:1].numpy()}])
    assert model is not None
    kinds = [node.op_type for node in model.graph.node]
    assert (kinds.count("MatMulInteger"), kinds.count("MatMul")) == (2, 1)
    differences = compare(graph, model.SerializeToString())
    assert 0 < differences[0].maximum < 0.05


def _units() -> Any:
    from norface.models import presets

    return presets.classification("test", pretrained=False)


def test_quantizing_leaves_logging_alone(examples: FaceExamples) -> None:
    before = (list(logging.root.handlers), logging.root.manager.disable)
    graph = normalization_graphs(examples._normalization, examples)[0]
    assert export_network(graph, ["int8"]).precision == "int8"
    assert (list(logging.root.handlers), logging.root.manager.disable) == before


def test_8_bits_that_lose_too_much_are_refused(
    examples: FaceExamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = normalization_graphs(examples._normalization, examples)[0]
    strict = {**parity.LIMITS["int8"], "tokens": Limit(None, 1e-9)}
    monkeypatch.setitem(parity.LIMITS, "int8", strict)
    with pytest.raises(ParityError, match=r"tokens of 8 faces differs .* on average, allowed at"):
        export_network(graph, ["int8"])
    network = export_network(graph, ["int8", "fp16"])
    assert network.precision == "fp16"
    assert "allowed at int8 is 1e-09" in network.refused[0]


def test_another_network_is_noticed(examples: FaceExamples, networks: Any) -> None:
    graph = normalization_graphs(examples._normalization, examples)[0]
    content = export_network(graph, ["fp32"]).content
    with torch.no_grad():
        graph.network.norm.bias.add_(0.1)
    faults = [difference.fault("fp32") for difference in compare(graph, content)]
    assert all("differs from PyTorch" in fault for fault in faults)


def test_faces_to_calibrate_with(tmp_path: Path) -> None:
    faces = rendered_faces(1)
    assert faces.images.shape == (1, 3, 256, 256)
    assert faces.geometry.shape == (1, 478, 3)
    assert 0.1 < faces.images.std() < 0.4
    with pytest.raises(ValueError, match=r"holds no shard_\*\.npz"):
        shard_faces(tmp_path)
