"""What was read from frames or pictures, kept in a file: all but the pictures themselves.

The values come back to the bit. Nothing in such a file is ever run or unpickled.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import EMOTIONS
from norface.results import ActionUnit, Box, Direction, FaceAnalysis, FrameAnalysis, Gaze, Pose

_NO_IMAGE: Final = np.empty((0, 0, 3), np.uint8)
_NO_LANDMARKS: Final = np.empty((0, 3), np.float32)
_SIDES: Final = ("intensity", "left", "right")
_UNSEEN: Final = (np.nan, np.nan, np.nan)


class RecordError(ValueError):
    """A file of readings is damaged; what it held has to be read again."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The content of such a file.

    Attributes:
        frames: without images; and without landmarks if they were left out.
        about: plain values that were kept with them.
    """

    frames: Sequence[FrameAnalysis]
    about: Mapping[str, Any]


def save_record(
    path: Path, frames: Sequence[FrameAnalysis], about: Mapping[str, Any], *, landmarks: bool
) -> None:
    """Write a file whole or not at all; it has reached the disk then.

    Args:
        path: ends in .npz.
        frames: what was read.
        about: plain values, as for JSON.
        landmarks: whether to keep those of the faces; they take most of the room.
    """
    faces = [face for frame in frames for face in frame.faces]
    units = next((list(face.action_units) for face in faces), [])
    arrays: dict[str, NDArray[Any]] = {
        "number": np.array([frame.number for frame in frames], np.int64),
        "time": np.array([frame.time for frame in frames], np.float64),
        "size": np.array([frame.size for frame in frames], np.int64).reshape(-1, 2),
        "count": np.array([len(frame.faces) for frame in frames], np.int64),
        "face_id": np.array([face.face_id for face in faces], np.int64),
        "confidence": np.array([face.confidence for face in faces], np.float64),
        "box": _rows([(f.box.x, f.box.y, f.box.width, f.box.height) for f in faces], 4),
        "pose": _rows([(f.pose.pitch, f.pose.yaw, f.pose.roll) for f in faces], 3),
        "gaze": _rows([_gaze_values(face.gaze) for face in faces], 6),
        "units": _rows([_unit_values(face) for face in faces], 5 * len(units)),
        "emotions": _rows([list(f.emotions.values()) for f in faces if f.emotions], len(EMOTIONS)),
    }
    if landmarks:
        arrays["landmarks"] = np.array([face.landmarks for face in faces], np.float32)
    said = json.dumps({"unit_names": units, "about": about}).encode()
    arrays["said"] = np.frombuffer(said, np.uint8)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_whole(path, content.getvalue())


def without_images(frame: FrameAnalysis, *, landmarks: bool) -> FrameAnalysis:
    """What a file keeps of a frame: many such may be held until it is written."""
    faces = tuple(
        replace(
            face,
            landmarks=face.landmarks if landmarks else _NO_LANDMARKS,
            normalized=_NO_IMAGE,
            aligned=_NO_IMAGE,
        )
        for face in frame.faces
    )
    return replace(frame, faces=faces, image=None)


def load_record(path: Path) -> Record:
    """Read a file back.

    Raises:
        RecordError: it is damaged.
        OSError: it cannot be read.
    """
    content = io.BytesIO(path.read_bytes())
    try:
        with np.load(content, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        said = json.loads(arrays["said"].tobytes())
        faces = _faces(arrays, said["unit_names"])
        ends = np.cumsum(arrays["count"]).tolist()
        frames = [
            FrameAnalysis(number, time, (width, height), tuple(faces[end - count : end]))
            for number, time, (width, height), count, end in zip(
                arrays["number"].tolist(),
                arrays["time"].tolist(),
                arrays["size"].tolist(),
                arrays["count"].tolist(),
                ends,
                strict=True,
            )
        ]
        return Record(frames, said["about"])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RecordError(f"{path} is damaged: {error}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, also after a power failure."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _rows(values: Sequence[Sequence[float]], width: int) -> NDArray[np.float64]:
    return np.array(values, np.float64).reshape(len(values), width)


def _gaze_values(gaze: Gaze | None) -> list[float]:
    eyes = (None, None) if gaze is None else (gaze.left, gaze.right)
    return [value for eye in eyes for value in (_UNSEEN if eye is None else eye)]


def _unit_values(face: FaceAnalysis) -> list[float]:
    values: list[float] = []
    for unit in face.action_units.values():
        values += [np.nan if (v := getattr(unit, side)) is None else v for side in _SIDES]
        values += [unit.probability, unit.present]
    return values


def _faces(arrays: Mapping[str, NDArray[Any]], names: Sequence[str]) -> list[FaceAnalysis]:
    count = len(arrays["face_id"])
    units = arrays["units"].reshape(count, len(names), 5).tolist()
    emotions = arrays["emotions"].tolist() or [()] * count
    landmarks = arrays.get("landmarks", [_NO_LANDMARKS] * count)
    faces = []
    for i in range(count):
        by_emotion = dict(zip(EMOTIONS, emotions[i], strict=False))
        faces.append(
            FaceAnalysis(
                face_id=int(arrays["face_id"][i]),
                confidence=float(arrays["confidence"][i]),
                box=Box(*arrays["box"][i].tolist()),
                pose=Pose(*arrays["pose"][i].tolist()),
                landmarks=landmarks[i],
                action_units=dict(zip(names, map(_unit, units[i]), strict=True)),
                emotion=max(by_emotion, key=by_emotion.__getitem__) if by_emotion else None,
                emotions=by_emotion,
                normalized=_NO_IMAGE,
                aligned=_NO_IMAGE,
                gaze=_gaze(arrays["gaze"][i].tolist()),
            )
        )
    return faces


def _gaze(values: Sequence[float]) -> Gaze | None:
    left, right = _direction(values[:3]), _direction(values[3:])
    return None if left is None and right is None else Gaze(left, right)


def _direction(values: Sequence[float]) -> Direction | None:
    x, y, z = values
    return None if x != x else (x, y, z)


def _unit(values: Sequence[float]) -> ActionUnit:
    intensity, left, right, probability, present = values
    return ActionUnit(
        intensity=intensity,
        probability=probability,
        present=bool(present),
        left=None if left != left else left,
        right=None if right != right else right,
    )
