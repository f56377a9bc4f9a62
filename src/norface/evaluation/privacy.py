"""What normalization hides of people, and what it leaves of their expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.evaluation.face_embedding import Embed, unit_length
from norface.evaluation.fidelity import Fidelity, fidelity
from norface.evaluation.privacy_pairs import Pair, Pairs, PrivacyError
from norface.evaluation.reidentification import Reidentification, reidentify
from norface.facs import EMOTIONS
from norface.results import FaceAnalysis, UInt8Image
from norface.runtime.analyzer import Norface
from norface.runtime.picture_reading import Outcome, Picture

FloatArray = NDArray[np.float32]

_AT_ONCE: Final = 16
"""Pictures that are in memory together."""

_MARGIN: Final = 0.7
"""Of the face's box to each side, for another view of it."""

_VIEW: Final = 384
"""Longer side of another view, in pixels."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way of finding out who somebody is.

    Attributes:
        name: short.
        words: what is compared with what.
        result: how often it works.
    """

    name: str
    words: str
    result: Reidentification


@dataclass(frozen=True, slots=True)
class Privacy:
    """Everything that a report says.

    Attributes:
        pictures: that were compared.
        people: on them.
        several: whether there are several pictures of a person.
        without_face: pairs of which the original, the normalized picture or another view showed
            no face that was found; left out.
        attempts: the first is on the originals, for comparison.
        fidelity: readings before and after.
    """

    pictures: int
    people: int
    several: bool
    without_face: int
    attempts: tuple[Attempt, ...]
    fidelity: Fidelity


@dataclass(slots=True)
class _Seen:
    """What was measured of the pictures, a row each."""

    rows: list[int] = field(default_factory=list)
    original: list[FloatArray] = field(default_factory=list)
    normalized: list[FloatArray] = field(default_factory=list)
    view: list[FloatArray] = field(default_factory=list)
    view_normalized: list[FloatArray] = field(default_factory=list)
    before: list[FaceAnalysis] = field(default_factory=list)
    after: list[FaceAnalysis] = field(default_factory=list)


def measure_privacy(
    norface: Norface,
    embed: Embed,
    pairs: Pairs,
    people: NDArray[np.str_],
    *,
    tell: Callable[[int], None],
    seed: int = 0,
) -> Privacy:
    """Try to find out who is on the normalized pictures, and read them.

    Where there are several pictures of people, the first of each person is known, and the others
    are to be found. Where there is one, it is known, and what is to be found is made of the same
    photo: another view of it (moved, turned, of other light, compressed again) stands for another
    photo with the same expression.

    Args:
        norface: reads the faces; where there is one picture a person, also normalizes the other
            views, so its target must be that of the normalized pictures.
        embed: the independent network.
        pairs: the pictures.
        people: (N,) who is on each, from `privacy_pairs.people_of`.
        tell: called with the number of pictures done.
        seed: of other views and of intervals.

    Raises:
        PrivacyError: fewer than two people are left.
    """
    several = len(np.unique(people)) < len(people)
    seen = _Seen()
    for start in range(0, len(pairs.pairs), _AT_ONCE):
        chunk = pairs.pairs[start : start + _AT_ONCE]
        _measure(norface, embed, chunk, start, seen, views=not several, seed=seed)
        tell(start + len(chunk))
    who = people[seen.rows]
    if len(np.unique(who)) < 2:
        raise PrivacyError(
            "Telling people apart takes two people at least whose faces are found before and after."
        )
    return Privacy(
        pictures=len(who),
        people=len(np.unique(who)),
        several=several,
        without_face=len(people) - len(who),
        attempts=_across_pictures(seen, who) if several else _across_views(seen, who),
        fidelity=_fidelity(norface, seen, who, seed),
    )


def another_view(image: UInt8Image, face: FaceAnalysis, seed: int) -> UInt8Image:
    """The same face as another camera might show it: (H, W, 3) uint8 RGB.

    Turned by up to 4 degrees, a tenth larger or smaller, off the middle, brighter or darker, of
    another tint, noisy, and compressed.
    """
    rng = np.random.default_rng(seed)
    box = face.box
    half = (0.5 + _MARGIN) * max(box.width, box.height)
    middle = np.array([box.x + box.width / 2, box.y + box.height / 2])
    middle += rng.uniform(-0.08, 0.08, 2) * half
    zoom = _VIEW / (2 * half) * rng.uniform(0.9, 1.1)
    angle = np.radians(rng.uniform(-4, 4))
    turn = zoom * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, _VIEW / 2 - turn @ middle])
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    view = cv2.warpAffine(
        image, matrix, (_VIEW, _VIEW), flags=way, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float64)
    view = 255 * (view / 255) ** rng.uniform(0.8, 1.25) * rng.uniform(0.94, 1.06, 3)
    view += rng.normal(0, 3, view.shape)
    pixels = np.clip(view, 0, 255).astype(np.uint8)
    quality = int(rng.integers(55, 85))
    _, packed = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    unpacked = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(unpacked[:, :, ::-1])


def _measure(
    norface: Norface,
    embed: Embed,
    chunk: Sequence[Pair],
    first: int,
    seen: _Seen,
    *,
    views: bool,
    seed: int,
) -> None:
    """Measure some pairs; one is left out when any of its pictures shows no face."""
    before = _largest(norface, [pair.original for pair in chunk])
    after = _largest(norface, [pair.normalized for pair in chunk])
    rows = [i for i in range(len(chunk)) if before[i] and after[i]]
    view: dict[int, tuple[UInt8Image, FaceAnalysis]] = {}
    again: dict[int, tuple[UInt8Image, FaceAnalysis]] = {}
    if views:
        pictures = [another_view(*_there(before[i]), seed + first + i) for i in rows]
        view = _found(rows, _largest(norface, pictures))
        faces = [face.normalized for _, face in view.values()]
        again = _found(list(view), _largest(norface, faces))
        rows = list(again)
    for i in rows:
        seen.rows.append(first + i)
        for (image, face), faces_read, looks in (
            (_there(before[i]), seen.before, seen.original),
            (_there(after[i]), seen.after, seen.normalized),
        ):
            faces_read.append(face)
            looks.append(unit_length(embed(image, face.landmarks)))
        if views:
            for (image, face), looks in (
                (view[i], seen.view),
                (again[i], seen.view_normalized),
            ):
                looks.append(unit_length(embed(image, face.landmarks)))


def _largest(
    norface: Norface, pictures: Sequence[Picture]
) -> list[tuple[UInt8Image, FaceAnalysis] | None]:
    """Each picture with its largest face; None where there is none or it cannot be read."""

    def face_of(outcome: Outcome) -> tuple[UInt8Image, FaceAnalysis] | None:
        if isinstance(outcome.faces, Exception) or not outcome.faces or outcome.image is None:
            return None
        return outcome.image, outcome.faces[0]

    return [face_of(outcome) for outcome in norface.outcomes(pictures, keep_images=True)]


def _there(
    found: tuple[UInt8Image, FaceAnalysis] | None,
) -> tuple[UInt8Image, FaceAnalysis]:
    assert found is not None
    return found


def _found(
    rows: Sequence[int], faces: Sequence[tuple[UInt8Image, FaceAnalysis] | None]
) -> dict[int, tuple[UInt8Image, FaceAnalysis]]:
    return {row: face for row, face in zip(rows, faces, strict=True) if face is not None}


def _across_pictures(seen: _Seen, who: NDArray[np.str_]) -> tuple[Attempt, ...]:
    """The first picture of each person is known."""
    _, known = np.unique(who, return_index=True)
    sought = np.setdiff1d(np.arange(len(who)), known)
    original, normalized = np.stack(seen.original), np.stack(seen.normalized)
    kinds = (
        ("original", "another original of the person, among originals", original, original),
        ("normalized", "another picture of the person, normalized, among originals",
         normalized, original),
        ("both normalized", "the same among pictures that were normalized as well",
         normalized, normalized),
    )  # fmt: skip
    return tuple(
        Attempt(name, words, reidentify(probe[sought], who[sought], gallery[known], who[known]))
        for name, words, probe, gallery in kinds
    )


def _across_views(seen: _Seen, who: NDArray[np.str_]) -> tuple[Attempt, ...]:
    """The photo of each person is known."""
    original, view = np.stack(seen.original), np.stack(seen.view)
    normalized, again = np.stack(seen.normalized), np.stack(seen.view_normalized)
    kinds = (
        ("original", "another view of the photo, among the photos", view, original),
        ("normalized", "the normalized face, among the photos", normalized, original),
        ("both normalized", "the normalized face, among other views of the photos that were "
         "normalized as well", normalized, again),
    )  # fmt: skip
    return tuple(
        Attempt(name, words, reidentify(probe, who, gallery, who))
        for name, words, probe, gallery in kinds
    )


def _fidelity(norface: Norface, seen: _Seen, who: NDArray[np.str_], seed: int) -> Fidelity:
    names = norface.action_units if norface.reads_action_units else ()
    emotions = None
    if norface.reads_emotions:
        emotions = _emotions(seen.before), _emotions(seen.after)
    return fidelity(
        names,
        _intensities(seen.before, names),
        _intensities(seen.after, names),
        emotions,
        who,
        seed=seed,
    )


def _intensities(faces: Sequence[FaceAnalysis], names: Sequence[str]) -> NDArray[np.float64]:
    rows: Iterator[list[float]] = (
        [face.action_units[name].intensity for name in names] for face in faces
    )
    return np.array(list(rows), np.float64).reshape(len(faces), len(names))


def _emotions(faces: Sequence[FaceAnalysis]) -> NDArray[np.int64]:
    return np.array([EMOTIONS.index(str(face.emotion)) for face in faces], np.int64)
