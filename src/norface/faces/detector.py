"""The face detector: boxes of faces in a picture of any size, in one pass.

It is MediaPipe's short-range detector, which was made for pictures of 128 x 128 pixels. As it
consists of convolutions alone, norface runs it over larger pictures directly.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from norface.faces.bundle import detector_network

NATIVE_SIZE: Final = 128
"""Side of the pictures for which the network was made."""

SMALLEST_FACE: Final = 15.5
"""Width in pixels from which faces are found: 98% of them, measured on portraits."""

LARGEST_FACE: Final = 110.0
"""Width in pixels up to which faces are found."""

# (name, anchors in each cell, pixels between cells); each anchor has 16 numbers, of which the
# first four are its box: centre and size in pixels, the centre relative to the cell's.
_HEADS: Final = (("8", 2, 8), ("16", 6, 16))
_NUMBERS: Final = 16


class Detector:
    """Finds faces between `SMALLEST_FACE` and `LARGEST_FACE` pixels wide.

    Args:
        threads: how many it may use; None for every core.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or 0
        # Threads that wait actively would take the cores from the networks that run next.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = ort.InferenceSession(
            detector_network(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, image: NDArray[np.uint8], minimum_confidence: float) -> NDArray[np.float64]:
        """Faces in ``image`` (H, W, 3) uint8 RGB, best first.

        Returns:
            (N, 5): left, top, width and height in pixels, and the confidence from 0 to 1; boxes
            that overlap much are merged into one.
        """
        names = [f"{kind}_{head}" for head, _, _ in _HEADS for kind in ("scores", "boxes")]
        outputs = self._session.run(names, {"image": np.ascontiguousarray(image)[None]})
        least = np.log(minimum_confidence / (1.0 - minimum_confidence))
        found = [
            _decoded(scores[0], boxes[0], anchors, stride, least)
            for (_, anchors, stride), scores, boxes in zip(
                _HEADS, outputs[::2], outputs[1::2], strict=True
            )
        ]
        return merged(np.concatenate(found))


def merged(boxes: NDArray[np.float64], least_overlap: float = 0.3) -> NDArray[np.float64]:
    """Boxes (N, 5) of one face made one: the mean weighted by confidence, and the best confidence.

    Boxes belong together when their intersection over union with the best is ``least_overlap``.
    """
    rest = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept = []
    while len(rest):
        together = overlaps(rest[0], rest) >= least_overlap
        together[0] = True
        group = rest[together]
        mean = np.average(group[:, :4], axis=0, weights=group[:, 4])
        kept.append(np.append(mean, group[0, 4]))
        rest = rest[~together]
    return np.array(kept, np.float64).reshape(-1, 5)


def overlaps(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box (left, top, width, height, ...) with each of (N, 4+)."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:4], boxes[:, :2] + boxes[:, 2:4])
    common = np.maximum(high - low, 0.0).prod(axis=1)
    union = box[2:4].prod() + boxes[:, 2:4].prod(axis=1) - common
    return np.asarray(common / np.maximum(union, 1e-9), np.float64)


def _decoded(
    scores: NDArray[np.float32],
    boxes: NDArray[np.float32],
    anchors: int,
    stride: int,
    least: float,
) -> NDArray[np.float64]:
    """Boxes (N, 5) from one head: scores (A, h, w) as logits, boxes (A * 16, h, w)."""
    anchor, row, column = np.nonzero(scores >= least)
    if not len(anchor):
        return np.empty((0, 5))
    numbers = boxes.reshape(anchors, _NUMBERS, *boxes.shape[1:])[anchor, :4, row, column]
    size = np.maximum(numbers[:, 2:4].astype(np.float64), 1e-3)
    centre = numbers[:, :2] + (np.column_stack([column, row]) + 0.5) * stride
    confidence = 1.0 / (1.0 + np.exp(-scores[anchor, row, column].astype(np.float64)))
    return np.column_stack([centre - size / 2, size, confidence])
