"""From a decoded frame to upright RGB with square pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from norface.media.images import UInt8Image, to_rgb_array

_MATRIX: Final = struct.Struct("=9i")
"""A display matrix, row by row; a point of the stored picture is a row vector before it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How a stored picture is brought upright: first transposed, then mirrored.

    Attributes:
        transpose: rows become columns.
        mirror: left becomes right.
        flip: top becomes bottom.
    """

    transpose: bool = False
    mirror: bool = False
    flip: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Turn:
        """The turn that a frame's display matrix asks for, to the nearest quarter."""
        data = cast("dict[Type, memoryview]", frame.side_data).get(Type.DISPLAYMATRIX)
        if data is None or len(bytes(data)) < _MATRIX.size:
            return cls()
        a, b, _, c, d, *_ = _MATRIX.unpack(bytes(data)[: _MATRIX.size])
        if abs(b) > abs(a):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    def apply(self, image: UInt8Image) -> UInt8Image:
        """The upright picture; the same memory where nothing is turned."""
        if self.transpose:
            image = cast(UInt8Image, cv2.transpose(image))
        if self.mirror or self.flip:
            code = -1 if self.mirror and self.flip else 1 if self.mirror else 0
            image = cast(UInt8Image, cv2.flip(image, code))
        return image


class Pixels:
    """Converts the frames of one stream; keeps what the conversion has set up."""

    def __init__(self, *, aspect: Fraction | None) -> None:
        """Set up.

        Args:
            aspect: width of a pixel by its height; None or 0 where the stream does not say.
        """
        self._aspect = float(aspect) if aspect else 1.0
        self._convert = VideoReformatter().reformat
        self._rotation: int | None = None
        self._turn = Turn()

    def read(self, frame: VideoFrame) -> UInt8Image:
        """A frame as (H, W, 3) uint8 RGB: upright, pixels square, transparency over white.

        Raises:
            av.error.FFmpegError: FFmpeg cannot convert it.
            ValueError: the same, found by PyAV.
        """
        has_alpha = any(part.is_alpha for part in frame.format.components)
        rgb = self._convert(
            frame,
            width=max(1, round(frame.width * self._aspect)),
            height=frame.height,
            format="rgba" if has_alpha else "rgb24",
        )
        image = cast(UInt8Image, rgb.to_ndarray())
        if has_alpha:
            image = to_rgb_array(image)
        # Asking a frame for its matrix makes it live until Python's collector comes by.
        if frame.rotation != self._rotation:
            self._rotation, self._turn = frame.rotation, Turn.of(frame)
        return np.ascontiguousarray(self._turn.apply(image))
