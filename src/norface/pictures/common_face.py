"""The common face alone: frames that show normalized faces on a plain ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.faces.align import framing
from norface.faces.pose import fit_head
from norface.results import FaceAnalysis, FrameAnalysis, UInt8Image

_LONGEST: Final = 1280
"""Of a scene; a plain ground needs no more pixels, whatever the original has."""

_SOFT_EDGE: Final = 0.12
"""Of a face in a scene, as a share of half its side: there it fades into the ground."""

_AWAY: Final = 1.0
"""Seconds out of sight after which a person's place in a row may be another's."""


class Layout(Protocol):
    """Where the faces of a frame go.

    Attributes:
        size: width and height of the frames.
    """

    size: tuple[int, int]

    def draw(self, frame: FrameAnalysis) -> UInt8Image:
        """What is shown in place of the frame: uint8 RGB of `size`."""

    def state(self) -> dict[str, Any]:
        """What the next frames depend on, as plain values."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another layout of the same kind was."""


class Scene:
    """Each normalized face where the face was, as large as it was, and upright."""

    def __init__(self, *, width: int, height: int, ground: tuple[int, int, int]) -> None:
        """Set the size and the colour of the frames.

        Args:
            width: of the original's frames, pixels.
            height: of them; the scene is made smaller where it would be longer than 1280 pixels.
            ground: colour of all that is no face, RGB.
        """
        scale = min(1.0, _LONGEST / max(width, height))
        self.size = max(2, round(width * scale)), max(2, round(height * scale))
        self._ground = _plain(self.size, ground)

    def draw(self, frame: FrameAnalysis) -> UInt8Image:
        """The faces; where some overlap, the larger one is in front."""
        canvas = self._ground.copy()
        # The size of a stream's frames may change.
        scale = min(self.size[0] / frame.size[0], self.size[1] / frame.size[1])
        for face in sorted(frame.faces, key=lambda face: face.box.width * face.box.height):
            _put(canvas, face, scale)
        return canvas

    def state(self) -> dict[str, Any]:
        """Nothing: no frame depends on the ones before."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing is to be done."""


class Row:
    """Normalized faces side by side, each person in a place of their own."""

    def __init__(self, *, places: int, side: int, ground: tuple[int, int, int]) -> None:
        """Set the size and the colour of the frames.

        Args:
            places: for how many people.
            side: of a normalized face, pixels.
            ground: colour of the places of who is not seen, RGB.
        """
        if places < 1:
            raise ValueError(f"a row needs at least one place, not {places}")
        self.size = places * side, side
        self.left_out = 0
        self._side = side
        self._ground = _plain(self.size, ground)
        self._people: list[int | None] = [None] * places
        self._seen = [-np.inf] * places

    def draw(self, frame: FrameAnalysis) -> UInt8Image:
        """The faces. Those for whom there is no place are counted in ``left_out``."""
        canvas = self._ground.copy()
        for place, face in self._placed(frame.time, frame.faces):
            self._seen[place] = frame.time
            left = place * self._side
            canvas[:, left : left + self._side] = face.normalized
        return canvas

    def state(self) -> dict[str, Any]:
        """Who has which place, and when they were seen there."""
        return {
            "people": list(self._people),
            "seen": [None if seen == -np.inf else seen for seen in self._seen],
            "left_out": self.left_out,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Give the places as another row had them."""
        self._people = list(state["people"])
        self._seen = [-np.inf if seen is None else seen for seen in state["seen"]]
        self.left_out = state["left_out"]

    def _placed(self, time: float, faces: Sequence[FaceAnalysis]) -> list[tuple[int, FaceAnalysis]]:
        placed = [(self._people.index(f.face_id), f) for f in faces if f.face_id in self._people]
        new = [face for face in faces if face.face_id not in self._people]
        taken = {place for place, _ in placed}
        for face in sorted(new, key=lambda face: face.face_id):
            free = [
                place
                for place, seen in enumerate(self._seen)
                if place not in taken and time - seen > _AWAY
            ]
            if not free:
                self.left_out += 1
                continue
            place = min(free, key=lambda place: self._seen[place])
            self._people[place] = face.face_id
            taken.add(place)
            placed.append((place, face))
        return placed


def ground_color(target: UInt8Image) -> tuple[int, int, int]:
    """The colour of the ground behind a target face (S, S, 3): that of its upper corners."""
    corner = max(1, target.shape[0] // 16)
    pixels = np.concatenate([target[:corner, :corner], target[:corner, -corner:]], axis=1)
    red, green, blue = np.median(pixels.reshape(-1, 3), axis=0)
    return round(float(red)), round(float(green)), round(float(blue))


def _plain(size: tuple[int, int], color: tuple[int, int, int]) -> UInt8Image:
    area = np.empty((size[1], size[0], 3), np.uint8)
    area[:] = color
    return area


def _put(canvas: UInt8Image, face: FaceAnalysis, scale: float) -> None:
    """Lay a normalized face over the place of the face that it was made from."""
    side = face.normalized.shape[0]
    matrix = framing(fit_head(face.landmarks), side)
    zoom = float(np.hypot(*matrix[0, :2])) / scale
    middle = np.linalg.solve(matrix[:, :2], side / 2 - matrix[:, 2]) * scale
    shown = max(4, round(side / zoom))
    left, top = (round(float(at) - shown / 2) for at in middle)
    low_x, low_y = max(0, left), max(0, top)
    high_x, high_y = min(canvas.shape[1], left + shown), min(canvas.shape[0], top + shown)
    if low_x >= high_x or low_y >= high_y:
        return
    way = cv2.INTER_AREA if shown < side else cv2.INTER_LINEAR
    picture = cv2.resize(face.normalized, (shown, shown), interpolation=way)
    inside = np.s_[low_y - top : high_y - top, low_x - left : high_x - left]
    region = canvas[low_y:high_y, low_x:high_x]
    cover = _soft_patch(shown)[inside]
    region[:] = (picture[inside] * cover + region * (255 - cover) + 127) // 255


@lru_cache(maxsize=16)
def _soft_patch(side: int) -> NDArray[np.uint16]:
    """(side, side, 1), 255 inside a square with round corners and 0 at its edge."""
    away = np.abs((np.arange(side) + 0.5) / side * 2 - 1) ** 3
    inside = 1 - np.cbrt(away[:, None] + away[None])
    return np.asarray(np.rint(255 * np.clip(inside / _SOFT_EDGE, 0, 1))[:, :, None], np.uint16)
