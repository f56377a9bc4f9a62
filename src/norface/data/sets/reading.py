"""What the adapters share: finding parts of a delivered tree, reading its files, counting."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import cv2

from norface.data.sample import DataError, DataSet, Sample
from norface.media.images import SUFFIXES

NO_LABEL: Final = "no label"
MISSING: Final = "picture missing"
BEYOND: Final = "beyond the end of the video"

_DEPTH = 3
_T = TypeVar("_T")


class Reading:
    """One pass over a data set: its tree for messages, and what is left out.

    Args:
        root: the folder that the user named.
        tree: the expected tree, for the messages.
        skip_missing: count labelled pictures that are missing, instead of stopping at the first.

    Raises:
        DataError: root is no folder.
    """

    def __init__(self, root: Path, tree: str, *, skip_missing: bool = False) -> None:
        self.root, self.tree, self.skip_missing = root, tree, skip_missing
        self.skipped: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self._shared: dict[Any, Any] = {}
        self._levels: list[list[Path]] | None = None
        if not root.is_dir():
            raise self.error(root, "is no folder" if root.exists() else "does not exist")

    def error(self, path: Path, problem: str) -> DataError:
        """A part of the set is missing or damaged."""
        return DataError(path, problem, self.tree)

    def skip(self, reason: str, count: int = 1) -> None:
        """Leave frames out."""
        self.skipped[reason] += count

    def missing(self, path: Path, count: int = 1) -> None:
        """A labelled picture, or the video or folder of `count` labelled frames, is not there.

        Raises:
            DataError: unless such pictures are to be skipped.
        """
        if not self.skip_missing:
            raise self.error(
                path,
                "is missing, though it is labelled. Complete the set (are all archives unpacked?), "
                "or leave out what is missing with --skip-missing",
            )
        self.skip(MISSING, count)

    def folders(self, depth: int = _DEPTH) -> list[Path]:
        """The root and the folders in it, the upper ones first."""
        if self._levels is None:
            self._levels = _levels(self.root)
        return [folder for level in self._levels[: depth + 1] for folder in level]

    def folder(self, *names: str, needed: bool = True) -> Path | None:
        """The first folder in the tree that has one of the names (of any case).

        Folders that unpacking adds are looked through, to a depth of three; the order of the
        names counts before the depth.

        Raises:
            DataError: there is none, and it is needed.
        """
        for name in names:
            for path in self.folders():
                if path.name.lower() == name.lower():
                    return path
        if needed:
            raise self.error(self.root / names[0], "is missing")
        return None

    def file(self, *names: str, needed: bool = True) -> Path | None:
        """The first file in the tree that has one of the names, searched as `folder` does.

        Raises:
            DataError: there is none, and it is needed.
        """
        for name in names:
            for folder in self.folders():
                if (folder / name).is_file():
                    return folder / name
        if needed:
            raise self.error(self.root / names[0], "is missing")
        return None

    def matching(self, pattern: re.Pattern[str]) -> list[Path]:
        """The files whose whole name matches, sorted, in folders to a depth of two."""
        return sorted(
            Path(entry.path)
            for folder in self.folders(_DEPTH - 1)
            for entry in os.scandir(folder)
            if pattern.fullmatch(entry.name) and entry.is_file()
        )

    def lines(self, path: Path) -> list[str]:
        """The lines of a text file, without their ends and without empty ones.

        Raises:
            DataError: it is missing, empty, or no text.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise self.error(path, "is missing") from error
        except (OSError, UnicodeDecodeError) as error:
            raise self.error(path, f"cannot be read as text ({error})") from error
        found = [line.strip() for line in text.splitlines() if line.strip()]
        if not found:
            raise self.error(path, "is empty")
        return found

    def rows(self, path: Path) -> Iterator[list[str]]:
        """The rows of a CSV file, cells stripped.

        Raises:
            DataError: it is missing, empty, or no CSV.
        """
        empty = True
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.reader(file):
                    if row:
                        empty = False
                        yield [cell.strip() for cell in row]
        except FileNotFoundError as error:
            raise self.error(path, "is missing") from error
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise self.error(path, f"cannot be read as CSV ({error})") from error
        if empty:
            raise self.error(path, "is empty")

    def shared(self, labels: Mapping[str, _T]) -> Mapping[str, _T]:
        """One mapping for all frames with equal labels: a clip has few different ones."""
        # 1 and 1.0 are equal, but presence and intensity are not the same.
        key = tuple((name, type(value), value) for name, value in labels.items())
        found: Mapping[str, _T] = self._shared.setdefault(key, labels)
        return found

    def add(self, **fields: Any) -> None:
        """Add a sample; one without any label is skipped."""
        sample = Sample(**fields)
        if sample.labelled:
            self.samples.append(sample)
        else:
            self.skip(NO_LABEL)

    def data_set(
        self, name: str, notes: Sequence[str] = (), *, face_crops: bool = False
    ) -> DataSet:
        """What was found; `face_crops` where each picture is a crop of one face.

        Raises:
            DataError: no sample was.
        """
        if not self.samples:
            raise self.error(self.root, f"holds no labelled sample (skipped: {dict(self.skipped)})")
        return DataSet(
            name=name,
            root=self.root,
            samples=tuple(self.samples),
            skipped=dict(sorted(self.skipped.items())),
            notes=tuple(notes),
            face_crops=face_crops,
        )


def unit_name(number: int | str) -> str:
    """``12`` or ``"12"`` -> ``"AU12"``, as in `norface.facs`.

    Raises:
        ValueError: it is no number of a unit.
    """
    value = int(number)
    if not 1 <= value <= 99:
        raise ValueError(f"{number} is no action unit")
    return f"AU{value:02d}"


def numbered_pictures(folder: Path) -> dict[int, Path]:
    """The pictures of a folder whose names are numbers, by number; empty without the folder."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    found: dict[int, Path] = {}
    for entry in entries:
        path = Path(entry.path)
        # `isdecimal` alone takes other scripts' digits too.
        if path.suffix.lower() in SUFFIXES and path.stem.isascii() and path.stem.isdecimal():
            found[int(path.stem)] = path
    return found


def video_length(path: Path) -> int | None:
    """How many frames a video says it has; None when it cannot be opened."""
    capture = cv2.VideoCapture(str(path))
    try:
        return int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else None
    finally:
        capture.release()


def _levels(root: Path) -> list[list[Path]]:
    """The root, the folders in it, those in them, and so on, without hidden ones."""
    levels = [[root]]
    for _ in range(_DEPTH):
        levels.append(
            [
                folder / name
                for folder in levels[-1]
                for name in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
                if not name.startswith(".")
            ]
        )
    return levels
