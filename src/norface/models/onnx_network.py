"""Any convolutional ONNX network as a PyTorch module, so that gradients pass through it.

A small interpreter for the operators that face encoders are made of. Ready converters import
torchvision, which cannot be loaded beside every build of PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Attributes: TypeAlias = Mapping[str, Any]
Operator: TypeAlias = Callable[[Sequence[Tensor], Attributes], Tensor]


class OnnxError(ValueError):
    """The file is missing or broken, or it uses what this reader does not know."""


class OnnxNetwork(nn.Module):
    """The graph of an ONNX file with one input and (read) one output, its first.

    Weights are buffers, so that they move with the module and take no gradient; gradients flow to
    the input. Batch normalization uses the stored statistics always. Always in float32: what such
    files were trained for is not known, and depthwise convolutions in bfloat16 are slow on a CPU.
    """

    def __init__(self, *, path: Path) -> None:
        super().__init__()
        # A library of the extra "train".
        import onnx
        from onnx import numpy_helper

        try:
            graph = onnx.load(str(path)).graph
        except Exception as error:  # the parser has no base class of its own
            raise OnnxError(f"{path} cannot be read as ONNX: {error}") from error
        unknown = sorted({node.op_type for node in graph.node} - set(_OPERATORS))
        if unknown:
            raise OnnxError(
                f"{path} uses {', '.join(unknown)}; known are {', '.join(sorted(_OPERATORS))}"
            )
        weights = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
        self._weights: dict[str, str] = {}
        for number, (name, value) in enumerate(weights.items()):
            # Names of ONNX hold dots and slashes, which a buffer's may not.
            self._weights[name] = f"weight_{number}"
            self.register_buffer(f"weight_{number}", torch.from_numpy(value.copy()))
        inputs = [value.name for value in graph.input if value.name not in weights]
        if len(inputs) != 1:
            raise OnnxError(f"{path} has {len(inputs)} inputs; exactly one picture is needed")
        self._input, self._output = inputs[0], graph.output[0].name
        self._nodes = [
            (
                node.op_type,
                tuple(node.input),
                node.output[0],
                {a.name: _plain(onnx.helper.get_attribute_value(a)) for a in node.attribute},
            )
            for node in graph.node
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, 3, H, W), as the file wants it -> its first output (B, ...)."""
        with torch.autocast(x.device.type, enabled=False):
            return self._run(x.float())

    def _run(self, x: Tensor) -> Tensor:
        values = {name: getattr(self, own) for name, own in self._weights.items()}
        values[self._input] = x
        for kind, inputs, output, attributes in self._nodes:
            arguments = [values[name] if name else x.new_zeros(0) for name in inputs]
            values[output] = _OPERATORS[kind](arguments, attributes)
        found: Tensor = values[self._output]
        return found


def _plain(value: Any) -> Any:
    from onnx import TensorProto, numpy_helper

    if isinstance(value, TensorProto):
        return torch.from_numpy(numpy_helper.to_array(value).copy())
    return value.decode() if isinstance(value, bytes) else value


def _padded(x: Tensor, attributes: Attributes, *, value: float = 0.0) -> Tensor:
    """Pad the two last axes as an operator of ONNX wants (top, left, bottom, right)."""
    if attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise OnnxError(f"auto_pad {attributes['auto_pad']} is not known; store explicit pads")
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if top or left or bottom or right:
        return F.pad(x, (left, right, top, bottom), value=value)
    return x


def _convolution(v: Sequence[Tensor], a: Attributes) -> Tensor:
    return F.conv2d(
        _padded(v[0], a),
        v[1],
        v[2] if len(v) > 2 else None,
        stride=tuple(a.get("strides", (1, 1))),
        dilation=tuple(a.get("dilations", (1, 1))),
        groups=a.get("group", 1),
    )


def _batch_norm(v: Sequence[Tensor], a: Attributes) -> Tensor:
    return F.batch_norm(v[0], v[3], v[4], v[1], v[2], False, 0.0, a.get("epsilon", 1e-5))


def _gemm(v: Sequence[Tensor], a: Attributes) -> Tensor:
    left = v[0].T if a.get("transA", 0) else v[0]
    right = v[1].T if a.get("transB", 0) else v[1]
    out: Tensor = a.get("alpha", 1.0) * (left @ right)
    if len(v) > 2:
        out = out + a.get("beta", 1.0) * v[2]
    return out


def _prelu(v: Sequence[Tensor], a: Attributes) -> Tensor:
    slope = v[1] if v[1].ndim in (0, v[0].ndim) else v[1].reshape(-1, *[1] * (v[0].ndim - 2))
    return torch.where(v[0] >= 0, v[0], v[0] * slope)


def _max_pool(v: Sequence[Tensor], a: Attributes) -> Tensor:
    x = _padded(v[0], a, value=float("-inf"))
    return F.max_pool2d(x, tuple(a["kernel_shape"]), tuple(a.get("strides", (1, 1))))


def _average_pool(v: Sequence[Tensor], a: Attributes) -> Tensor:
    if any(a.get("pads", ())) and not a.get("count_include_pad", 0):
        raise OnnxError("AveragePool with pads that do not count is not known")
    return F.avg_pool2d(_padded(v[0], a), tuple(a["kernel_shape"]), tuple(a.get("strides", (1, 1))))


def _reshape(v: Sequence[Tensor], a: Attributes) -> Tensor:
    # 0 means: as it was.
    shape = [v[0].shape[i] if size == 0 else size for i, size in enumerate(v[1].tolist())]
    if len(shape) > 1 and shape[0] == 1 and len(v[0]) > 1:
        # Files exported with a batch of one carry that one in here.
        shape[0] = len(v[0])
    return v[0].reshape(shape)


def _clip(v: Sequence[Tensor], a: Attributes) -> Tensor:
    low = float(v[1]) if len(v) > 1 and v[1].numel() else a.get("min")
    high = float(v[2]) if len(v) > 2 and v[2].numel() else a.get("max")
    return v[0].clamp(low, high)


def _axes(v: Sequence[Tensor], a: Attributes) -> list[int]:
    given = v[1].tolist() if len(v) > 1 and v[1].numel() else a.get("axes")
    return list(given) if given is not None else list(range(v[0].ndim))


def _reduce_mean(v: Sequence[Tensor], a: Attributes) -> Tensor:
    return v[0].mean(_axes(v, a), keepdim=bool(a.get("keepdims", 1)))


def _reduce_l2(v: Sequence[Tensor], a: Attributes) -> Tensor:
    keep = bool(a.get("keepdims", 1))
    return v[0].square().sum(_axes(v, a), keepdim=keep).sqrt()


def _unsqueeze(v: Sequence[Tensor], a: Attributes) -> Tensor:
    out = v[0]
    for axis in sorted(_axes(v, a)):
        out = out.unsqueeze(axis)
    return out


def _flatten(v: Sequence[Tensor], a: Attributes) -> Tensor:
    axis = a.get("axis", 1)
    return v[0].reshape(int(torch.tensor(v[0].shape[:axis]).prod()), -1)


_OPERATORS: Final[dict[str, Operator]] = {
    "Add": lambda v, a: v[0] + v[1],
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": lambda v, a: torch.cat(list(v), dim=a["axis"]),
    "Constant": lambda v, a: a["value"],
    "Conv": _convolution,
    "Div": lambda v, a: v[0] / v[1],
    "Dropout": lambda v, a: v[0],
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda v, a: v[0].mean((2, 3), keepdim=True),
    "HardSigmoid": lambda v, a: (v[0] * a.get("alpha", 0.2) + a.get("beta", 0.5)).clamp(0, 1),
    "HardSwish": lambda v, a: F.hardswish(v[0]),
    "Identity": lambda v, a: v[0],
    "LeakyRelu": lambda v, a: F.leaky_relu(v[0], a.get("alpha", 0.01)),
    "MatMul": lambda v, a: v[0] @ v[1],
    "MaxPool": _max_pool,
    "Mul": lambda v, a: v[0] * v[1],
    "PRelu": _prelu,
    "ReduceL2": _reduce_l2,
    "ReduceMean": _reduce_mean,
    "Relu": lambda v, a: F.relu(v[0]),
    "Reshape": _reshape,
    "Sigmoid": lambda v, a: v[0].sigmoid(),
    "Softmax": lambda v, a: v[0].softmax(a.get("axis", -1)),
    "Sqrt": lambda v, a: v[0].sqrt(),
    "Squeeze": lambda v, a: v[0].squeeze(_axes(v, a)),
    "Sub": lambda v, a: v[0] - v[1],
    "Tanh": lambda v, a: v[0].tanh(),
    "Transpose": lambda v, a: v[0].permute(a["perm"]),
    "Unsqueeze": _unsqueeze,
}
