"""How weights are stored and computed with: 32 bits, 16 bits on disk, 8 bits."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

PRECISIONS: Final = ("fp32", "fp16", "int8")
"""Of a network. ``fp32``: weights and computation. ``fp16``: large weights take 16 bits in the
file and are widened at loading; computation is in 32 bits. ``int8``: matrix products, and 1 x 1
convolutions, multiply 8 bits by 8 bits; the other large weights are stored in 16 bits."""
LARGE: Final = 4096
"""Number of values from which a weight is stored in fewer bits."""
_NARROW: Final = 16
"""Matrices with a side below this stay as they are: they are gates, which decide all or nothing."""

Feed = dict[str, NDArray[np.float32]]


def stored_in_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store large weights in float16, each followed by a cast that ONNX Runtime does at loading."""
    model = _copy(model)
    graph = model.graph
    casts = []
    for weight in graph.initializer:
        # One-dimensional: the scales of 8-bit weights, which may be very small.
        if weight.data_type != onnx.TensorProto.FLOAT or len(weight.dims) < 2:
            continue
        if math.prod(weight.dims) < LARGE:
            continue
        values = onnx.numpy_helper.to_array(weight)
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name, stored = weight.name, f"{weight.name}.half"
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def quantized(model: onnx.ModelProto, calibration: Sequence[Feed]) -> onnx.ModelProto | None:
    """Matrix products and 1 x 1 convolutions in 8 bits, the other large weights stored in 16.

    Weights get a scale for each output. What is multiplied with them gets its scale from the
    values themselves at matrix products, and from `calibration` at convolutions; other
    convolutions, depthwise ones above all, lose too much.

    Args:
        model: in float32.
        calibration: inputs of single faces.

    Returns:
        None where there is nothing to quantize.
    """
    from onnxruntime.quantization import (
        QuantFormat,
        QuantType,
        quant_pre_process,
        quantize_dynamic,
        quantize_static,
    )

    with TemporaryDirectory() as folder, _silence():
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        onnx.save(model, after)
        # Computes what is constant, so that all weights are seen.
        quant_pre_process(str(after), str(before), skip_symbolic_shape=True)
        model = onnx.load(before)
        products, others = _split(model, ("MatMul", "Gemm"), _is_product)
        convolutions, _ = _split(model, ("Conv",), _is_pointwise)
        if not (products or convolutions):
            return None
        common: dict[str, Any] = {"per_channel": True, "weight_type": QuantType.QInt8}
        if convolutions:
            quantize_static(
                before,
                after,
                _Calibration(calibration),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                nodes_to_quantize=convolutions,
                **common,
            )
            before, after = after, before
        if products:
            quantize_dynamic(
                before,
                after,
                op_types_to_quantize=["MatMul", "Gemm"],
                # Not those to quantize by name: some get another name on the way.
                nodes_to_exclude=others,
                **common,
            )
            before, after = after, before
        result = onnx.load(before)
    del result.graph.value_info[:]
    return stored_in_half(result)


class _Calibration:
    """Inputs, one face after the other, as ONNX Runtime's calibration asks for them."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def _split(
    model: onnx.ModelProto, kinds: Sequence[str], wanted: Callable[[tuple[int, ...]], bool]
) -> tuple[list[str], list[str]]:
    """Names of the nodes of these kinds whose constant weight is wanted, and of the others."""
    weights = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    yes: list[str] = []
    no: list[str] = []
    for node in model.graph.node:
        if node.op_type in kinds:
            (yes if wanted(weights.get(node.input[1], ())) else no).append(node.name)
    return yes, no


def _is_product(shape: tuple[int, ...]) -> bool:
    # ONNX Runtime has no products of 8 bits with a stack of matrices and scales for each.
    return len(shape) == 2 and math.prod(shape) >= LARGE and min(shape) >= _NARROW


def _is_pointwise(shape: tuple[int, ...]) -> bool:
    return shape[2:] == (1, 1) and math.prod(shape) >= LARGE


@contextmanager
def _silence() -> Iterator[None]:
    """No advice from ONNX Runtime's tools, which goes through Python's root logger."""
    before, handler = logging.root.manager.disable, logging.NullHandler()
    logging.root.addHandler(handler)
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
        logging.root.removeHandler(handler)


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy
