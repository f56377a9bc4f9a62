from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from norface import WeightsError
from norface.faces.align import geometry
from norface.faces.bundle import canonical_face
from norface.runtime.normalizer import Normalizer
from norface.runtime.providers import DEVICES, TOLERANCE, DeviceError, offered, open_session
from norface.runtime.sessions import Weights

ABSENT = [device for device in DEVICES if device != "auto" and not offered(device)]
OTHERS = [device for device in DEVICES if device not in ("auto", "cpu") and offered(device)]


def faces(count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).random((count, 3, 128, 128), np.float32)


def test_the_processor_is_always_there() -> None:
    assert offered("cpu")
    tokens = [
        Weights(device=device).session("encoder.onnx", threads=1).run(image=faces(2))["tokens"]
        for device in ("cpu", "auto")
    ]
    if not offered("cuda"):
        np.testing.assert_array_equal(*tokens)


@pytest.mark.parametrize("device", OTHERS or [pytest.param("", marks=pytest.mark.skip("none"))])
def test_other_devices_read_the_same(device: Any) -> None:
    points = canonical_face().astype(np.float32)
    tokens, pictures = [], []
    for name in ("cpu", device):
        try:
            normalizer = Normalizer.load(Weights(device=name), threads=1)
        except DeviceError as error:
            pytest.skip(str(error))
        tokens.append(normalizer.encode(faces(3)))
        shape = np.repeat(geometry(points)[None], 3, 0)
        pictures.append(normalizer.normalize(tokens[-1], shape))
    # Of tokens the standard deviation is 1; pictures lie in 0 to 1.
    np.testing.assert_allclose(*tokens, atol=TOLERANCE, rtol=TOLERANCE)
    np.testing.assert_allclose(*pictures, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("device", ABSENT)
def test_an_absent_device_is_told_with_what_to_do(device: Any) -> None:
    with pytest.raises(DeviceError, match=rf"no {device} \(it has .*cpu.*or take the device cpu"):
        Weights(device=device).session("encoder.onnx")


def test_a_device_that_does_not_exist_is_told() -> None:
    with pytest.raises(DeviceError, match="auto, cpu, cuda, openvino, coreml: abacus"):
        Weights(device="abacus").session("encoder.onnx")  # type: ignore[arg-type]


class _Session:
    """ONNX Runtime where a device is built in and its driver is missing."""

    opened: list[list[Any]] = []  # noqa: RUF012

    def __init__(self, model: bytes, options: object, providers: list[Any]) -> None:
        self.opened.append(providers)

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]

    def get_inputs(self) -> list[Any]:
        return []

    get_outputs = get_inputs


def test_a_device_without_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    monkeypatch.setattr(onnxruntime, "InferenceSession", _Session)
    with pytest.raises(DeviceError, match=r"cuda cannot be started.*driver"):
        Weights(device="cuda").session("encoder.onnx")
    # Who did not ask for it gets the processor.
    Weights().session("encoder.onnx")
    (name, options), rest = _Session.opened[-1]
    assert (name, rest) == tuple(there)
    assert options["use_tf32"] == "0"


def test_a_device_that_fails_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(model: bytes, options: object, providers: list[Any]) -> _Session:
        if len(providers) > 1:
            raise RuntimeError("no cuDNN")
        return _Session(model, options, providers)

    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    with pytest.raises(DeviceError, match="no cuDNN"):
        Weights(device="cuda").session("encoder.onnx")
    Weights().session("encoder.onnx")


def test_what_openvino_cannot_take_runs_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(model: bytes, options: object, providers: list[Any]) -> _Session:
        if len(providers) > 1:
            raise RuntimeError("the graph is not acyclic")
        return _Session(model, options, providers)

    there = ["OpenVINOExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    Weights(device="openvino").session("encoder.onnx")
    assert _Session.opened[-1] == ["CPUExecutionProvider"]


@pytest.mark.parametrize("answer", [0.0, 0.1, None])
def test_what_a_device_gets_wrong_runs_on_the_processor(
    monkeypatch: pytest.MonkeyPatch, answer: float | None
) -> None:
    class Wrong(_Session):
        def __init__(self, model: bytes, options: object, providers: list[Any]) -> None:
            self.device = len(providers) > 1

        def get_providers(self) -> list[str]:
            return there if self.device else there[1:]

        def run(self, names: None, feed: object) -> list[Any]:
            if self.device and answer is None:
                raise RuntimeError("out of memory")
            return [np.array([self.device * (answer or 0.0)])]

    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Wrong)
    session: Any = open_session(b"", onnxruntime.SessionOptions(), "cuda")
    assert session.device == (answer == 0.0)


def test_a_bad_file_is_no_fault_of_the_device() -> None:
    with pytest.raises(WeightsError, match="common_face"):
        Weights(device="cpu").session("common_face.png")
