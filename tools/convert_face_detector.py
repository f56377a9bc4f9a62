"""Turn the face detector of MediaPipe's landmarker bundle into ONNX, for pictures of any size.

The network (BlazeFace, short range; Apache-2.0, Google) is made of convolutions alone, so it can
run over a whole picture at once in place of 128 x 128 tiles. The weights are taken over unchanged,
in half precision as they are stored; channels are filled up with zeros to multiples of sixteen,
which changes no result and lets ONNX Runtime use its fast kernels. Run once; the result is
committed:

    python tools/convert_face_detector.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from mediapipe.tasks.metadata import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from norface.faces.bundle import detector_model

OUTPUT = Path(__file__).parents[1] / "src/norface/faces/assets/face_detector.onnx"
HEADS = {160: "scores_8", 163: "scores_16", 166: "boxes_8", 169: "boxes_16"}


def main() -> None:
    """Read the bundle, write the network."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(detector_model(), 0))
    graph = model.subgraphs[0]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name[0] != "_"}
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    source: dict[int, int] = {}  # a dequantized tensor -> the half-precision constant behind it

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(values, name))
        return name

    def stored(index: int) -> np.ndarray:
        tensor = graph.tensors[index]
        kind = {schema.TensorType.FLOAT16: np.float16, schema.TensorType.INT32: np.int32}
        data = bytes(model.buffers[tensor.buffer].data)
        return np.frombuffer(data, kind[tensor.type]).reshape(tensor.shape)

    def weight(index: int, *, kind: str, filled: bool) -> str:
        values = stored(source[index])
        if kind == "bias":
            values = np.pad(values, (0, padding(len(values)) if filled else 0))
        else:
            values = values.transpose((3, 0, 1, 2) if kind == "depthwise" else (0, 3, 1, 2))
            rows = padding(values.shape[0]) if filled else 0
            is_picture = kind == "depthwise" or values.shape[1] == 3
            columns = 0 if is_picture else padding(values.shape[1])
            values = np.pad(values, ((0, rows), (0, columns), (0, 0), (0, 0)))
        half = constant(f"w{index}", np.ascontiguousarray(values))
        nodes.append(helper.make_node("Cast", [half], [f"f{index}"], to=TensorProto.FLOAT))
        return f"f{index}"

    nodes += [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Div", ["planes", constant("half", np.float32(127.5))], ["scaled"]),
        helper.make_node("Sub", ["scaled", constant("one", np.float32(1.0))], ["t0"]),
    ]
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        inputs, output = list(operator.inputs), int(operator.outputs[0])
        options, out = operator.builtinOptions, f"t{output}"
        if kind == "DEQUANTIZE":
            source[output] = int(inputs[0])
        elif kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            deep = kind == "DEPTHWISE_CONV_2D"
            filled = output not in HEADS
            kernel = weight(inputs[1], kind="depthwise" if deep else "dense", filled=filled)
            bias = weight(inputs[2], kind="bias", filled=filled)
            channels = int(graph.tensors[output].shape[3])
            assert options.padding == schema.Padding.SAME or kernel_size(graph, inputs[1]) == 1
            nodes.append(
                helper.make_node(
                    "Conv",
                    [f"t{inputs[0]}", kernel, bias],
                    [out],
                    auto_pad="SAME_UPPER",
                    strides=[options.strideH, options.strideW],
                    group=channels + padding(channels) if deep else 1,
                )
            )
        elif kind == "MAX_POOL_2D":
            nodes.append(
                helper.make_node(
                    "MaxPool",
                    [f"t{inputs[0]}"],
                    [out],
                    auto_pad="SAME_UPPER",
                    kernel_shape=[options.filterHeight, options.filterWidth],
                    strides=[options.strideH, options.strideW],
                )
            )
        elif kind == "PAD":
            # More channels, all zero: nothing to do, or a convolution that copies.
            before, after = (
                channels + padding(channels)
                for channels in (graph.tensors[index].shape[3] for index in (inputs[0], output))
            )
            copy = constant(f"p{output}", np.eye(after, before, dtype=np.float16)[:, :, None, None])
            nodes.append(helper.make_node("Cast", [copy], [f"c{output}"], to=TensorProto.FLOAT))
            kind = "Identity" if before == after else "Conv"
            entries = [f"t{inputs[0]}", f"c{output}"][: 1 if before == after else 2]
            nodes.append(helper.make_node(kind, entries, [out]))
        elif kind == "ADD":
            nodes.append(helper.make_node("Add", [f"t{index}" for index in inputs], [out]))
        elif kind == "RELU":
            nodes.append(helper.make_node("Relu", [f"t{inputs[0]}"], [out]))
        elif kind not in ("RESHAPE", "CONCATENATION"):
            raise NotImplementedError(kind)
    for tensor, name in HEADS.items():
        nodes.append(helper.make_node("Identity", [f"t{tensor}"], [name]))
    made = helper.make_graph(
        nodes,
        "face_detector",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, None, None])
            for name, channels in zip(HEADS.values(), (2, 6, 32, 96), strict=True)
        ],
        constants,
    )
    result = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    result.ir_version = 9
    onnx.checker.check_model(result, full_check=True)
    OUTPUT.write_bytes(result.SerializeToString())


def padding(channels: int) -> int:
    """How many channels fill up a multiple of sixteen."""
    return int(-channels % 16)


def kernel_size(graph: schema.SubGraphT, index: int) -> int:
    """Side of a convolution's kernel."""
    return int(graph.tensors[index].shape[1])


if __name__ == "__main__":
    main()
