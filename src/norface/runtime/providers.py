"""What the networks run on: the processor, or what ONNX Runtime offers beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import numpy as np
import onnxruntime

Device = Literal["auto", "cpu", "cuda", "openvino", "coreml"]
"""``auto`` is a CUDA device where ONNX Runtime can use one, and else the processor."""

DEVICES: Final[tuple[str, ...]] = get_args(Device)

TOLERANCE: Final = 2e-3
"""How far outputs of another device may lie from those of the processor, absolute and relative; a
network that lies further off runs on the processor."""

_CPU: Final = "CPUExecutionProvider"


class DeviceError(ValueError):
    """The device that was asked for cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class _Provider:
    """One of ONNX Runtime's.

    Attributes:
        name: ONNX Runtime's.
        remedy: what to install.
        options: the arithmetic stays in 32 bits, for results must not depend on the device.
        is_choosy: whether it fails on networks that others run; these run on the processor.
    """

    name: str
    remedy: str
    options: Mapping[str, str] = field(default_factory=dict)
    is_choosy: bool = False


_PROVIDERS: Final = {
    "cuda": _Provider(
        "CUDAExecutionProvider",
        "pip uninstall onnxruntime, then pip install onnxruntime-gpu, with the CUDA and cuDNN that "
        "it names",
        {
            "use_tf32": "0",
            # Trying every algorithm would begin anew with each number of faces.
            "cudnn_conv_algo_search": "HEURISTIC",
        },
    ),
    "openvino": _Provider(
        "OpenVINOExecutionProvider",
        "pip uninstall onnxruntime, then pip install onnxruntime-openvino",
        {"device_type": "CPU", "precision": "FP32"},
        is_choosy=True,
    ),
    "coreml": _Provider("CoreMLExecutionProvider", "use onnxruntime for macOS"),
}


def open_session(
    model: bytes, options: onnxruntime.SessionOptions, device: Device = "auto"
) -> onnxruntime.InferenceSession:
    """A session on a device, or on the processor where the device cannot run this network right.

    Args:
        model: an ONNX file's content.
        options: its threads, too, as far as the device uses the processor.
        device: where it is to run.

    Raises:
        DeviceError: the installed ONNX Runtime lacks the device, or it cannot be started.
        Exception: the model cannot be run; ONNX Runtime has many kinds.
    """
    if device not in DEVICES:
        raise DeviceError(f"device must be {', '.join(DEVICES)}: {device}")
    wanted = "cuda" if device == "auto" else device
    provider = _PROVIDERS.get(wanted)
    if provider is None or (device == "auto" and not offered(wanted)):
        return onnxruntime.InferenceSession(model, options, providers=[_CPU])
    if not offered(wanted):
        raise DeviceError(
            f"the installed ONNX Runtime has no {device} (it has {', '.join(_offered())}); "
            f"{provider.remedy}, or take the device cpu"
        )
    if provider.is_choosy:
        # It says on stderr, past Python, what it cannot take.
        onnxruntime.set_default_logger_severity(4)
        options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            model, options, providers=[(provider.name, _options(provider, options)), _CPU]
        )
    except Exception as error:
        if device != "auto" and not provider.is_choosy:
            raise DeviceError(f"{device} cannot be started: {error}") from error
        return onnxruntime.InferenceSession(model, options, providers=[_CPU])
    # Without the driver or its libraries ONNX Runtime goes on with the processor, unasked.
    if provider.name not in session.get_providers():
        if device == "auto":
            return session
        raise DeviceError(
            f"{device} cannot be started: ONNX Runtime offers it, but its driver or libraries are "
            "missing. Install them, or take the device cpu"
        )
    reference = onnxruntime.InferenceSession(model, options, providers=[_CPU])
    return session if _agree(session, reference) else reference


def _agree(session: onnxruntime.InferenceSession, reference: onnxruntime.InferenceSession) -> bool:
    """Whether a device says of noise what the processor says; OpenVINO was seen to say nothing."""
    random = np.random.default_rng(0)
    feed = {
        node.name: random.random([2 if isinstance(n, str) else n for n in node.shape], np.float32)
        for node in reference.get_inputs()
    }
    expected = reference.run(None, feed)
    try:
        given = session.run(None, feed)
    except Exception:
        return False
    return all(
        one.shape == other.shape and np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE)
        for one, other in zip(given, expected, strict=True)
    )


def offered(device: str) -> bool:
    """Whether the installed ONNX Runtime was built for a device."""
    provider = _PROVIDERS.get(device)
    return provider is None or provider.name in onnxruntime.get_available_providers()


def _offered() -> list[str]:
    return [device for device in DEVICES if device != "auto" and offered(device)]


def _options(provider: _Provider, options: onnxruntime.SessionOptions) -> dict[str, Any]:
    if provider.name != "OpenVINOExecutionProvider" or not options.intra_op_num_threads:
        return dict(provider.options)
    return {**provider.options, "num_of_threads": str(options.intra_op_num_threads)}
