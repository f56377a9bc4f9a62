"""The reader of ONNX files against onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from norface.models.onnx_network import OnnxError, OnnxNetwork


def write(path: Path, nodes: list[onnx.NodeProto], **weights: np.ndarray) -> Path:
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 16, 16])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A little face encoder with the operators of usual ones."""
    rng = np.random.default_rng(0)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    node = helper.make_node
    return write(
        tmp_path / "encoder.onnx",
        [
            node("Conv", ["image", "k1", "b1"], ["a"], strides=[2, 2], pads=[0, 0, 1, 1]),
            node("BatchNormalization", ["a", "s", "o", "m", "v"], ["b"], epsilon=1e-3),
            node("PRelu", ["b", "p"], ["c"]),
            node("Conv", ["c", "k2"], ["d"], group=8, pads=[1, 1, 1, 1]),
            node("Clip", ["d", "low", "high"], ["e"]),
            node("Add", ["c", "e"], ["f"]),
            node("MaxPool", ["f"], ["g"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
            node("GlobalAveragePool", ["g"], ["h"]),
            node("Sigmoid", ["h"], ["i"]),
            node("Mul", ["g", "i"], ["j"]),
            node("Flatten", ["j"], ["k"], axis=1),
            node("Gemm", ["k", "w", "b2"], ["l"], transB=1, alpha=0.5),
            node("ReduceL2", ["l"], ["n"], axes=[1], keepdims=1),
            node("Div", ["l", "n"], ["out"]),
        ],
        k1=some(8, 3, 3, 3), b1=some(8), s=some(8), o=some(8), m=some(8),
        v=np.abs(some(8)) + 0.5, p=some(8, 1, 1), k2=some(8, 1, 3, 3),
        low=np.float32(0.0), high=np.float32(6.0), w=some(5, 128), b2=some(5),
    )  # fmt: skip


def test_equals_onnxruntime(encoder: Path) -> None:
    image = np.random.default_rng(1).normal(size=(3, 3, 16, 16)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(encoder), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"image": image})[0]
    found = OnnxNetwork(path=encoder)(torch.from_numpy(image))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_gradients_reach_the_picture_alone(encoder: Path) -> None:
    network = OnnxNetwork(path=encoder)
    assert not list(network.parameters())
    image = torch.rand(2, 3, 16, 16, requires_grad=True)
    network(image)[:, 0].sum().backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    assert float(image.grad.abs().sum()) > 0


def test_says_what_it_does_not_know(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.onnx", [helper.make_node("Erf", ["image"], ["out"])])
    with pytest.raises(OnnxError, match=r"odd\.onnx uses Erf"):
        OnnxNetwork(path=path)
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(OnnxError, match=r"broken\.onnx"):
        OnnxNetwork(path=tmp_path / "broken.onnx")
