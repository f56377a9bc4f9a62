"""BP4D and BP4D+: spontaneous expressions of people in a laboratory, coded frame by frame.

Tree: see `TREE`. Pictures and videos are looked for in all folders to a depth of three, so that it
does not matter how the archives were unpacked; 3D data beside the pictures are left alone.

BP4D (Zhang et al. 2014): 41 people (F001 to F023, M001 to M018), tasks T1 to T8. BP4D+ (Zhang et
al. 2016): 140 other people under names that partly coincide with those of BP4D, tasks T1 to T10, of
which T1, T6, T7 and T8 are coded.

Label coding: an occurrence file has a first row with the units' numbers (its first cell stands
over the frames) and then a row for each coded frame: its number, from 1 on, and for each unit 0
absent, 1 present, 9 unknown. An intensity file has rows of frame and intensity, 0 to 5 or 9
unknown, and no first row. A unit that is unknown is left out of a sample; a frame without any known
unit is skipped. Both sets code the intensity of AU06, AU10, AU12, AU14 and AU17.

Subjects: letter and three digits. Split: none as delivered; see `norface.data.protocols`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from norface.data.sample import DataSet
from norface.data.sets.reading import (
    BEYOND,
    NO_LABEL,
    Reading,
    numbered_pictures,
    unit_name,
    video_length,
)

TREE: Final = """\
ROOT/
  AUCoding/AU_OCC/F001_T1.csv                occurrence (BP4D also: AUCoding/F001_T1.csv)
  AUCoding/AU_INT/AU06/F001_T1_AU06.csv      intensity, optional (also: AU-Intensity-Codes3.0/AU06/)
  2D+3D/F001/T1/0001.jpg                     pictures (also: F001/T1/0001.jpg; archives unpacked),
  F001_T1.mp4                                or videos (also .avi, .wmv; in any folder)
"""

UNKNOWN: Final = 9

_CODES = re.compile(r"([FM]\d{3})_(T\d{1,2})\.csv")
_INTENSITY = re.compile(r"([FM]\d{3})_(T\d{1,2})_AU(\d{1,2})\.csv", re.IGNORECASE)
_VIDEO = re.compile(r"([FM]\d{3})[_-]?(T\d{1,2})\.(?:mp4|avi|wmv|mov|mkv)", re.IGNORECASE)
_SUBJECT = re.compile(r"[FM]\d{3}")

_Clip = tuple[str, str]
_Codes = dict[int, dict[str, int]]


def read_bp4d(root: Path, variant: str = "", *, skip_missing: bool = False) -> DataSet:
    """BP4D, see the module.

    Args:
        root: the folder in which its parts lie.
        variant: there is none.
        skip_missing: see `norface.data.sets.reading.Reading`.

    Raises:
        DataError: a part is missing or damaged.
    """
    return _read("bp4d", root, skip_missing)


def read_bp4d_plus(root: Path, variant: str = "", *, skip_missing: bool = False) -> DataSet:
    """BP4D+, as `read_bp4d`."""
    return _read("bp4d-plus", root, skip_missing)


def _read(name: str, root: Path, skip_missing: bool) -> DataSet:
    reading = Reading(root, TREE, skip_missing=skip_missing)
    codes: dict[_Clip, Path] = {}
    for path in reading.matching(_CODES):
        if path.parent.name.lower() in ("au_occ", "aucoding"):
            codes.setdefault(_clip(_CODES, path), path)
    if not codes:
        raise reading.error(root / "AUCoding", "holds no occurrence codes such as F001_T1.csv")
    intensities = _intensity_files(reading)
    pictures = _picture_folders(reading)
    videos = {_clip(_VIDEO, path): path for path in reading.matching(_VIDEO)}
    for clip, path in sorted(codes.items()):
        presence = _occurrence(reading, path)
        intensity: _Codes = {}
        for unit, file in intensities.get(clip, {}).items():
            _add_intensity(reading, file, unit, intensity)
        if clip in pictures:
            _add_pictures(reading, clip, pictures[clip], presence, intensity)
        elif clip in videos:
            _add_video(reading, clip, videos[clip], presence, intensity)
        else:
            reading.missing(root / "/".join(clip), len(presence))
    notes = [] if intensities else ["No intensity codes were found: occurrence only."]
    return reading.data_set(name, notes)


def _occurrence(reading: Reading, path: Path) -> _Codes:
    rows = reading.rows(path)
    header = next(rows)
    try:
        units = [unit_name(number) for number in header[1:] if number]
    except ValueError as error:
        raise reading.error(path, "does not begin with the units' numbers") from error
    found: _Codes = {}
    for row in rows:
        try:
            frame, *values = map(int, row[: len(units) + 1])
            if len(values) != len(units) or not set(values) <= {0, 1, UNKNOWN}:
                raise ValueError
        except ValueError as error:
            raise reading.error(
                path, f"is damaged: the row of frame {row[0]} is not one of 0, 1 and 9 a unit"
            ) from error
        found[frame] = {u: v for u, v in zip(units, values, strict=True) if v != UNKNOWN}
    return found


def _add_intensity(reading: Reading, path: Path, unit: str, found: _Codes) -> None:
    for number, row in enumerate(reading.rows(path)):
        try:
            frame, value = map(int, row[:2])
        except ValueError as error:
            # Some tools that write such files put names over the columns.
            if number == 0:
                continue
            raise reading.error(
                path, f"is damaged: {','.join(row)!r} in row {number + 1}"
            ) from error
        if value == UNKNOWN:
            continue
        if not 0 <= value <= 5:
            raise reading.error(path, f"is damaged: intensity {value} of frame {frame}")
        found.setdefault(frame, {})[unit] = value


def _intensity_files(reading: Reading) -> dict[_Clip, dict[str, Path]]:
    found: dict[_Clip, dict[str, Path]] = {}
    for folder in reading.folders():
        if not re.fullmatch(r"AU\d{1,2}", folder.name, re.IGNORECASE):
            continue
        for path in sorted(folder.iterdir()):
            if match := _INTENSITY.fullmatch(path.name):
                clip = (match[1].upper(), match[2].upper())
                found.setdefault(clip, {})[unit_name(match[3])] = path
    return found


def _picture_folders(reading: Reading) -> dict[_Clip, dict[int, Path]]:
    """Clip -> frame -> picture; BP4D+ has folders of the same names for other measurements."""
    found: dict[_Clip, dict[int, Path]] = {}
    for folder in reading.folders():
        if not _SUBJECT.fullmatch(folder.name):
            continue
        for task in folder.iterdir():
            clip = (folder.name, task.name)
            if re.fullmatch(r"T\d{1,2}", task.name) and clip not in found:
                pictures = numbered_pictures(task)
                if pictures:
                    found[clip] = pictures
    return found


def _add_pictures(
    reading: Reading,
    clip: _Clip,
    pictures: Mapping[int, Path],
    presence: _Codes,
    intensity: _Codes,
) -> None:
    folder = next(iter(pictures.values())).parent
    for frame in sorted(presence.keys() | intensity.keys()):
        known, strength = presence.get(frame, {}), intensity.get(frame, {})
        if not known and not strength:
            reading.skip(NO_LABEL)
        elif frame not in pictures:
            reading.missing(folder / f"{frame:04d}.jpg")
        else:
            _add(reading, clip, pictures[frame], None, known, strength)


def _add_video(
    reading: Reading, clip: _Clip, video: Path, presence: _Codes, intensity: _Codes
) -> None:
    length = video_length(video)
    if length is None:
        raise reading.error(video, "cannot be opened as a video: it is damaged or incomplete")
    for frame in sorted(presence.keys() | intensity.keys()):
        # Codes count frames from 1, samples from 0.
        if length and frame > length:
            reading.skip(BEYOND)
        else:
            strength = intensity.get(frame, {})
            _add(reading, clip, video, frame - 1, presence.get(frame, {}), strength)


def _add(
    reading: Reading,
    clip: _Clip,
    path: Path,
    frame: int | None,
    presence: Mapping[str, int],
    intensity: Mapping[str, int],
) -> None:
    reading.add(
        path=path,
        frame=frame,
        subject=clip[0],
        sequence=clip[1],
        presence=reading.shared(presence),
        intensity=reading.shared({unit: float(value) for unit, value in intensity.items()}),
    )


def _clip(pattern: re.Pattern[str], path: Path) -> _Clip:
    match = pattern.fullmatch(path.name)
    assert match is not None
    return match[1].upper(), match[2].upper()
