"""What an analysis returns: small frozen values that hold no library's own types but numpy's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

UInt8Image = NDArray[np.uint8]
Direction: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A face's place in the picture: left, top, width and height in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Head rotation in degrees; all zero for a face that looks straight into the camera.

    Attributes:
        pitch: positive when the face looks up.
        yaw: positive when the face turns towards the person's own left (the picture's right).
        roll: positive when the head tilts towards the person's own left shoulder (the face turns
            clockwise in the picture).
    """

    pitch: float
    yaw: float
    roll: float


@dataclass(frozen=True, slots=True)
class Gaze:
    """Where the eyes look, seen from the camera, as `Pose` is: straight at it is (0, 0, -1).

    docs/gaze.md says how it is estimated, how well, and what it is not good for.

    Attributes:
        left, right: direction of the person's own left and right eye, a vector of length 1 in the
            axes of the picture: x to the right, y down, z away from the camera; None for an eye
            that is shut. At least one of them is there.
    """

    left: Direction | None
    right: Direction | None

    @property
    def direction(self) -> Direction:
        """The mean of the eyes that are open, a vector of length 1."""
        seen = [eye for eye in (self.left, self.right) if eye is not None]
        x, y, z = (sum(parts) for parts in zip(*seen, strict=True))
        length = math.hypot(x, y, z)
        return x / length, y / length, z / length

    @property
    def yaw(self) -> float:
        """Degrees, -90 to 90; positive: towards the person's own left (the picture's right)."""
        x, _, z = self.direction
        return math.degrees(math.atan2(x, -z))

    @property
    def pitch(self) -> float:
        """Degrees, -90 to 90; positive: upwards."""
        return -math.degrees(math.asin(max(-1.0, min(1.0, self.direction[1]))))


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """One action unit as read from one face.

    Attributes:
        intensity: 0 (absent) to 5 (maximum).
        probability: probability, 0 to 1, that the unit is present (intensity 2 or more).
        present: whether the unit is called present.
        left, right: intensity of the person's own left and right side; None for a unit
            without sides.
    """

    intensity: float
    probability: float
    present: bool
    left: float | None = None
    right: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalysis:
    """Everything that norface reads from one face.

    Attributes:
        face_id: number of the face in its picture, from 0, largest face first.
        confidence: the finder's confidence, 0 to 1.
        box: place in the picture.
        pose: head rotation.
        landmarks: (478, 3) float32; x and y in pixels of the picture, z in the same scale.
        action_units: by name, e.g. ``["AU12"]``, in FACS order; empty when no network for them is
            installed.
        emotion: the most probable emotion; None when no emotion model is installed.
        emotions: probability of each emotion, summing to 1; empty when no emotion model is
            installed.
        normalized: (256, 256, 3) uint8 RGB, the same expression on the common face.
        aligned: (256, 256, 3) uint8 RGB, the face as the networks saw it.
        gaze: where the eyes look; None when both are shut.
    """

    face_id: int
    confidence: float
    box: Box
    pose: Pose
    landmarks: NDArray[np.float32]
    action_units: Mapping[str, ActionUnit]
    emotion: str | None
    emotions: Mapping[str, float]
    normalized: UInt8Image
    aligned: UInt8Image
    gaze: Gaze | None = None

    def to_dict(self) -> dict[str, Any]:
        """The scores as plain Python values (no pictures, no landmarks), ready for JSON."""
        return {
            "face_id": self.face_id,
            "confidence": self.confidence,
            "box": {k: getattr(self.box, k) for k in ("x", "y", "width", "height")},
            "pose": {k: getattr(self.pose, k) for k in ("pitch", "yaw", "roll")},
            "gaze": None if self.gaze is None else {"pitch": self.gaze.pitch, "yaw": self.gaze.yaw},
            "action_units": {
                name: {
                    "intensity": unit.intensity,
                    "probability": unit.probability,
                    "present": unit.present,
                    "left": unit.left,
                    "right": unit.right,
                }
                for name, unit in self.action_units.items()
            },
            "emotion": self.emotion,
            "emotions": dict(self.emotions),
        }


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnalysis:
    """Everything that norface reads from one frame of a video.

    Attributes:
        number: of the frame in its source, from 0.
        time: seconds from the beginning of the source.
        size: width and height of the frame in pixels, upright.
        faces: those that were found, none included; their ``face_id`` is the person's.
        image: (H, W, 3) uint8 RGB, the frame; None where only what was read from it is left.
    """

    number: int
    time: float
    size: tuple[int, int]
    faces: tuple[FaceAnalysis, ...]
    image: UInt8Image | None = None
