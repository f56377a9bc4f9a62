"""FER2013: 48 x 48 grey faces with one of seven emotions.

The file ``fer2013.npz`` holds ``images`` (N, 48, 48) uint8, ``labels`` (N,) into ``classes``
(angry, disgust, fear, happy, sad, surprise, neutral), and ``usage`` (N,), ``Training`` (28,709) or
``PublicTest`` (3,589), the split of the contest of 2013 (Goodfellow et al.). The pictures were
gathered from the web: who is on them is not recorded, so people may occur on both sides. Research
use. The labels are noisy: people agree with them about 65% of the time. There is no contempt.

`prepare` finds the landmarks of each face once and keeps the aligned faces in a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from norface import facs
from norface.faces.align import align, geometry
from norface.faces.find import FaceFinder
from norface.media.arrays import write_arrays

CLASSES: Final = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
}
"""Names of FER2013 -> names in `norface.facs.EMOTIONS`."""

SIZE: Final = 96
"""Width of the aligned faces; twice their own resolution."""

LANDMARKS: Final = 478
_UPSCALED, _MARGIN = 192, 32


@dataclass(frozen=True, slots=True, eq=False)
class EmotionFaces:
    """Aligned grey faces with emotions.

    Attributes:
        image: (N, 96, 96) uint8, framed by `norface.faces.align`.
        geometry: (N, 478, 3) float16; where no landmarks were found, the mean over the others.
        found: (N,) bool, whether landmarks were found; elsewhere the crop is a fixed one.
        emotion: (N,) int8, index into `norface.facs.EMOTIONS`.
        test: (N,) bool, rows of PublicTest.
    """

    image: NDArray[np.uint8]
    geometry: NDArray[np.float16]
    found: NDArray[np.bool_]
    emotion: NDArray[np.int8]
    test: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.emotion)

    def save(self, path: Path) -> None:
        """Write to an npz file, whole or not at all."""
        write_arrays(path, {name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def load(cls, path: Path) -> EmotionFaces:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: the file is missing.
        """
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: make it with `norface train prepare-fer`")
        with np.load(path, allow_pickle=False) as content:
            return cls(**{name: content[name] for name in cls.__slots__})


def read_fer2013(
    path: Path,
) -> tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.bool_]]:
    """Images (N, 48, 48), emotions (N,) as in `norface.facs.EMOTIONS`, and which are PublicTest.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is not such a file.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: expected fer2013.npz, see norface.data.fer2013"
        )
    with np.load(path, allow_pickle=False) as content:
        missing = {"images", "labels", "classes", "usage"} - set(content)
        if missing:
            raise ValueError(f"{path} lacks {', '.join(sorted(missing))}")
        images, labels = content["images"], content["labels"]
        classes, usage = [str(c) for c in content["classes"]], content["usage"]
    if images.shape[1:] != (48, 48) or set(classes) - set(CLASSES):
        raise ValueError(f"{path} does not hold 48 x 48 faces of the classes {', '.join(CLASSES)}")
    lookup = np.array([facs.EMOTIONS.index(CLASSES[c]) for c in classes], np.int8)
    return images, lookup[labels], np.asarray(usage == "PublicTest")


def prepare(
    path: Path, *, say: Callable[[str], None] = print, limit: int | None = None
) -> EmotionFaces:
    """Align every face of FER2013 (about 10 ms each).

    Args:
        path: fer2013.npz.
        say: told how it goes.
        limit: only the first rows.
    """
    images, emotion, test = read_fer2013(path)
    images, emotion, test = images[:limit], emotion[:limit], test[:limit]
    count = len(images)
    out = np.empty((count, SIZE, SIZE), np.uint8)
    shapes = np.zeros((count, LANDMARKS, 3), np.float32)
    found = np.zeros(count, bool)
    matrices = []
    cv2.setNumThreads(0)
    with FaceFinder() as finder:
        for i, image in enumerate(images):
            large = enlarge(image)
            face = finder.landmark_crop(large)
            # A face far off the picture's middle is another one, or none.
            if face is not None:
                crop = align(large, face.points, SIZE)
                zoom = np.hypot(crop.matrix[0, 0], crop.matrix[0, 1])
                if 0.25 < zoom < 0.8 and abs(face.pose.yaw) < 60:
                    out[i], shapes[i] = crop.image[..., 0], geometry(face.points)
                    found[i] = True
                    matrices.append(crop.matrix)
            if (i + 1) % 2000 == 0:
                share = 100 * found[: i + 1].mean()
                say(f"{i + 1} of {count} faces, landmarks found in {share:.1f}%")
    # The crop where no landmarks are found: what alignment does to the others in the median.
    typical = np.median(matrices, axis=0) if matrices else np.eye(2, 3) * SIZE / 256
    for missed in np.flatnonzero(~found):
        out[missed] = cv2.warpAffine(
            enlarge(images[missed])[..., 0], typical, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE
        )
    if found.any():
        shapes[~found] = shapes[found].mean(axis=0)
    return EmotionFaces(out, shapes.astype(np.float16), found, emotion, test)


def enlarge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(48, 48) -> (256, 256, 3) with a margin: the landmarker expects a face with surroundings."""
    large = cv2.resize(image, (_UPSCALED, _UPSCALED), interpolation=cv2.INTER_CUBIC)
    margin = (_MARGIN,) * 4
    large = cv2.copyMakeBorder(large, *margin, cv2.BORDER_REPLICATE)
    return np.repeat(np.asarray(large, np.uint8)[..., None], 3, axis=2)
