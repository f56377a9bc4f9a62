"""RAF-DB, its part of basic emotions: 15,339 faces from the web, each judged by some 40 people.

Tree: see `TREE`. The variant ``aligned`` reads the faces of 100 x 100 pixels that the set's authors
aligned, ``original`` the whole pictures, with the box and the five landmarks of the set if its
archives in Annotation are unpacked. The part of compound emotions is not read.

Label coding (Li et al. 2017): in the list, 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness,
6 anger, 7 neutral. (The list's name is spelled so.)

Subjects: not recorded. Split: the picture's name says train (12,271) or test (3,068).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.data.sample import DataSet
from norface.data.sets.reading import Reading

TREE: Final = """\
ROOT/                                            (or its parent)
  EmoLabel/list_patition_label.txt               lines "train_00001.jpg 5"
  Image/aligned/train_00001_aligned.jpg          variant aligned
  Image/original/train_00001.jpg                 variant original
  Annotation/boundingbox/train_00001_boundingbox.txt    optional, for original
  Annotation/manual/train_00001_manu_attri.txt          optional, for original
"""

VARIANTS: Final = ("aligned", "original")
EMOTION_CODES: Final = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happiness",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}

_LANDMARKS = 5


def read_rafdb(root: Path, variant: str = "aligned", *, skip_missing: bool = False) -> DataSet:
    """RAF-DB, see the module.

    Args:
        root: its folder ``basic``, or one above it.
        variant: one of `VARIANTS`.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: a part is missing or damaged.
    """
    reading = Reading(root, TREE, skip_missing=skip_missing)
    # The part of compound emotions has a list of the same name.
    labels = _basic(reading)
    base = labels.parent.parent
    images = base / "Image" / variant
    if not images.is_dir():
        raise reading.error(images, "is missing. Is its archive unpacked?")
    present = {entry.name for entry in os.scandir(images)}
    for line in reading.lines(labels):
        name, _, code = line.partition(" ")
        stem, split = Path(name).stem, name.partition("_")[0]
        if code.strip() not in EMOTION_CODES or split not in ("train", "test"):
            raise reading.error(labels, f"is damaged: {line!r} is not a picture and 1 to 7")
        file = f"{stem}_aligned.jpg" if variant == "aligned" else name
        if file not in present:
            reading.missing(images / file)
            continue
        box = landmarks = None
        if variant == "original":
            box = _box(reading, base / "Annotation" / "boundingbox" / f"{stem}_boundingbox.txt")
            landmarks = _points(reading, base / "Annotation" / "manual" / f"{stem}_manu_attri.txt")
        reading.add(
            path=images / file,
            emotion=EMOTION_CODES[code.strip()],
            split=split,
            box=box,
            landmarks=landmarks,
        )
    return reading.data_set("rafdb", [f"The {variant} pictures."], face_crops=variant == "aligned")


def _basic(reading: Reading) -> Path:
    name = "list_patition_label.txt"
    for folder in reading.folders():
        if (folder / name).is_file() and folder.parent.name.lower() != "compound":
            return folder / name
    raise reading.error(reading.root / "EmoLabel" / name, "is missing")


def _box(reading: Reading, path: Path) -> tuple[float, float, float, float] | None:
    if not path.exists():
        return None
    values = _numbers(reading, path, 4)
    return values[0], values[1], values[2], values[3]


def _points(reading: Reading, path: Path) -> NDArray[np.float32] | None:
    if not path.exists():
        return None
    return np.array(_numbers(reading, path, 2 * _LANDMARKS), np.float32).reshape(-1, 2)


def _numbers(reading: Reading, path: Path, count: int) -> list[float]:
    try:
        values = [float(word) for word in " ".join(reading.lines(path)).split()[:count]]
        if len(values) != count:
            raise ValueError(f"{len(values)} numbers")
    except ValueError as error:
        raise reading.error(path, f"is damaged: it does not begin with {count} numbers") from error
    return values
