"""The MediaPipe face landmarker bundle that norface carries: its networks and its canonical mesh.

The bundle is a zip with a face detector, a landmark network, a blendshape network and the geometry
metadata (Apache-2.0, Google). Every file is checked against a SHA-256 before use.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

LANDMARK_COUNT: Final = 478
MESH_COUNT: Final = 468
"""The first 468 landmarks are the mesh; the last ten are the two irises."""

_BUNDLE: Final = "face_landmarker.task"
_DETECTOR: Final = "face_detector.onnx"
_LANDMARKS: Final = "face_landmarks.onnx"
_SHA256: Final = {
    _BUNDLE: "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    _DETECTOR: "d56b78442336eddca8210d14ba98755d004d8e7a5eea12179cacc8ff074b357a",
    _LANDMARKS: "6f763468a9d8b0ce76c580b972dabfd84c2eae3e0c62d4639df9d652a23aa848",
}

# Centre, right, top, left, bottom of each iris, as seen in the picture; and the contour of its eye.
_IRISES: Final = (
    (468, (33, 133, 159, 145)),
    (473, (362, 263, 386, 374)),
)


class BundleError(RuntimeError):
    """The landmarker bundle inside the package is missing or is not the expected file."""


@lru_cache(maxsize=1)
def landmarker_bundle() -> bytes:
    """The whole bundle, as MediaPipe's landmarker takes it.

    Raises:
        BundleError: when the file is missing or its SHA-256 differs.
    """
    return _asset(_BUNDLE)


def detector_network() -> bytes:
    """The bundle's face detector as ONNX, made by ``tools/convert_face_networks.py``.

    Raises:
        BundleError: when the file is missing or its SHA-256 differs.
    """
    return _asset(_DETECTOR)


def landmarks_network() -> bytes:
    """The bundle's landmark network as ONNX, made by ``tools/convert_face_networks.py``.

    Raises:
        BundleError: when the file is missing or its SHA-256 differs.
    """
    return _asset(_LANDMARKS)


def detector_model() -> bytes:
    """The bundle's face detector as it is stored (TensorFlow Lite, 128 x 128 input)."""
    return _member("face_detector.tflite")


def landmarks_model() -> bytes:
    """The bundle's landmark network as it is stored (TensorFlow Lite, 256 x 256 input)."""
    return _member("face_landmarks_detector.tflite")


@lru_cache(maxsize=1)
def canonical_face() -> NDArray[np.float64]:
    """The canonical face in the axes of a picture.

    Returns:
        (478, 3), in about centimetres; x to the picture's right (the person's left), y down,
        z away from the camera; looking straight at the camera. The irises, which the canonical
        mesh lacks, lie in the middle of their eyes. Read-only.
    """
    metadata = _fields(_member("geometry_pipeline_metadata_landmarks.binarypb"))
    mesh = next(value for number, value in metadata if number == 1)
    assert isinstance(mesh, bytes)
    numbers = [value for number, value in _fields(mesh) if number == 3]
    vertices = np.array(numbers, np.float64).reshape(MESH_COUNT, 5)[:, :3] * (1.0, -1.0, -1.0)
    face = np.empty((LANDMARK_COUNT, 3))
    face[:MESH_COUNT] = vertices
    radius = 0.58  # of an iris, in centimetres
    ring = radius * np.array([(0, 0, 0), (1, 0, 0), (0, -1, 0), (-1, 0, 0), (0, 1, 0)], np.float64)
    for first, eye in _IRISES:
        face[first : first + 5] = vertices[list(eye)].mean(axis=0) + ring
    face.setflags(write=False)
    return face


def _asset(name: str) -> bytes:
    try:
        data = resources.files("norface.faces").joinpath("assets").joinpath(name).read_bytes()
    except OSError as error:
        raise BundleError(f"{name} is missing from the package: install norface again") from error
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        raise BundleError(f"{name} is damaged (wrong SHA-256): install norface again")
    return data


def _member(name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(landmarker_bundle())) as bundle:
        return bundle.read(name)


def _fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """The (field number, value) pairs of one protobuf message; nested messages stay bytes."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            yield number, varint()
        elif kind == 5:
            yield number, struct.unpack_from("<f", message, at)[0]
            at += 4
        elif kind == 2:
            length = varint()
            yield number, message[at : at + length]
            at += length
        else:
            raise BundleError(f"{_BUNDLE}: unexpected protobuf wire type {kind}")
