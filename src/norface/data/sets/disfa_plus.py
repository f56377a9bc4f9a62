"""DISFA+: nine people of DISFA who pose units and emotions on demand, coded frame by frame.

Tree: see `TREE`. Label coding (Mavadati et al. 2016): a text file for each person, trial and unit;
two lines of heading, then lines of picture and intensity, 0 (absent) to 5, for all 12 units of
DISFA. There is no code for "unknown" and no occurrence.

Subjects: SN001, SN003, SN004, SN007, SN009, SN010, SN013, SN025 and SN027, the same people as in
DISFA: whoever trains on DISFA must leave them out before testing here. Split: none as delivered.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from norface.data.sample import DataSet
from norface.data.sets.disfa import UNITS
from norface.data.sets.reading import Reading, unit_name

TREE: Final = """\
ROOT/
  Labels/SN001/A1_AU1_TrailNo_1/AU1.txt     two lines of heading, then "000.jpg   0"; for 12 units
  Images/SN001/A1_AU1_TrailNo_1/000.jpg
"""

_HEADING = 2
_LINE = re.compile(r"(\S+\.(?:jpg|jpeg|png))\s+([0-5])(?:\.0*)?", re.IGNORECASE)
_SUBJECT = re.compile(r"SN\d{3}")


def read_disfa_plus(root: Path, variant: str = "", *, skip_missing: bool = False) -> DataSet:
    """DISFA+, see the module.

    Args:
        root: the folder in which its parts lie.
        variant: there is none.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: a part is missing or damaged.
    """
    reading = Reading(root, TREE, skip_missing=skip_missing)
    labels, images = reading.folder("Labels"), reading.folder("Images")
    assert labels is not None
    assert images is not None
    people = sorted(p for p in labels.iterdir() if p.is_dir() and _SUBJECT.fullmatch(p.name))
    if not people:
        raise reading.error(labels, "holds no folder such as SN001")
    for person in people:
        for trial in sorted(p for p in person.iterdir() if p.is_dir()):
            _read_trial(reading, trial, images / person.name / trial.name)
    return reading.data_set("disfa-plus", ["The people are among those of DISFA."])


def _read_trial(reading: Reading, labels: Path, images: Path) -> None:
    frames: dict[str, dict[str, float]] = {}
    for unit in UNITS:
        path = labels / f"AU{unit}.txt"
        for number, line in enumerate(reading.lines(path)):
            match = _LINE.fullmatch(line)
            if match is not None:
                frames.setdefault(match[1], {})[unit_name(unit)] = float(match[2])
            elif number >= _HEADING:
                raise reading.error(path, f"is damaged: {line!r} is not picture and intensity")
    if not images.is_dir():
        reading.missing(images, len(frames))
        return
    present = {entry.name for entry in os.scandir(images)}
    for name, intensity in sorted(frames.items()):
        if name not in present:
            reading.missing(images / name)
            continue
        reading.add(
            path=images / name,
            subject=labels.parent.name,
            sequence=labels.name,
            intensity=reading.shared(intensity),
        )
