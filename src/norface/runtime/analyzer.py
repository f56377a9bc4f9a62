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
from norface.facs import ACTION_UNITS, EMOTIONS, MAXIMUM_INTENSITY
from norface.media.images import ImageError, read_image, to_rgb_array
from norface.results import ActionUnit, FaceAnalysis, UInt8Image
from norface.runtime.normalizer import Normalizer, from_network, resize, to_network
from norface.runtime.sessions import FloatArray, Session, Weights

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
        action_units: Session,
        emotions: Session | None,
        thresholds: NDArray[np.float32],
        renderer: Normalizer | None = None,
    ) -> None:
        """Compose an analyzer; `load` is what one usually wants.

        Args:
            finder: finds the faces; closed with the analyzer.
            normalizer: gives each face the common identity, for the networks that score it.
            action_units: network that scores action units.
            emotions: network that scores emotions, if there is one.
            thresholds: (A,) probability from which a unit is called present.
            renderer: makes the normalized faces of the results, if it is to be another one.
        """
        self._finder = finder
        self._normalizer = normalizer
        self._renderer = normalizer if renderer is None else renderer
        self._action_units = action_units
        self._emotions = emotions
        self._thresholds = thresholds

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
            weights: a folder of weights; None for those that come with norface.
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
        opened = Weights(None if weights is None else Path(weights))
        normalizer = Normalizer.load(opened, threads=threads)
        has_emotions = "emotions.onnx" in opened
        thresholds = [opened.manifest.thresholds.get(unit.name, 0.5) for unit in ACTION_UNITS]
        action_units = opened.session("action_units.onnx", threads=threads)
        emotions = opened.session("emotions.onnx", threads=threads) if has_emotions else None
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
            action_units=action_units,
            emotions=emotions,
            thresholds=np.array(thresholds, np.float32),
            renderer=renderer,
        )

    @property
    def target(self) -> UInt8Image:
        """The face that the normalized faces show: (256, 256, 3) uint8 RGB."""
        return self._renderer.target

    @property
    def reads_emotions(self) -> bool:
        """Whether the weights hold an emotion network."""
        return self._emotions is not None

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
        crops = resize(to_network(aligned), self._normalizer.crop_size)

        tokens = self._normalizer.encode(crops)
        common = self._normalizer.normalize(tokens, shape)
        common_crops = resize(common, self._normalizer.crop_size)
        scores = self._action_units.run(
            original=tokens, normalized=self._normalizer.encode(common_crops), geometry=shape
        )
        intensity = np.clip(scores["intensity"], 0.0, MAXIMUM_INTENSITY)
        probability = np.clip(scores["probability"], 0.0, 1.0)
        emotions: FloatArray | None = None
        if self._emotions is not None:
            emotions = self._emotions.run(
                image=crops, normalized_image=common_crops, geometry=shape
            )["probability"]
        if self._renderer is not self._normalizer:
            common = self._renderer.normalize(tokens, shape)
        normalized = from_network(common)

        for i, face in enumerate(faces):
            by_emotion = {} if emotions is None else _named(EMOTIONS, emotions[i])
            yield FaceAnalysis(
                face_id=first_id + i,
                confidence=float(face.confidence),
                box=face.box,
                pose=face.pose,
                landmarks=face.points,
                action_units=self._units(intensity[i], probability[i]),
                emotion=max(by_emotion, key=by_emotion.__getitem__) if by_emotion else None,
                emotions=by_emotion,
                normalized=normalized[i],
                aligned=aligned[i],
            )

    def _units(self, intensity: FloatArray, probability: FloatArray) -> dict[str, ActionUnit]:
        """Action units from intensity (A, 3: whole, left, right) and probability (A,)."""
        return {
            unit.name: ActionUnit(
                intensity=float(whole),
                probability=float(chance),
                present=bool(chance >= threshold),
                left=float(left) if unit.has_sides else None,
                right=float(right) if unit.has_sides else None,
            )
            for unit, (whole, left, right), chance, threshold in zip(
                ACTION_UNITS, intensity, probability, self._thresholds, strict=True
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
