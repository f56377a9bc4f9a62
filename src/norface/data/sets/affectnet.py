"""AffectNet: faces from the web with an emotion, valence and arousal, labelled by one person each.

Two deliveries are read; `TREE` shows both. The older one (2017) has CSV files over the manually
annotated pictures; its automatically annotated part is not read. The newer one (since 2021) has
cropped faces and a NumPy file for each label.

Label coding (Mollahosseini et al. 2017): expression 0 neutral, 1 happiness, 2 sadness, 3 surprise,
4 fear, 5 disgust, 6 anger, 7 contempt, 8 none, 9 uncertain, 10 no face. Pictures of the last three
are skipped. Valence and arousal lie in -1..1; -2 stands for unknown. Whether 7 or 8 emotions are
counted is the protocol's choice. The box is that of the set; its 68 landmarks, found automatically,
are not read.

Subjects: not recorded, so people may be on both sides. Split: the delivered training and validation
parts; papers report on the validation part, as the test part was never published.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from norface.data.sample import DataError, DataSet
from norface.data.sets.reading import Reading

TREE: Final = """\
ROOT/                                             of 2017:
  Manually_Annotated_file_lists/training.csv      subDirectory_filePath,face_x,face_y,face_width,
  Manually_Annotated_file_lists/validation.csv    face_height,facial_landmarks,expression,...
  Manually_Annotated_Images/103/29a31ebf.jpg
or
ROOT/                                             since 2021:
  train_set/images/0.jpg
  train_set/annotations/0_exp.npy, 0_val.npy, 0_aro.npy
  val_set/images/...  val_set/annotations/...
"""

EMOTION_CODES: Final = (
    "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
)  # fmt: skip
NO_EMOTION_CODES: Final = {
    8: "no emotion (code 8)",
    9: "uncertain (code 9)",
    10: "no face (code 10)",
}

_COLUMNS = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks",
    "expression", "valence", "arousal",
)  # fmt: skip
_LISTS = {"train": "training.csv", "validation": "validation.csv"}
_PARTS = {"train": "train_set", "validation": "val_set", "test": "test_set"}


def read_affectnet(root: Path, variant: str = "", *, skip_missing: bool = False) -> DataSet:
    """AffectNet, see the module.

    Args:
        root: the folder in which its parts lie.
        variant: there is none; the delivery is recognized.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: a part is missing or damaged.
    """
    reading = Reading(root, TREE, skip_missing=skip_missing)
    lists = {split: reading.file(name, needed=False) for split, name in _LISTS.items()}
    parts = {split: reading.folder(name, needed=False) for split, name in _PARTS.items()}
    if any(parts.values()):
        for split, part in parts.items():
            if part is not None:
                _read_arrays(reading, split, part)
        absent, note = parts, "Cropped faces with NumPy labels."
    elif any(lists.values()):
        images = reading.folder("Manually_Annotated_Images", "Manually_Annotated")
        assert images is not None
        for split, path in lists.items():
            if path is not None:
                _read_list(reading, split, path, images)
        absent, note = lists, "Manually annotated pictures with CSV labels."
    else:
        raise reading.error(root, "holds neither training.csv nor train_set")
    notes = [note]
    notes += [f"There is no {s} part." for s in ("train", "validation") if absent[s] is None]
    return reading.data_set("affectnet", notes, face_crops=any(parts.values()))


def _read_list(reading: Reading, split: str, path: Path, images: Path) -> None:
    # A list has one row a picture, and a folder a few hundred pictures: each is listed once.
    present: dict[Path, set[str]] = {}
    for row in _labelled_rows(reading, path):
        try:
            code = int(row["expression"])
            valence, arousal = _measured(row["valence"]), _measured(row["arousal"])
            emotion = None if code in NO_EMOTION_CODES else EMOTION_CODES[code]
        except (ValueError, IndexError, KeyError) as error:
            raise reading.error(path, f"is damaged in the row {row}") from error
        if emotion is None:
            reading.skip(NO_EMOTION_CODES[code])
            continue
        picture = images / row["subDirectory_filePath"]
        folder = picture.parent
        if folder not in present:
            present[folder] = (
                {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
            )
        if picture.name not in present[folder]:
            reading.missing(picture)
            continue
        reading.add(
            path=picture,
            emotion=emotion,
            valence=valence,
            arousal=arousal,
            split=split,
            box=_box(row),
        )


def _labelled_rows(reading: Reading, path: Path) -> Iterator[dict[str, str]]:
    columns: tuple[str, ...] = _COLUMNS
    for number, row in enumerate(reading.rows(path)):
        if number == 0 and row[0] == _COLUMNS[0]:
            columns = tuple(row)
        elif len(row) != len(columns):
            raise reading.error(
                path, f"is damaged: {len(row)} instead of {len(columns)} cells in row {number + 1}"
            )
        else:
            yield dict(zip(columns, row, strict=True))


def _box(row: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    try:
        x, y, width, height = (float(row[name]) for name in _COLUMNS[1:5])
    except (ValueError, KeyError):
        return None
    return x, y, x + width, y + height


def _read_arrays(reading: Reading, split: str, part: Path) -> None:
    images, annotations = part / "images", part / "annotations"
    for folder in (images, annotations):
        if not folder.is_dir():
            raise reading.error(folder, "is missing")
    present = {Path(entry.name).stem: Path(entry.path) for entry in os.scandir(images)}
    names = sorted(
        (e.name.removesuffix("_exp.npy") for e in os.scandir(annotations)
         if e.name.endswith("_exp.npy")),
        key=lambda name: (len(name), name),
    )  # fmt: skip
    if not names:
        raise reading.error(annotations, "holds no labels such as 0_exp.npy")
    for name in names:
        path = annotations / f"{name}_exp.npy"
        code = _value(reading, path)
        if code in NO_EMOTION_CODES:
            reading.skip(NO_EMOTION_CODES[int(code)])
            continue
        if code not in range(len(EMOTION_CODES)):
            raise reading.error(path, f"is damaged: there is no expression {code:g}")
        if name not in present:
            reading.missing(images / f"{name}.jpg")
            continue
        valence, arousal = (
            _measured(_value(reading, annotations / f"{name}_{kind}.npy"))
            for kind in ("val", "aro")
        )
        reading.add(
            path=present[name],
            emotion=EMOTION_CODES[int(code)],
            valence=valence,
            arousal=arousal,
            split=split,
        )


def _value(reading: Reading, path: Path) -> float:
    """One number; the files hold it as text."""
    try:
        return float(np.load(path, allow_pickle=False).item())
    except FileNotFoundError as error:
        raise reading.error(path, "is missing") from error
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(reading, path, error) from error


def _damaged(reading: Reading, path: Path, error: Exception) -> DataError:
    return reading.error(path, f"is damaged: it holds no number ({error})")


def _measured(value: str | float) -> float | None:
    """Valence or arousal; -2 stands for unknown."""
    number = float(value)
    return number if -1.0 <= number <= 1.0 else None
