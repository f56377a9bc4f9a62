"""MediaPipe's face landmarker, quiet, and closed without noise."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.faces.bundle import LANDMARK_COUNT, landmarker_bundle
from norface.facs import ACTION_INDEX, FACIAL_ACTIONS

_PRESENCE: Final = 0.5
_SECOND_LOOK: Final = 0.3
_stderr_lock = threading.Lock()


class Landmarker:
    """The 478 landmarks and the blendshapes of the one large face of a picture."""

    def __init__(self) -> None:
        with silenced():
            from mediapipe.tasks.python import BaseOptions, vision

            self._task: Any = vision.FaceLandmarker.create_from_options(
                vision.FaceLandmarkerOptions(
                    base_options=BaseOptions(model_asset_buffer=landmarker_bundle()),
                    num_faces=1,
                    min_face_detection_confidence=_SECOND_LOOK,
                    min_face_presence_confidence=_PRESENCE,
                    output_face_blendshapes=True,
                )
            )
            self._finalizer = weakref.finalize(self, _close, self._task)
            self(np.zeros((128, 128, 3), np.uint8))

    def __call__(
        self, image: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Landmarks (478, 3) in pixels of ``image`` and blendshapes (52,), or None."""
        height, width = image.shape[:2]
        result = self._task.detect(_as_mediapipe(image))
        if not result.face_landmarks:
            return None
        points = np.array([(mark.x, mark.y, mark.z) for mark in result.face_landmarks[0]])
        if points.shape != (LANDMARK_COUNT, 3) or not np.isfinite(points).all():
            return None
        blendshapes = np.full(len(FACIAL_ACTIONS), np.nan, np.float32)
        for shape in result.face_blendshapes[0]:
            index = ACTION_INDEX.get(shape.category_name)
            if index is not None:
                blendshapes[index] = shape.score
        return (points * (width, height, width)).astype(np.float32), blendshapes

    def close(self) -> None:
        """Free the task; a second call does nothing."""
        self._finalizer()


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Send what C++ writes to the process's stderr nowhere.

    MediaPipe logs to file descriptor 2, past `sys.stderr`; nothing in it is of use to a user.
    Where there is no such descriptor (some notebooks and services) nothing is done.
    """
    with _stderr_lock:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)


def _close(task: Any) -> None:
    # At the interpreter's exit the task's own thread is gone before this runs; closing then
    # raises, and so would its __del__, unless it holds no handle any more.
    try:
        with silenced():
            task.close()
    except RuntimeError:
        task._handle = None


def _as_mediapipe(image: NDArray[np.uint8]) -> Any:
    import mediapipe

    return mediapipe.Image(
        image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image)
    )
