"""FER2013, with its own labels or with those of FER+: 35,887 grey faces of 48 x 48 pixels.

Three layouts are read; `TREE` shows them: the contest's CSV with the pixels in it, one folder for
each emotion, and the folders that the tools of FER+ write. A sample of the CSV has the CSV as its
path and the row as its frame, see `norface.data.sample_pictures`.

Variant ``fer2013`` (Goodfellow et al. 2013): 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad,
5 surprise, 6 neutral; noisy labels, no contempt.

Variant ``ferplus`` (Barsoum et al. 2016): ten people's votes over eight emotions, "unknown" and "no
face". As its authors do, single votes are dropped as errors, and the emotion is the one with more
than half of the votes that are left; without such a majority there is none. The distribution is
that of the votes left on emotions (theirs stops at three quarters of the votes). Pictures on which
half of the votes or more are for no emotion are skipped, and so are those that FER+ took out.

Subjects: not recorded. Split: the contest's: Training 28,709, PublicTest 3,589 (here: validation),
PrivateTest 3,589 (test). The layout of one folder for each emotion has both test parts in one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from norface.data.sample import DataSet
from norface.data.sets.reading import Reading
from norface.media.images import SUFFIXES

TREE: Final = """\
ROOT/
  fer2013.csv                         emotion,pixels,Usage  (or icml_face_data.csv)
  fer2013new.csv                      for variant ferplus: Usage,Image name,neutral,happiness,...
or
ROOT/
  train/angry/im0.png  train/disgust/...  test/angry/...         variant fer2013 only
or
ROOT/
  FER2013Train/fer0000000.png  FER2013Valid/...  FER2013Test/...  variant ferplus only
  fer2013new.csv
"""

VARIANTS: Final = ("fer2013", "ferplus")
EMOTION_CODES: Final = (
    "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral",
)  # fmt: skip
VOTES: Final = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
)  # fmt: skip
"""The emotions of FER+, in its order; two columns for no emotion follow."""

USAGE: Final = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}

_FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}
_NAMES = {
    "angry": "anger",
    "anger": "anger",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "happy": "happiness",
    "happiness": "happiness",
    "sad": "sadness",
    "sadness": "sadness",
    "surprise": "surprise",
    "surprised": "surprise",
    "neutral": "neutral",
}
_TABLES = ("fer2013.csv", "icml_face_data.csv")


def read_fer2013(root: Path, variant: str = "fer2013", *, skip_missing: bool = False) -> DataSet:
    """FER2013, see the module.

    Args:
        root: the folder in which its parts lie.
        variant: one of `VARIANTS`.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: a part is missing or damaged.
    """
    reading = Reading(root, TREE, skip_missing=skip_missing)
    table = reading.file(*_TABLES, needed=False)
    if variant == "ferplus":
        _read_votes(reading, table)
        return reading.data_set("fer2013", ["Labels of FER+."], face_crops=True)
    if table is not None:
        _read_table(reading, table)
        return reading.data_set("fer2013", face_crops=True)
    _read_folders(reading)
    notes = ["The public and the private test are one part here."]
    return reading.data_set("fer2013", notes, face_crops=True)


def _read_table(reading: Reading, table: Path) -> None:
    columns: list[str] = []
    for number, row in enumerate(reading.rows(table)):
        if number == 0:
            columns = [name.lower() for name in row]
            if not {"emotion", "pixels", "usage"} <= set(columns):
                raise reading.error(table, "does not begin with emotion,pixels,Usage")
            continue
        try:
            cells = dict(zip(columns, row, strict=True))
            emotion, split = EMOTION_CODES[int(cells["emotion"])], USAGE[cells["usage"]]
        except (ValueError, KeyError, IndexError) as error:
            raise reading.error(table, f"is damaged in row {number + 1}") from error
        reading.add(path=table, frame=number - 1, emotion=emotion, split=split)


def _read_folders(reading: Reading) -> None:
    train, test = (reading.folder(name) for name in ("train", "test"))
    for split, part in (("train", train), ("test", test)):
        assert part is not None
        for folder in sorted(p for p in part.iterdir() if p.is_dir()):
            if folder.name.lower() not in _NAMES:
                raise reading.error(folder, "is not named after an emotion of FER2013")
            for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES):
                reading.add(path=path, emotion=_NAMES[folder.name.lower()], split=split)


def _read_votes(reading: Reading, table: Path | None) -> None:
    votes = reading.file("fer2013new.csv")
    assert votes is not None
    folders = {usage: reading.folder(name, needed=False) for usage, name in _FOLDERS.items()}
    if not all(folders.values()) and table is None:
        raise reading.error(reading.root, "holds neither fer2013.csv nor FER2013Train")
    present = {
        usage: {entry.name for entry in os.scandir(folder)} if folder else set()
        for usage, folder in folders.items()
    }
    for number, row in enumerate(reading.rows(votes)):
        if number == 0:
            if [name.lower() for name in row[2:10]] != list(VOTES):
                raise reading.error(votes, "does not begin with Usage,Image name,neutral,...")
            continue
        try:
            usage, name = row[:2]
            split = USAGE[usage]
            counts = [int(cell) for cell in row[2:12]]
            if len(counts) != len(VOTES) + 2:
                raise ValueError
        except (ValueError, KeyError) as error:
            raise reading.error(votes, f"is damaged in row {number + 1}") from error
        if not name:
            reading.skip("taken out by FER+")
            continue
        distribution, emotion = agreement(counts)
        if distribution is None:
            reading.skip("unknown or no face")
            continue
        folder = folders[usage]
        if folder is not None and name not in present[usage]:
            reading.missing(folder / name)
            continue
        reading.add(
            # The rows of both tables are the same pictures, in the same order.
            path=folder / name if folder is not None else table,
            frame=None if folder is not None else number - 1,
            emotion=emotion,
            emotion_distribution=reading.shared(distribution),
            split=split,
        )


def agreement(votes: list[int]) -> tuple[Mapping[str, float] | None, str | None]:
    """What the votes of FER+ say.

    Args:
        votes: for the eight emotions in the order of `VOTES`, unknown, and no face.

    Returns:
        The distribution over emotions, None when half of the votes or more are for none; and the
        emotion of more than half of the votes, None when there is no such majority.
    """
    kept = [count if count > 1 else 0 for count in votes]
    total, shown = sum(kept), sum(kept[: len(VOTES)])
    if 2 * shown <= total:
        return None, None
    pairs = list(zip(VOTES, kept, strict=False))
    emotion = next((name for name, count in pairs if 2 * count > total), None)
    return {name: count / shown for name, count in pairs if count}, emotion
