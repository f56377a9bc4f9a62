"""CK+ (extended Cohn-Kanade): 593 sequences of 123 people from neutral to a posed expression.

Tree: see `TREE`. Label coding (Lucey et al. 2010): units were coded at the last picture only, the
peak. Its FACS file has a line for each unit that is shown: number, and intensity 1 (A) to 5 (E), or
0 where no intensity was given. All units were looked for, so those of `UNITS` that are not listed
are absent. 327 sequences have a file with the emotion: 0 neutral, 1 anger, 2 contempt, 3 disgust,
4 fear, 5 happiness, 6 sadness, 7 surprise; the others fit no prototype, and their samples have
units only.

The variant ``peak`` reads the last picture of each sequence. ``peak-and-neutral`` reads the first
one too, as neutral, which it is by instruction; its units were not coded.

Subjects: S005 to S999. Split: none as delivered; the authors leave one person out at a time, most
papers use ten folds of people.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from norface.data.sample import DataSet
from norface.data.sets.reading import Reading, unit_name
from norface.media.images import SUFFIXES

TREE: Final = """\
ROOT/
  cohn-kanade-images/S005/001/S005_001_00000011.png        (in any folder, such as extended-...)
  FACS/S005/001/S005_001_00000011_facs.txt                 lines of unit and intensity
  Emotion/S005/001/S005_001_00000011_emotion.txt           for 327 of 593 sequences
"""

VARIANTS: Final = ("peak", "peak-and-neutral")
EMOTION_CODES: Final = (
    "neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise",
)  # fmt: skip
UNITS: Final = (
    1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 23, 24, 25, 26, 27, 28, 29, 31,
    34, 38, 39, 43,
)  # fmt: skip
"""The units whose frequency the set's authors give."""


def read_ck_plus(root: Path, variant: str = "peak", *, skip_missing: bool = False) -> DataSet:
    """CK+, see the module.

    Args:
        root: the folder in which its parts lie.
        variant: one of `VARIANTS`.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: a part is missing or damaged.
    """
    reading = Reading(root, TREE, skip_missing=skip_missing)
    images, codes, emotions = (
        reading.folder(name) for name in ("cohn-kanade-images", "FACS", "Emotion")
    )
    assert images is not None
    assert codes is not None
    assert emotions is not None
    files = sorted(codes.glob("S*/*/*_facs.txt"))
    if not files:
        raise reading.error(codes, "holds no codes such as S005/001/S005_001_00000011_facs.txt")
    for path in files:
        subject, sequence = path.parts[-3:-1]
        _read_sequence(
            reading,
            path,
            images / subject / sequence,
            emotions / subject / sequence,
            with_neutral=variant == "peak-and-neutral",
        )
    return reading.data_set("ck-plus")


def _read_sequence(
    reading: Reading, codes: Path, images: Path, emotions: Path, *, with_neutral: bool
) -> None:
    subject, sequence = codes.parts[-3:-1]
    stem = codes.name.removesuffix("_facs.txt")
    pictures = (
        sorted(p for p in images.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != ".")
        if images.is_dir()
        else []
    )
    peak = next((p for p in pictures if p.stem == stem), None)
    if peak is None:
        reading.missing(images / f"{stem}.png")
        return
    if with_neutral and pictures[0] != peak:
        reading.add(path=pictures[0], subject=subject, sequence=sequence, emotion="neutral")
    presence, intensity = _units(reading, codes)
    reading.add(
        path=peak,
        subject=subject,
        sequence=sequence,
        presence=presence,
        intensity=intensity,
        emotion=_emotion(reading, emotions / f"{stem}_emotion.txt"),
    )


def _units(reading: Reading, path: Path) -> tuple[dict[str, int], dict[str, float]]:
    presence = {unit_name(unit): 0 for unit in UNITS}
    intensity = {unit_name(unit): 0.0 for unit in UNITS}
    for line in _lines_or_none(reading, path):
        try:
            unit, level = (float(word) for word in line.split())
            name = unit_name(int(unit))
            if not 0 <= level <= 5:
                raise ValueError
        except ValueError as error:
            raise reading.error(path, f"is damaged: {line!r} is not unit and intensity") from error
        presence[name] = 1
        # 0 says that the unit is shown, but not how strongly.
        if level:
            intensity[name] = level
        else:
            intensity.pop(name, None)
    return presence, intensity


def _lines_or_none(reading: Reading, path: Path) -> list[str]:
    """A face that shows no unit has an empty file."""
    return reading.lines(path) if path.stat().st_size and path.read_text().strip() else []


def _emotion(reading: Reading, path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        return EMOTION_CODES[int(float(reading.lines(path)[0]))]
    except (ValueError, IndexError) as error:
        raise reading.error(path, "is damaged: it is not one number from 0 to 7") from error
