"""Cuts between the shots of a video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_SIZE: Final = (32, 18)
"""Width and height of the grey copy that is compared: too small for what moves in a shot."""

_SAMPLED: Final = 256
"""Pixels on the longer side that are read at all; more would only cost time."""

_GREY_LEVELS: Final = 4.0
"""Contrast that noise alone may have."""

_CHANGE: Final = 0.6
"""Change from which it may be a cut; two pictures that have nothing in common reach about 1.3."""

_ABOVE_USUAL: Final = 3.0
"""How often the usual change of the last frames it must be: a camera that swings is no cut."""

_USUAL_WEIGHT: Final = 0.2


class ShotDetector:
    """Tells for each frame of a video whether a new shot starts with it.

    Compared are small grey copies, with the mean brightness taken out, so that neither a flash nor
    a light that is switched on counts. Slow fades from shot to shot are not seen.
    """

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._usual = 0.0

    def state(self) -> dict[str, Any]:
        """What the next frame is compared with, as plain values."""
        before = None if self._before is None else self._before.tolist()
        return {"before": before, "usual": self._usual}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the detector whose `state` this was."""
        before = state["before"]
        self._before = None if before is None else np.array(before, np.float32)
        self._usual = float(state["usual"])

    def cut(self, image: NDArray[np.uint8]) -> bool:
        """Whether ``image`` (H, W, 3) uint8 RGB starts a new shot; not so the first frame."""
        now = _small(image)
        before, self._before = self._before, now
        if before is None:
            return False
        contrast = (np.abs(now).mean() + np.abs(before).mean()) / 2 + _GREY_LEVELS
        change = float(np.abs(now - before).mean() / contrast)
        is_cut = change > max(_CHANGE, _ABOVE_USUAL * self._usual)
        if is_cut:
            self._usual = 0.0
        else:
            self._usual += _USUAL_WEIGHT * (change - self._usual)
        return is_cut


def _small(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(18, 32) grey with mean zero."""
    step = max(1, max(image.shape[:2]) // _SAMPLED)
    sampled = np.ascontiguousarray(image[::step, ::step])
    small = cv2.resize(sampled, _SIZE, interpolation=cv2.INTER_AREA)
    grey = small.mean(axis=2, dtype=np.float32)
    return np.asarray(grey - grey.mean(), np.float32)
