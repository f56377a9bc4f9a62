"""What weights read, and of which face, without reading any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from norface.data.protocols import Protocol
from norface.facs import EMOTIONS
from norface.runtime.reader import READER_FILES, Reader
from norface.runtime.sessions import Weights

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
            reader, faces = Reader(session), _faces(session.inputs)
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


def _faces(inputs: Sequence[str]) -> str:
    names = [
        name
        for name, views in (("original", _ORIGINAL), ("normalized", _NORMALIZED))
        if views & set(inputs)
    ]
    return " and ".join(names)
