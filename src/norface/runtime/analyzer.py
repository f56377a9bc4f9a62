"""From a picture to everything that norface reads from the faces in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from norface.faces.align import align, geometry
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.facs import ACTION_UNIT_NAMES, EMOTIONS, action_unit
from norface.media.images import ImageError, read_image, to_rgb_array
from norface.results import ActionUnit, FaceAnalysis, UInt8Image
from norface.runtime.normalizer import Normalizer, from_network, to_network
from norface.runtime.reader import FaceViews, Reader, Scores, load_readers, read_all
from norface.runtime.sessions import FloatArray, Weights

Picture: TypeAlias = "str | PathLike[str] | NDArray[np.generic] | Image.Image"

FACES_AT_ONCE: Final = 8
"""Bounds the memory that a picture of a crowd takes; more at once is not faster on a CPU."""


class Norface:
    """Finds, normalizes and reads faces. Use as a context manager, or call `close`.

    Not for several threads at once: give each its own.
    """

    def __init__(
        self,
        *,
        finder: FaceFinder,
        normalizer: Normalizer,
        readers: Sequence[Reader],
        thresholds: NDArray[np.float32],
        units: Sequence[str] = ACTION_UNIT_NAMES,
        renderer: Normalizer | None = None,
    ) -> None:
        """Compose an analyzer; `load` is what one usually wants.

        Args:
            finder: finds the faces; closed with the analyzer.
            normalizer: gives each face the common identity, for the networks that score it.
            readers: networks that score action units, emotions or both; there may be none.
            thresholds: (A,) probability from which a unit is called present.
            units: (A,) what the readers score, in their order.
            renderer: makes the normalized faces of the results, if it is to be another one.
        """
        self._finder = finder
        self._normalizer = normalizer
        self._renderer = normalizer if renderer is None else renderer
        self._readers = tuple(readers)
        self._thresholds = thresholds
        self._units_read = tuple(map(action_unit, units))

    @classmethod
    def load(
        cls,
        *,
        weights: str | PathLike[str] | None = None,
        target: Picture | None = None,
        minimum_confidence: float = 0.5,
        minimum_face_width: float = 32.0,
        threads: int | None = None,
    ) -> Norface:
        """Load the networks.

        Args:
            weights: a folder of weights, or a name: ``"default"``, or that of a folder in
                `norface.runtime.places.user_weights`; None for those that come with norface.
            target: a picture of the face that the normalized faces show; None for the common
                face. Scores do not depend on it: they are always read from the common face.
            minimum_confidence: of the finder, 0 to 1, for a face to count.
            minimum_face_width: in pixels; smaller faces are left out.
            threads: how many the networks may use; None for every core.

        Raises:
            WeightsError: the weights are missing or damaged.
            ImageError: the target cannot be read, or shows no face.
            ValueError: an option is out of its range.
        """
        opened = Weights(weights)
        normalizer = Normalizer.load(opened, threads=threads)
        readers = load_readers(opened, threads=threads)
        units = opened.manifest.units
        thresholds = [opened.manifest.thresholds.get(unit, 0.5) for unit in units]
        finder = FaceFinder(
            minimum_confidence=minimum_confidence, minimum_face_width=minimum_face_width
        )
        try:
            # Loads what the finder would otherwise load at the first face.
            finder.landmark_crop(np.zeros((64, 64, 3), np.uint8))
            finder.find(np.zeros((64, 64, 3), np.uint8))
            renderer = None
            if target is not None:
                renderer = normalizer.with_target(_target_face(target, finder, normalizer))
        except BaseException:
            finder.close()
            raise
        return cls(
            finder=finder,
            normalizer=normalizer,
            readers=readers,
            thresholds=np.array(thresholds, np.float32),
            units=units,
            renderer=renderer,
        )

    @property
    def target(self) -> UInt8Image:
        """The face that the normalized faces show: (256, 256, 3) uint8 RGB."""
        return self._renderer.target

    @property
    def reads_action_units(self) -> bool:
        """Whether the weights hold a network for action units; else faces have none."""
        return any(reader.reads_action_units for reader in self._readers)

    @property
    def action_units(self) -> tuple[str, ...]:
        """The action units of the weights, in the order of a table's columns."""
        return tuple(unit.name for unit in self._units_read)

    @property
    def reads_emotions(self) -> bool:
        """Whether the weights hold a network for emotions; else faces have none."""
        return any(reader.reads_emotions for reader in self._readers)

    def analyze(self, picture: Picture) -> list[FaceAnalysis]:
        """Every face of a picture, the largest first; an empty list when there is none.

        Args:
            picture: a file's path, an (H, W), (H, W, 3) or (H, W, 4) array in RGB order, or a
                PIL image.

        Raises:
            ImageError: the picture cannot be read; the message says why.
        """
        image = _read(picture)
        found = self._finder.find(image)
        analyses: list[FaceAnalysis] = []
        for start in range(0, len(found), FACES_AT_ONCE):
            chunk = found[start : start + FACES_AT_ONCE]
            analyses.extend(self._analyze_faces(image, chunk, first_id=start))
        return analyses

    def close(self) -> None:
        """Free what the face finder holds. The analyzer cannot be used afterwards."""
        self._finder.close()

    def __enter__(self) -> Norface:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _analyze_faces(
        self, image: UInt8Image, faces: Sequence[FaceLandmarks], *, first_id: int
    ) -> Iterator[FaceAnalysis]:
        size = self._normalizer.target.shape[0]
        aligned = np.stack([align(image, face.points, size=size).image for face in faces])
        shape = np.stack([geometry(face.points) for face in faces]).astype(np.float32)
        views = FaceViews(self._normalizer, to_network(aligned), shape)
        scores = read_all(self._readers, views)
        if self._renderer is self._normalizer:
            normalized = from_network(views.normalized_faces)
        else:
            normalized = from_network(self._renderer.normalize(views.original, shape))

        for i, face in enumerate(faces):
            by_emotion = {} if scores.emotion is None else _named(EMOTIONS, scores.emotion[i])
            yield FaceAnalysis(
                face_id=first_id + i,
                confidence=float(face.confidence),
                box=face.box,
                pose=face.pose,
                landmarks=face.points,
                action_units=self._units(scores, i),
                emotion=max(by_emotion, key=by_emotion.__getitem__) if by_emotion else None,
                emotions=by_emotion,
                normalized=normalized[i],
                aligned=aligned[i],
            )

    def _units(self, scores: Scores, face: int) -> dict[str, ActionUnit]:
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
                self._units_read,
                scores.intensity[face],
                scores.probability[face],
                self._thresholds,
                strict=True,
            )
        }


def _read(picture: Picture) -> UInt8Image:
    if isinstance(picture, (str, PathLike)):
        return read_image(Path(picture))
    return to_rgb_array(picture)


def _target_face(picture: Picture, finder: FaceFinder, normalizer: Normalizer) -> UInt8Image:
    image = _read(picture)
    faces = finder.find(image)
    if not faces:
        raise ImageError(
            "No face was found in the target picture. Take one that shows a face from the front."
        )
    return align(image, faces[0].points, size=normalizer.target.shape[0]).image


def _named(names: Sequence[str], values: FloatArray) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}
