"""Which normalized picture was made of which original, and who is on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.media.images import list_images
from norface.tables.part_file import TableError
from norface.tables.reading import read_columns

BY_FOLDER: Final = "folder"
"""In place of a table of subjects: each folder of pictures is a person."""

_FIRST_FACE: Final = re.compile(r"_face0$")
_NAME_COLUMNS: Final = ("file", "path", "input", "name")
_PERSON_COLUMNS: Final = ("subject", "person")


class PrivacyError(ValueError):
    """A report cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture before and after.

    Attributes:
        name: of the original, below its folder.
        original: its file.
        normalized: the file of its largest face.
    """

    name: str
    original: Path
    normalized: Path


@dataclass(frozen=True, slots=True)
class Pairs:
    """What belongs together.

    Attributes:
        pairs: in the order of their names.
        without_normalized: originals of which no normalized picture is there.
        without_original: normalized pictures of which no original is there; further faces of a
            picture are among them.
    """

    pairs: tuple[Pair, ...]
    without_normalized: int
    without_original: int


def find_pairs(originals: Path, normalized: Path) -> Pairs:
    """Pair the pictures of two folders by their names, whatever the suffix.

    Args:
        originals: a folder; it is searched to the bottom.
        normalized: of what was made of it: by ``norface normalize`` with the same tree and names,
            or by ``norface analyze``, which adds ``_face0``.

    Raises:
        PrivacyError: one is no folder, or nothing belongs together.
    """
    for folder in (originals, normalized):
        if not folder.is_dir():
            raise PrivacyError(f"{folder} is no folder. Name a folder of pictures.")
    before = _by_stem(originals)
    after = {_FIRST_FACE.sub("", stem): path for stem, path in _by_stem(normalized).items()}
    # Where both are there, NAME of `normalize` counts and not NAME_face0.
    after |= {stem: path for stem, path in _by_stem(normalized).items() if stem in before}
    pairs = [
        Pair(path.relative_to(originals).as_posix(), path, after[stem])
        for stem, path in before.items()
        if stem in after and not path.samefile(after[stem])
    ]
    if not pairs:
        raise PrivacyError(
            f"No picture below {normalized} has the name of one below {originals}. Make them with: "
            f"norface normalize {originals} --out {normalized}"
        )
    pairs.sort(key=lambda pair: pair.name)
    used = {pair.normalized for pair in pairs}
    return Pairs(
        tuple(pairs), len(before) - len(pairs), sum(path not in used for path in after.values())
    )


def people_of(pairs: Pairs, subjects: str | None) -> NDArray[np.str_]:
    """Who is on each picture: (N,) names.

    Args:
        pairs: the pictures.
        subjects: a table with the columns ``subject`` (or ``person``) and ``file`` (or ``path`` or
            ``input``: a path, or the end of one); or ``folder`` where each folder is a person;
            None where each picture is of another.

    Raises:
        PrivacyError: the table lacks a column, or a picture, or says two things of one.
    """
    if subjects is None:
        return np.array([pair.name for pair in pairs.pairs], np.str_)
    if subjects == BY_FOLDER:
        return np.array([str(Path(pair.name).parent) for pair in pairs.pairs], np.str_)
    listed = _Listed(_read_subjects(Path(subjects)))
    found = []
    for pair in pairs.pairs:
        person = listed.person(pair.name)
        if not person:
            raise PrivacyError(
                f"{subjects} does not say who is on {pair.name}, or says two things. Give it one "
                "row, or take the picture out."
            )
        found.append(person)
    return np.array(found, np.str_)


def _by_stem(folder: Path) -> dict[str, Path]:
    """Pictures by their place below the folder, without suffix; the first of equal ones."""
    found: dict[str, Path] = {}
    for path in list_images([folder]):
        found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
    return found


def _read_subjects(path: Path) -> list[tuple[str, str]]:
    """Name and person of each row."""
    try:
        table = read_columns(path, (*_NAME_COLUMNS, *_PERSON_COLUMNS))
        named = next((name for name in _NAME_COLUMNS if name in table.values), None)
        person = next((name for name in _PERSON_COLUMNS if name in table.values), None)
        if named is None or person is None:
            raise PrivacyError(f"{path} needs the columns file and subject.")
        names, people = table.texts(named), table.texts(person)
    except TableError as error:
        raise PrivacyError(str(error)) from error
    return list(zip(names.tolist(), people.tolist(), strict=True))


class _Listed:
    """Who is on which picture, by the ends of paths.

    A row's name may be longer than that of a picture (it begins further up) or shorter (it is the
    last part of it); what they have in common must be the same.
    """

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        self._whole: dict[str, str] = {}
        self._ends: dict[str, str] = {}
        for name, person in rows:
            for way in _ways(name):
                _put(self._whole, way, person)
                for end in _ends_of(way):
                    _put(self._ends, end, person)

    def person(self, name: str) -> str:
        """Who is on a picture; "" where that is not said, or not clear."""
        for way in _ways(name):
            if way in self._ends:
                return self._ends[way]
            for end in _ends_of(way):
                if end in self._whole:
                    return self._whole[end]
        return ""


def _put(people: dict[str, str], name: str, person: str) -> None:
    if people.setdefault(name, person) != person:
        # A name that stands for two people says nothing.
        people[name] = ""


def _ways(name: str) -> tuple[str, str]:
    """With its suffix, and without."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.as_posix(), path.with_suffix("").as_posix()


def _ends_of(name: str) -> Iterator[str]:
    """The name, and what is left of it without its first folders; the longest first."""
    parts = name.split("/")
    for start in range(len(parts)):
        yield "/".join(parts[start:])
