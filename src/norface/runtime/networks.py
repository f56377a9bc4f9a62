"""From aligned faces to what is read from them: all networks, many faces at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.faces.align import align, geometry
from norface.faces.landmarks import FaceLandmarks
from norface.facs import ACTION_UNIT_NAMES, EMOTIONS, action_unit
from norface.results import ActionUnit, FaceAnalysis, UInt8Image
from norface.runtime.normalizer import Normalizer, from_network, to_network
from norface.runtime.reader import FaceViews, Reader, Scores, read_all
from norface.runtime.sessions import FloatArray

FACES_AT_ONCE: Final = 8
"""Bounds the memory that a picture of a crowd takes; more at once is not faster on a CPU."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A face that was found, cut out: all that the networks need of a picture.

    Attributes:
        face: where it is.
        face_id: its number in the results.
        aligned: (S, S, 3) uint8 RGB.
        geometry: (478, 3) float32, see `norface.faces.align.geometry`.
    """

    face: FaceLandmarks
    face_id: int
    aligned: UInt8Image
    geometry: NDArray[np.float32]


class FaceNetworks:
    """Normalizes faces and reads them.

    What is read from a face does not depend on the faces that are read with it.

    Args:
        normalizer: gives each face the common identity, for the networks that score it.
        readers: networks that score action units, emotions or both; there may be none.
        thresholds: (A,) probability from which a unit is called present.
        units: (A,) what the readers score, in their order.
        renderer: makes the normalized faces of the results, if it is to be another one.
    """

    def __init__(
        self,
        *,
        normalizer: Normalizer,
        readers: Sequence[Reader],
        thresholds: NDArray[np.float32],
        units: Sequence[str] = ACTION_UNIT_NAMES,
        renderer: Normalizer | None = None,
    ) -> None:
        self._normalizer = normalizer
        self._renderer = normalizer if renderer is None else renderer
        self._readers = tuple(readers)
        self._thresholds = thresholds
        self._units = tuple(map(action_unit, units))

    @property
    def target(self) -> UInt8Image:
        """The face that the normalized faces show: (S, S, 3) uint8 RGB."""
        return self._renderer.target

    @property
    def action_units(self) -> tuple[str, ...]:
        """The action units that are read, in the order of a table's columns."""
        return tuple(unit.name for unit in self._units)

    @property
    def reads_action_units(self) -> bool:
        """Whether there is a network for action units; else faces have none."""
        return any(reader.reads_action_units for reader in self._readers)

    @property
    def reads_emotions(self) -> bool:
        """Whether there is a network for emotions; else faces have none."""
        return any(reader.reads_emotions for reader in self._readers)

    @property
    def thresholds(self) -> dict[str, float]:
        """By action unit, the probability from which it is called present."""
        return dict(zip(self.action_units, self._thresholds.tolist(), strict=True))

    def crops(
        self,
        image: UInt8Image,
        faces: Sequence[FaceLandmarks],
        numbers: Sequence[int] | None = None,
    ) -> list[Crop]:
        """Cut out faces, to be read later.

        Args:
            image: (H, W, 3) uint8 RGB.
            faces: found in it.
            numbers: of the faces in the results; None to count them.
        """
        size = self._normalizer.target.shape[0]
        return [
            Crop(face, number, align(image, face.points, size=size).image, geometry(face.points))
            for number, face in zip(
                range(len(faces)) if numbers is None else numbers, faces, strict=True
            )
        ]

    def read(self, crops: Sequence[Crop]) -> list[FaceAnalysis]:
        """Everything that the networks say of these faces, in their order."""
        return [
            face
            for start in range(0, len(crops), FACES_AT_ONCE)
            for face in self._read(crops[start : start + FACES_AT_ONCE])
        ]

    def _read(self, crops: Sequence[Crop]) -> list[FaceAnalysis]:
        shape = np.stack([crop.geometry for crop in crops])
        views = FaceViews(
            self._normalizer, to_network(np.stack([crop.aligned for crop in crops])), shape
        )
        scores = read_all(self._readers, views)
        if self._renderer is self._normalizer:
            normalized = from_network(views.normalized_faces)
        else:
            normalized = from_network(self._renderer.normalize(views.original, shape))
        return [
            self._analysis(crop, scores, i, picture)
            for i, (crop, picture) in enumerate(zip(crops, normalized, strict=True))
        ]

    def _analysis(self, crop: Crop, scores: Scores, i: int, normalized: UInt8Image) -> FaceAnalysis:
        by_emotion = {} if scores.emotion is None else _named(EMOTIONS, scores.emotion[i])
        return FaceAnalysis(
            face_id=crop.face_id,
            confidence=float(crop.face.confidence),
            box=crop.face.box,
            pose=crop.face.pose,
            landmarks=crop.face.points,
            action_units=self._units_of(scores, i),
            emotion=max(by_emotion, key=by_emotion.__getitem__) if by_emotion else None,
            emotions=by_emotion,
            # A copy: what is kept of one face must not hold the memory of all.
            normalized=normalized.copy(),
            aligned=crop.aligned,
            gaze=crop.face.gaze,
        )

    def _units_of(self, scores: Scores, face: int) -> dict[str, ActionUnit]:
        """Action units of one of the faces that were scored; none where no network reads them."""
        if scores.intensity is None or scores.probability is None:
            return {}
        return {
            unit.name: ActionUnit(
                intensity=float(whole),
                probability=float(chance),
                present=bool(chance >= threshold),
                left=float(left) if unit.has_sides else None,
                right=float(right) if unit.has_sides else None,
            )
            for unit, (whole, left, right), chance, threshold in zip(
                self._units,
                scores.intensity[face],
                scores.probability[face],
                self._thresholds,
                strict=True,
            )
        }


def _named(names: Sequence[str], values: FloatArray) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}
