"""Turn two networks of MediaPipe's landmarker bundle into ONNX: the face detector, the landmarks.

Both (Apache-2.0, Google) are made of convolutions. The detector (BlazeFace, short range) can so run
over a whole picture at once in place of 128 x 128 tiles; the landmarks' network can look where a
face was in the frame before, many faces at once, without MediaPipe's own search. The weights are
taken over unchanged, in half precision as they are stored. In the detector, channels are filled up
with zeros to multiples of sixteen, which changes no result and lets ONNX Runtime use its fast
kernels. Run once; the results are committed:

    python tools/convert_face_networks.py
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from mediapipe.tasks.metadata import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from norface.faces.bundle import detector_model, landmarks_model

ASSETS = Path(__file__).parents[1] / "src/norface/faces/assets"
DETECTOR_HEADS = {160: "scores_8", 163: "scores_16", 166: "boxes_8", 169: "boxes_16"}
LANDMARK_HEADS = {473: "landmarks", 472: "presence"}
NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if name[0] != "_"}
BLOCK = 16
BOTTLENECK = ("CONV_2D", "PRELU", "DEPTHWISE_CONV_2D", "CONV_2D")


def main() -> None:
    """Read the bundle, write the networks."""
    detector = Network(
        detector_model(), filled=True, keep=DETECTOR_HEADS, divide=127.5, subtract=1.0
    )
    shapes: list[tuple[str, list[str | int | None]]] = [
        (name, ["N", channels, None, None])
        for name, channels in zip(DETECTOR_HEADS.values(), (2, 6, 32, 96), strict=True)
    ]
    detector.write(ASSETS / "face_detector.onnx", ["N", "H", "W", 3], shapes)
    landmarks = Network(landmarks_model(), filled=False, keep=LANDMARK_HEADS, divide=255.0)
    landmarks.write(
        ASSETS / "face_landmarks.onnx",
        ["N", 256, 256, 3],
        [("landmarks", ["N", 1434, 1, 1]), ("presence", ["N", 1, 1, 1])],
    )


class Network:
    """One TensorFlow Lite model on its way to ONNX."""

    def __init__(
        self,
        data: bytes,
        *,
        filled: bool,
        keep: Mapping[int, str],
        divide: float,
        subtract: float | None = None,
    ) -> None:
        """Convert all operators.

        Args:
            data: the model as it is stored.
            filled: whether channels are filled up to multiples of `BLOCK`.
            keep: the tensors that come out, and their names.
            divide: what the bytes of a picture are divided by.
            subtract: what is then taken away.
        """
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
        self.graph = self.model.subgraphs[0]
        self.filled = filled
        self.keep = keep
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.source: dict[int, int] = {}  # a dequantized tensor -> its half-precision constant
        self.add("Cast", ["image"], "pixels", to=TensorProto.FLOAT)
        self.add("Transpose", ["pixels"], "planes", perm=[0, 3, 1, 2])
        half = self.constant("half", np.float32(divide))
        self.add("Div", ["planes", half], "t0" if subtract is None else "scaled")
        if subtract is not None:
            self.add("Sub", ["scaled", self.constant("one", np.float32(subtract))], "t0")
        operators = []
        for operator in self.graph.operators:
            code = self.model.operatorCodes[operator.opcodeIndex]
            kind = NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
            if kind == "DEQUANTIZE":
                self.source[int(operator.outputs[0])] = int(operator.inputs[0])
            else:
                operators.append((kind, operator))
        while operators:
            kinds = tuple(kind for kind, _ in operators[: len(BOTTLENECK)])
            if kinds == BOTTLENECK and len(self.stored(operators[0][1].inputs[2])) <= BLOCK // 2:
                self.bottleneck([operator for _, operator in operators[: len(BOTTLENECK)]])
                del operators[: len(BOTTLENECK)]
            else:
                kind, operator = operators.pop(0)
                self.convert(kind, list(operator.inputs), int(operator.outputs[0]), operator)
        for tensor, name in keep.items():
            self.add("Identity", [f"t{tensor}"], name)

    def convert(self, kind: str, inputs: list[int], output: int, operator: Any) -> None:
        """Add the nodes that do what one operator does."""
        options, out = operator.builtinOptions, f"t{output}"
        if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            deep = kind == "DEPTHWISE_CONV_2D"
            filled = output not in self.keep
            kernel = self.weight(inputs[1], kind="depthwise" if deep else "dense", filled=filled)
            bias = self.weight(inputs[2], kind="bias", filled=filled)
            channels = int(self.graph.tensors[output].shape[3])
            side = int(self.graph.tensors[inputs[1]].shape[1])
            same = options.padding == schema.Padding.SAME
            # Without a margin: the kernel is a single pixel, strides over its own width, or covers
            # the whole of what it reads.
            bare = side in (1, options.strideH, self.graph.tensors[inputs[0]].shape[1])
            assert same or bare
            self.add(
                "Conv",
                [f"t{inputs[0]}", kernel, bias],
                out,
                auto_pad="SAME_UPPER" if same or side == 1 else "VALID",
                strides=[options.strideH, options.strideW],
                group=channels + self.padding(channels) if deep else 1,
            )
        elif kind == "PRELU":
            self.prelu(f"t{inputs[0]}", out, inputs[1])
        elif kind == "MAX_POOL_2D":
            self.add(
                "MaxPool",
                [f"t{inputs[0]}"],
                out,
                auto_pad="SAME_UPPER",
                kernel_shape=[options.filterHeight, options.filterWidth],
                strides=[options.strideH, options.strideW],
            )
        elif kind == "PAD":
            # More channels, all zero: nothing to do, or a convolution that copies.
            before, after = (
                channels + self.padding(channels)
                for channels in (
                    self.graph.tensors[index].shape[3] for index in (inputs[0], output)
                )
            )
            eye = np.eye(after, before, dtype=np.float16)[:, :, None, None]
            copy = self.constant(f"p{output}", eye)
            self.add("Cast", [copy], f"c{output}", to=TensorProto.FLOAT)
            entries = [f"t{inputs[0]}", f"c{output}"]
            if before == after:
                self.add("Identity", entries[:1], out)
            else:
                self.add("Conv", entries, out)
        elif kind == "ADD":
            self.add("Add", [f"t{index}" for index in inputs], out)
        elif kind == "RELU":
            self.add("Relu", [f"t{inputs[0]}"], out)
        elif kind not in ("RESHAPE", "CONCATENATION", "LOGISTIC"):
            raise NotImplementedError(kind)

    def prelu(self, tensor: str, out: str, slope: int) -> None:
        """A slope for negative values, as ``x + (1 - slope) * relu(-x)``.

        ONNX Runtime has no fast kernel for PRelu and would rearrange the memory before and after
        each; convolutions of one pixel and one channel are three times as fast.
        """
        half = self.constant(f"w{slope}", self.stored(slope).reshape(-1, 1, 1, 1))
        channels = self.stored(slope).size
        minus = self.constant(f"m{slope}", np.full((channels, 1, 1, 1), -1, np.float16))
        self.add("Cast", [half], f"f{slope}", to=TensorProto.FLOAT)
        self.add("Cast", [minus], f"n{slope}", to=TensorProto.FLOAT)
        self.add("Add", [f"f{slope}", f"n{slope}"], f"l{slope}")
        self.add("Neg", [f"l{slope}"], f"k{slope}")
        self.add("Conv", [tensor, f"n{slope}"], f"{out}_turned", group=channels)
        self.add("Relu", [f"{out}_turned"], f"{out}_below")
        self.add("Conv", [f"{out}_below", f"k{slope}"], f"{out}_change", group=channels)
        self.add("Add", [f"{out}_change", tensor], out)

    def bottleneck(self, operators: list[Any]) -> None:
        """Convolution, slope, convolution of each channel, convolution, with so few channels that
        twice as many fit into a block and cost nothing: ``x`` and ``-x`` after Relu, of which the
        second convolution takes what the slope makes of them, and the third the sum.
        """
        first, slope, deep, last = operators
        assert deep.builtinOptions.padding == schema.Padding.SAME
        kernels = [self.weight(o.inputs[1], kind="dense", filled=False) for o in (first, last)]
        deep_kernel = self.weight(deep.inputs[1], kind="depthwise", filled=False)
        biases = [self.weight(o.inputs[2], kind="bias", filled=False) for o in (first, deep, last)]
        stored = self.stored(slope.inputs[1])
        half = self.constant(f"w{slope.inputs[1]}", stored.reshape(-1, 1, 1, 1))
        name = f"t{deep.outputs[0]}"
        self.add("Cast", [half], f"{name}_slope", to=TensorProto.FLOAT)
        self.add("Mul", [deep_kernel, f"{name}_slope"], f"{name}_below")
        self.add("Sub", [biases[1], biases[1]], f"{name}_none")
        for i, (whole, turned, axis) in enumerate(
            (
                (kernels[0], kernels[0], 0),
                (biases[0], biases[0], 0),
                (deep_kernel, f"{name}_below", 0),
                (biases[1], f"{name}_none", 0),
                (kernels[1], kernels[1], 1),
            )
        ):
            other = turned
            if i < 3:
                other = f"{name}_minus{i}"
                self.add("Neg", [turned], other)
            self.add("Concat", [whole, other], f"{name}_both{i}", axis=axis)
        both = [f"{name}_both{i}" for i in range(5)]
        self.add("Conv", [f"t{first.inputs[0]}", *both[:2]], f"{name}_wide")
        self.add("Relu", [f"{name}_wide"], f"{name}_parts")
        self.add(
            "Conv",
            [f"{name}_parts", *both[2:4]],
            f"{name}_seen",
            auto_pad="SAME_UPPER",
            group=2 * stored.size,
        )
        self.add("Conv", [f"{name}_seen", both[4], biases[2]], f"t{last.outputs[0]}")

    def weight(self, index: int, *, kind: str, filled: bool) -> str:
        """The name of a kernel or bias as floats in ONNX's order of axes."""
        values = self.stored(index)
        if kind == "bias":
            values = np.pad(values, (0, self.padding(len(values)) if filled else 0))
        else:
            values = values.transpose((3, 0, 1, 2) if kind == "depthwise" else (0, 3, 1, 2))
            rows = self.padding(values.shape[0]) if filled else 0
            is_picture = kind == "depthwise" or values.shape[1] == 3
            columns = 0 if is_picture else self.padding(values.shape[1])
            values = np.pad(values, ((0, rows), (0, columns), (0, 0), (0, 0)))
        name = f"f{index}"
        if not any(name in node.output for node in self.nodes):  # some biases are shared
            half = self.constant(f"w{index}", np.ascontiguousarray(values))
            self.add("Cast", [half], name, to=TensorProto.FLOAT)
        return name

    def stored(self, index: int) -> np.ndarray:
        """The half-precision constant behind a tensor."""
        tensor = self.graph.tensors[self.source[index]]
        assert tensor.type == schema.TensorType.FLOAT16
        data = bytes(self.model.buffers[tensor.buffer].data)
        return np.frombuffer(data, np.float16).reshape(tensor.shape)

    def padding(self, channels: int) -> int:
        """How many channels fill up a block."""
        return int(-channels % BLOCK) if self.filled else 0

    def constant(self, name: str, values: np.ndarray) -> str:
        """Store values under a name."""
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        """Append a node."""
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def write(
        self,
        path: Path,
        shape: list[str | int],
        outputs: list[tuple[str, list[str | int | None]]],
    ) -> None:
        """Check the network and write it: a picture (N, H, W, 3) uint8 in, ``outputs`` out."""
        made = helper.make_graph(
            self.nodes,
            path.stem,
            [helper.make_tensor_value_info("image", TensorProto.UINT8, shape)],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, size)
                for name, size in outputs
            ],
            self.constants,
        )
        result = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
        result.ir_version = 9
        onnx.checker.check_model(result, full_check=True)
        path.write_bytes(result.SerializeToString())


if __name__ == "__main__":
    main()
