"""DISFA: spontaneous expressions of 27 people who watch a film, 12 units coded for intensity.

Tree: see `TREE`. Two cameras saw the same moments; the variants ``left`` and ``right`` choose one,
and the labels are those of both. The names of the two folders and of the videos differ in spelling
between the cameras and between deliveries; all spellings are understood.

Label coding (Mavadati et al. 2013): a text file for each person and unit with lines of frame, from
1 on, and intensity, 0 (absent) to 5. There is no code for "unknown" and no occurrence: which
intensity counts as present is the protocol's choice, 2 in the common one.

Subjects: SN001 to SN032 without 14, 15, 19, 20 and 22. Split: none as delivered; see
`norface.data.protocols`. Nine of these people are in DISFA+ too, under the same names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from norface.data.sample import DataSet
from norface.data.sets.reading import BEYOND, Reading, unit_name, video_length

TREE: Final = """\
ROOT/
  ActionUnit_Labels/SN001/SN001_au1.txt              lines "frame,intensity"; for all 12 units
  Videos_LeftCamera/LeftVideoSN001_comp.avi          variant left
  Video_RightCamera/RightVideoSN001_Comp.avi         variant right
"""

VARIANTS: Final = ("left", "right")
UNITS: Final = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)

_SUBJECT = re.compile(r"SN\d{3}")
_MAXIMUM = 5


def read_disfa(root: Path, variant: str = "left", *, skip_missing: bool = False) -> DataSet:
    """DISFA, see the module.

    Args:
        root: the folder in which its parts lie.
        variant: one of `VARIANTS`.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: a part is missing or damaged.
    """
    reading = Reading(root, TREE, skip_missing=skip_missing)
    labels = reading.folder("ActionUnit_Labels")
    assert labels is not None
    pattern = re.compile(rf"{variant}Video(SN\d{{3}})_?comp\.(?:avi|mp4)", re.IGNORECASE)
    videos = {}
    for path in reading.matching(pattern):
        match = pattern.fullmatch(path.name)
        assert match is not None
        videos[match[1].upper()] = path
    people = sorted(p for p in labels.iterdir() if p.is_dir() and _SUBJECT.fullmatch(p.name))
    if not people:
        raise reading.error(labels, "holds no folder such as SN001")
    for person in people:
        frames = _labels(reading, person)
        if person.name in videos:
            _add_video(reading, person.name, videos[person.name], frames)
        else:
            side = variant.capitalize()
            missing = root / f"Videos_{side}Camera" / f"{side}Video{person.name}_comp.avi"
            reading.missing(missing, len(frames))
    return reading.data_set("disfa", [f"Videos of the {variant} camera."])


def _labels(reading: Reading, folder: Path) -> dict[int, dict[str, float]]:
    """Frame -> unit -> intensity, of one person."""
    frames: dict[int, dict[str, float]] = {}
    for unit in UNITS:
        path = folder / f"{folder.name}_au{unit}.txt"
        for line in reading.lines(path):
            try:
                frame, value = (int(part) for part in line.split(","))
                if frame < 1 or not 0 <= value <= _MAXIMUM:
                    raise ValueError
            except ValueError as error:
                raise reading.error(path, f"is damaged: {line!r} is not frame,intensity") from error
            frames.setdefault(frame, {})[unit_name(unit)] = float(value)
    return frames


def _add_video(
    reading: Reading, subject: str, video: Path, frames: dict[int, dict[str, float]]
) -> None:
    length = video_length(video)
    if length is None:
        raise reading.error(video, "cannot be opened as a video: it is damaged or incomplete")
    for frame, intensity in sorted(frames.items()):
        if length and frame > length:
            reading.skip(BEYOND)
            continue
        reading.add(
            path=video,
            # Labels count frames from 1, samples from 0.
            frame=frame - 1,
            subject=subject,
            intensity=reading.shared(intensity),
        )
