"""Telling people apart by their faces, to link them across cuts and absences. Optional.

This is biometric identification: nothing in norface does it unless asked. The network is dlib's
(face_recognition_models 0.3.0, CC0); it comes with the extra ``people``.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

SIZE: Final = 128
"""Numbers of an embedding."""

_MODEL: Final = "models/dlib_face_recognition_resnet_model_v1.dat"
_LANDMARKS: Final = (263, 362, 33, 133, 2)
"""The corners of the eyes and the base of the nose, in the order of dlib's five landmarks."""

_CHIP: Final = 150
_CHIP_PADDING: Final = 0.25


class MissingExtraError(RuntimeError):
    """What tells people apart is not installed."""


class Embedder(Protocol):
    """Whatever turns a face into numbers that lie close together for the same person.

    Attributes:
        same: distance up to which two faces are taken for one person's.
        different: distance from which they are not, even where nothing else says so.
    """

    same: float
    different: float

    def __call__(
        self, image: NDArray[np.uint8], points: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(D,) embedding of the face with these (478, 3) landmarks in ``image`` (H, W, 3)."""


class IdentityEmbedder:
    """Embeds a face into 128 numbers."""

    same = 0.5
    different = 0.62

    def __init__(self) -> None:
        """Load the network.

        Raises:
            MissingExtraError: the extra ``people`` is not installed.
        """
        # The package of the models cannot be imported where setuptools is missing; its file can
        # be read.
        models = find_spec("face_recognition_models")
        if find_spec("_dlib_pybind11") is None or models is None or models.origin is None:
            raise MissingExtraError(
                "Linking people across cuts needs a network for identities, which is not "
                'installed. Install it with: pip install "norface[people]"'
            )
        import dlib

        self._dlib: Any = dlib
        self._network: Any = dlib.face_recognition_model_v1(
            str(Path(models.origin).parent / _MODEL)
        )

    def __call__(
        self, image: NDArray[np.uint8], points: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(128,) float32 embedding of the face with these (478, 3) landmarks.

        Args:
            image: (H, W, 3) uint8 RGB.
            points: in pixels of ``image``.
        """
        marks = [self._dlib.point(round(float(x)), round(float(y))) for x, y in points[_ROWS, :2]]
        (left, top), (right, bottom) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        box = self._dlib.rectangle(*(round(float(edge)) for edge in (left, top, right, bottom)))
        shape = self._dlib.full_object_detection(box, marks)
        chip = self._dlib.get_face_chip(
            np.ascontiguousarray(image), shape, size=_CHIP, padding=_CHIP_PADDING
        )
        return np.array(self._network.compute_face_descriptor(chip), np.float32)


_ROWS: Final = list(_LANDMARKS)
