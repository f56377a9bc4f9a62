"""Aff-Wild2: videos from the web, labelled frame by frame, as given to the ABAW competitions.

Tree: see `TREE`. The competitions of different years name the folders of labels differently; all
names are understood. The variant chooses the labels: ``action-units``, ``expression`` or
``valence-arousal``; each has a split of its own, so they are not joined.

Label coding (Kollias et al.): a text file for each video (or for the left or right of two people
in it); the first line names the columns, line n + 1 belongs to picture n of the crops. Units: 0
absent, 1 present, -1 unknown. Expression: number of a column of the first line, -1 unknown. Valence
and arousal: -1 to 1, -5 unknown. A frame whose labels are unknown is skipped, and so is one of the
expression "Other", and one without a crop, as the set's authors found no face in it.

Subjects: not named; the competitions keep people apart between their parts. Split: Train_Set and
Validation_Set; the labels of the test part are not published.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from norface.data.sample import DataSet
from norface.data.sets.reading import Reading, numbered_pictures, unit_name
from norface.facs import EMOTIONS

TREE: Final = """\
ROOT/
  .../AU_Detection_Challenge/Train_Set/VIDEO.txt        variant action-units; also: AU_Set
  .../EXPR_Recognition_Challenge/Train_Set/VIDEO.txt    variant expression; also:
                                                          EXPR_Classification_Challenge, EXPR_Set
  .../VA_Estimation_Challenge/Train_Set/VIDEO.txt       variant valence-arousal; also: VA_Set
  (and Validation_Set beside Train_Set)
  cropped_aligned/VIDEO/00001.jpg
"""

VARIANTS: Final = ("action-units", "expression", "valence-arousal")

_TRACKS = {
    "action-units": ("AU_Detection_Challenge", "AU_Set"),
    "expression": (
        "EXPR_Recognition_Challenge", "EXPR_Classification_Challenge", "EXPR_Set",
        "Expression_Set",
    ),
    "valence-arousal": ("VA_Estimation_Challenge", "VA_Set"),
}  # fmt: skip
_PARTS = {"train": "Train_Set", "validation": "Validation_Set"}
_UNKNOWN = {"action-units": "-1", "expression": "-1", "valence-arousal": "-5"}
_OTHER = "other"
_NO_CROP = "no face was found by the set's authors"

_Labels = dict[str, Any]


def read_aff_wild2(
    root: Path, variant: str = "action-units", *, skip_missing: bool = False
) -> DataSet:
    """Aff-Wild2, see the module.

    Args:
        root: the folder in which its parts lie.
        variant: one of `VARIANTS`.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: a part is missing or damaged.
    """
    reading = Reading(root, TREE, skip_missing=skip_missing)
    labels, crops = reading.folder(*_TRACKS[variant]), reading.folder("cropped_aligned")
    assert labels is not None
    assert crops is not None
    for split, name in _PARTS.items():
        part = labels / name
        if not part.is_dir():
            raise reading.error(part, "is missing")
        for path in sorted(part.glob("*.txt")):
            _read_video(reading, split, path, crops / path.stem, variant)
    return reading.data_set("aff-wild2", [f"Labels of {variant}."], face_crops=True)


def _read_video(reading: Reading, split: str, path: Path, crops: Path, variant: str) -> None:
    header, *lines = reading.lines(path)
    columns = [name.strip() for name in header.split(",")]
    parse = _PARSERS[variant]
    pictures = numbered_pictures(crops)
    if not pictures:
        reading.missing(crops, len(lines))
        return
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if set(cells) == {_UNKNOWN[variant]}:
            reading.skip("not annotated")
            continue
        try:
            labels = parse(columns, cells)
        except (ValueError, IndexError, KeyError) as error:
            raise reading.error(path, f"is damaged: {line!r} in line {number + 1}") from error
        if labels is None:
            reading.skip("expression Other")
        elif number not in pictures:
            reading.skip(_NO_CROP)
        else:
            if "presence" in labels:
                labels["presence"] = reading.shared(labels["presence"])
            reading.add(path=pictures[number], sequence=path.stem, split=split, **labels)


def _units(columns: list[str], cells: list[str]) -> _Labels:
    presence = {}
    for column, cell in zip(columns, cells, strict=True):
        if cell not in ("0", "1", "-1"):
            raise ValueError(cell)
        if cell != "-1":
            presence[unit_name(column.upper().removeprefix("AU"))] = int(cell)
    return {"presence": presence}


def _expression(columns: list[str], cells: list[str]) -> _Labels | None:
    (cell,) = cells
    if not 0 <= int(cell) < len(columns):
        raise ValueError(cell)
    name = columns[int(cell)].lower()
    if name not in (*EMOTIONS, _OTHER):
        raise ValueError(name)
    return None if name == _OTHER else {"emotion": name}


def _valence_arousal(columns: list[str], cells: list[str]) -> _Labels:
    values = {name.lower(): float(cell) for name, cell in zip(columns, cells, strict=True)}
    known = {name: values[name] for name in ("valence", "arousal")}
    if not all(-1.0 <= value <= 1.0 or value == -5.0 for value in known.values()):
        raise ValueError(cells)
    return {name: None if value == -5.0 else value for name, value in known.items()}


_PARSERS: Final[dict[str, Callable[[list[str], list[str]], _Labels | None]]] = {
    "action-units": _units,
    "expression": _expression,
    "valence-arousal": _valence_arousal,
}
