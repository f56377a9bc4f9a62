"""Classification networks of a weights folder, each given what it reads and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from norface.facs import MAXIMUM_INTENSITY
from norface.runtime.normalizer import Normalizer, resize
from norface.runtime.sessions import FloatArray, Session, Weights

READER_FILES: Final = ("classification.onnx", "action_units.onnx", "emotions.onnx")
"""Files of classification networks: with both heads, or with one."""
_OPTIONAL: Final = "emotions.onnx"
"""May be deleted, for its licence or its size."""


class Scores(NamedTuple):
    """What was read from N faces; None for what no network reads.

    Attributes:
        intensity: (N, A, 3) in 0..5: whole, left, right.
        probability: (N, A), of presence.
        emotion: (N, 8), sums to 1.
    """

    intensity: FloatArray | None
    probability: FloatArray | None
    emotion: FloatArray | None


class FaceViews:
    """All that a network may read of N faces; each is computed when it is first asked for.

    Args:
        normalizer: gives the tokens, and the faces with the common identity.
        aligned: (N, 3, S, S) in 0 to 1, framed by `norface.faces.align`.
        geometry: (N, 478, 3), from `norface.faces.align.geometry`.
    """

    def __init__(self, normalizer: Normalizer, aligned: FloatArray, geometry: FloatArray) -> None:
        self._normalizer = normalizer
        self.aligned = aligned
        self.geometry = geometry

    @cached_property
    def original(self) -> FloatArray:
        """Tokens (N, L, D) of the faces."""
        return self._normalizer.encode(resize(self.aligned, self._normalizer.crop_size))

    @cached_property
    def normalized_faces(self) -> FloatArray:
        """The faces with the common identity: (N, 3, S, S) in 0 to 1."""
        return self._normalizer.normalize(self.original, self.geometry)

    @cached_property
    def normalized(self) -> FloatArray:
        """Tokens (N, L, D) of the faces with the common identity."""
        return self._normalizer.encode(resize(self.normalized_faces, self._normalizer.crop_size))

    def image(self, side: int) -> FloatArray:
        """The faces, (N, 3, side, side)."""
        return resize(self.aligned, side)

    def normalized_image(self, side: int) -> FloatArray:
        """The faces with the common identity, (N, 3, side, side)."""
        return resize(self.normalized_faces, side)


class Reader:
    """One classification network: action units, emotions or both."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.reads_action_units = "intensity" in session.outputs
        # With one head its output is called `probability` whatever it reads.
        alone = "probability" in session.outputs and not self.reads_action_units
        self._emotion = "probability" if alone else "emotion"
        self.reads_emotions = self._emotion in session.outputs

    def read(self, faces: FaceViews) -> Scores:
        """Scores of N faces."""
        scores = self._session.run(
            **{name: self._input(faces, name) for name in self._session.inputs}
        )
        intensity, probability, emotion = None, None, None
        if self.reads_action_units:
            intensity = np.clip(scores["intensity"], 0.0, MAXIMUM_INTENSITY)
            probability = np.clip(scores["probability"], 0.0, 1.0)
        if self.reads_emotions:
            emotion = scores[self._emotion]
        return Scores(intensity, probability, emotion)

    def _input(self, faces: FaceViews, name: str) -> FloatArray:
        if name == "image":
            return faces.image(self._session.side(name))
        if name == "normalized_image":
            return faces.normalized_image(self._session.side(name))
        view: FloatArray = {
            "original": lambda: faces.original,
            "normalized": lambda: faces.normalized,
            "geometry": lambda: faces.geometry,
        }[name]()
        return view


def load_readers(weights: Weights) -> list[Reader]:
    """The classification networks of a folder; ``emotions.onnx`` may have been deleted.

    Raises:
        WeightsError: another one is missing, or one is damaged.
    """
    listed = [name for name in READER_FILES if name in weights.manifest.files]
    return [
        # Of products with few rows each of several threads gets other columns, and sums them in
        # another order: with one thread a face is read the same everywhere.
        Reader(weights.session(name, threads=1, paired=True))
        for name in listed
        if name in weights or name != _OPTIONAL
    ]


def read_all(readers: Sequence[Reader], faces: FaceViews) -> Scores:
    """What all networks together read."""
    merged = Scores(None, None, None)
    for reader in readers:
        read = reader.read(faces)
        merged = Scores(*(b if a is None else a for a, b in zip(merged, read, strict=True)))
    return merged
