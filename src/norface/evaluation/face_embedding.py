"""Telling people apart by an independent network: an ONNX file that the user may use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from norface.faces.align import warp

FloatArray = NDArray[np.float32]
Embed: TypeAlias = Callable[[NDArray[np.uint8], FloatArray], FloatArray]
"""A picture (H, W, 3) and the (478, 3) landmarks of a face in it -> embedding (D,)."""

ARCFACE_POINTS: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]]
)  # fmt: skip
"""Eyes, tip of the nose and corners of the mouth in the 112-pixel picture that ArcFace and its kin
were trained on, in the order of `five_points`."""

_SIDE: Final = 112


class EmbeddingError(ValueError):
    """A network cannot be used; the message names it, the reason and the remedy."""


class OnnxEmbedder:
    """An ONNX network whose pictures are framed like ArcFace's, such as MobileFaceNet."""

    def __init__(
        self,
        path: Path,
        *,
        mean: tuple[float, float, float] = (0.5, 0.5, 0.5),
        std: tuple[float, float, float] = (0.5, 0.5, 0.5),
        bgr: bool = False,
    ) -> None:
        """Load it.

        Args:
            path: takes one picture (1, 3, S, S), gives one embedding (1, D).
            mean: of its pictures, for values in 0..1; ArcFace wants 0.5.
            std: values become (x - mean) / std.
            bgr: whether it wants blue first.

        Raises:
            EmbeddingError: the file is missing or damaged, or takes something else.
        """
        import onnxruntime

        if min(std) <= 0:
            raise EmbeddingError(f"the standard deviation must be above 0, not {std}")
        if not path.is_file():
            raise EmbeddingError(f"{path} does not exist. Give the ONNX file of a face network.")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # ONNX Runtime raises types of its own for each fault.
            raise EmbeddingError(f"{path} cannot be loaded as a network: {error}") from error
        taken: Any = self._session.get_inputs()[0]
        shape = taken.shape
        if len(self._session.get_inputs()) != 1 or len(shape) != 4 or shape[1] != 3:
            raise EmbeddingError(
                f"{path} takes an input of shape {shape}; a face network takes (1, 3, S, S)."
            )
        self._name = taken.name
        self._side = shape[2] if isinstance(shape[2], int) else _SIDE
        self._mean, self._std, self._bgr = np.array(mean), np.array(std), bgr

    def __call__(self, image: NDArray[np.uint8], points: FloatArray) -> FloatArray:
        """(D,) embedding of length 1 of the face with these (478, 3) landmarks in ``image``."""
        goal = (ARCFACE_POINTS + 0.5) * (self._side / _SIDE)
        face = warp(image, fit_similarity(five_points(points), goal), self._side)
        pixels = (face / 255.0 - self._mean) / self._std
        if self._bgr:
            pixels = pixels[:, :, ::-1]
        batch = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
        return unit_length(np.asarray(self._session.run(None, {self._name: batch})[0]).reshape(-1))


def unit_length(vectors: NDArray[np.floating[Any]]) -> FloatArray:
    """Vectors (..., D) divided by their lengths."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


def five_points(points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(5, 2) of (478, 2 or 3) landmarks: eyes, tip of the nose and corners of the mouth, the
    picture's left side first.
    """
    xy = np.asarray(points[:, :2], np.float64)
    eyes = xy[[33, 133]].mean(axis=0), xy[[362, 263]].mean(axis=0)
    return np.stack([*eyes, xy[1], xy[61], xy[291]])


def fit_similarity(
    source: NDArray[np.floating[Any]], goal: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Least-squares scale, rotation and shift (2, 3) of points (N, 2), as complex numbers."""
    a, b = source @ (1, 1j), goal @ (1, 1j)
    centred = a - a.mean()
    turn = (centred.conj() @ (b - b.mean())) / (centred.conj() @ centred)
    shift = b.mean() - turn * a.mean()
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float64
    )
