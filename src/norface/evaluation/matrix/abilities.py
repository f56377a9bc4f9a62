"""What weights read, and of which face, without reading any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from norface.data.protocols import Protocol
from norface.faces.bundle import LANDMARK_COUNT
from norface.facs import EMOTIONS
from norface.runtime.reader import READER_FILES, Reader
from norface.runtime.sessions import Session, Weights

_ORIGINAL: Final = frozenset({"original", "image"})
_NORMALIZED: Final = frozenset({"normalized", "normalized_image"})


@dataclass(frozen=True, slots=True)
class Abilities:
    """What weights read.

    Attributes:
        units: which units; empty for none.
        emotions: which emotions; empty for none.
        unit_faces: the faces that the units are read from: ``original``, ``normalized``, ``original
            and normalized``; "" for none.
        emotion_faces: likewise of the emotions.
    """

    units: tuple[str, ...]
    emotions: tuple[str, ...]
    unit_faces: str
    emotion_faces: str

    @classmethod
    def of(cls, weights: Weights) -> Abilities:
        """Look at the networks' inputs and outputs.

        Raises:
            WeightsError: a network is damaged.
        """
        units = emotions = False
        unit_faces = emotion_faces = ""
        for name in READER_FILES:
            if name not in weights:
                continue
            session = weights.session(name, threads=1)
            reader, faces = Reader(session), _faces(session)
            if reader.reads_action_units and not units:
                units, unit_faces = True, faces
            if reader.reads_emotions and not emotions:
                emotions, emotion_faces = True, faces
        return cls(
            weights.manifest.units if units else (),
            EMOTIONS if emotions else (),
            unit_faces,
            emotion_faces,
        )

    def shared(self, plan: Protocol) -> tuple[str, ...]:
        """The labels of a protocol that are read, in the protocol's order."""
        read = self.emotions if plan.task == "emotion" else self.units
        return tuple(label for label in plan.labels if label in read)


def _faces(session: Session) -> str:
    inputs = set(session.inputs)
    if not _normalized_counts(session):
        inputs -= _NORMALIZED
    return " and ".join(
        name
        for name, views in (("original", _ORIGINAL), ("normalized", _NORMALIZED))
        if views & inputs
    )


def _normalized_counts(session: Session) -> bool:
    """Whether another normalized face gives another reading: older exports keep idle inputs."""
    if not set(session.inputs) <= {"image", "normalized_image", "geometry"}:
        return True
    random = np.random.default_rng(0)
    faces = {
        name: random.random((1, 3, session.side(name), session.side(name)), np.float32)
        for name in session.inputs
        if name != "geometry"
    }
    faces["geometry"] = random.random((1, LANDMARK_COUNT, 3), np.float32)
    first = session.run(**faces)
    if "normalized_image" in faces:
        faces["normalized_image"] = 1 - faces["normalized_image"]
    second = session.run(**faces)
    return any(not np.array_equal(first[name], second[name]) for name in first)
