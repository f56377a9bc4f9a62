"""Folders of pictures, without any labels, made into a cache of aligned faces.

Finding faces takes a hundred times longer than reading them, so it is done once. The cache::

    DIR/cache.json                      the settings
    DIR/faces_000000.npz, ...           faces, and the pictures that they are from
    DIR/skipped.csv                     which pictures gave no face, and why

Each ``faces_*.npz`` holds, uncompressed, for the N faces of P pictures

- ``face`` (N, S, S, 3) uint8: framed by `norface.faces.align`, with a margin around the frame;
- ``geometry`` (N, 478, 3) float16: its landmarks, see `norface.faces.align.geometry`;
- ``pose`` (N, 3) float16: yaw, pitch and roll in degrees;
- ``found`` (N,) bool: whether landmarks were found; elsewhere the crop is a fixed one;
- ``placement`` (N, 2, 3) float32: see `norface.data.fixed_crop.placement`;
- ``picture`` (N,) int32: the number of its picture in
- ``pictures`` (P,) text: their paths, or other names;
- ``reason`` (P,) text: empty where a face was found, or why there is none.

Where every picture is a crop of one face (`FaceSettings.face_crops`), those in which none is found
come a second time, in files of their own, once all are looked at: cut out as the others are in the
median. ``skipped.csv`` lists them too. Caches made before that have neither ``found`` nor
``placement``; in them every face is a found one.

A file is written when its pictures are done. So what was interrupted goes on, pictures that are
added later join in, and a run with nothing new does nothing. A picture is known by its path: one
that changes under the same name is not looked at again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import count
from pathlib import Path
from typing import Final

from norface.data.face_cache import (
    PATTERN,
    FaceCounts,
    counted,
    face_files,
    keep_settings,
    looked_at,
)
from norface.data.face_finding import (
    NO_FACE,
    FaceFile,
    FaceFolderError,
    FaceJob,
    FaceSettings,
    Picture,
    write_faces,
)
from norface.data.fixed_crop import FixedCrop
from norface.data.sample import Sample
from norface.media.images import list_images
from norface.synthesis.parallel import in_processes
from norface.synthesis.parts import write_rows

SKIPPED: Final = "skipped.csv"
_PICTURES_A_FILE: Final = 256
_NAMED: Final = 20
"""Skipped pictures that are named one by one; `SKIPPED` lists all."""


def missing_pictures(pictures: Sequence[Path], out: Path) -> list[str]:
    """Which pictures of files and folders a cache has not looked at, as paths in their order.

    Raises:
        FaceFolderError: the pictures cannot be listed, or there is none.
    """
    try:
        # Absolute, so that the same command from another folder means the same pictures.
        paths = [str(path.absolute()) for path in list_images(pictures)]
    except OSError as error:
        raise FaceFolderError(f"the pictures cannot be listed: {error}") from error
    if not paths:
        raise FaceFolderError(f"there is no picture in {', '.join(map(str, pictures))}")
    done = looked_at(out)
    return [path for path in dict.fromkeys(paths) if path not in done]


def prepare_faces(
    pictures: Sequence[Path],
    out: Path,
    settings: FaceSettings | None = None,
    *,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> FaceCounts:
    """Find and align the faces of pictures, those left out that an earlier run has done.

    Args:
        pictures: files, and folders, which are searched with their subfolders.
        out: folder of the cache.
        settings: what the faces look like; the same in every run.
        workers: processes; the machine's cores when None.
        say: told which pictures are skipped.

    Raises:
        FaceFolderError: there is no picture, none has a face, or the cache has other settings.
    """
    settings = settings or FaceSettings()
    keep_settings(out, settings)
    wanted = [Picture(path, Sample(path=Path(path))) for path in missing_pictures(pictures, out)]
    return find_faces(wanted, out, settings, workers=workers, say=say)


def find_faces(
    pictures: Sequence[Picture],
    out: Path,
    settings: FaceSettings,
    *,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> FaceCounts:
    """Find and align the faces of pictures, those left out that the cache has.

    Args:
        pictures: of different names; frames of a video in their order.
        out: folder of the cache, with its settings.
        settings: those.
        workers: processes; the machine's cores when None.
        say: told which pictures are skipped.

    Raises:
        FaceFolderError: there is no face in the whole cache.
    """
    done = looked_at(out)
    told = 0
    for path, reason in _find_all(
        [p for p in pictures if p.name not in done], out, settings, workers
    ):
        if settings.face_crops and reason == NO_FACE:
            continue
        if told < _NAMED:
            say(f"skipped: {reason if path in reason else f'{path}: {reason}'}")
        told += 1
    known = looked_at(out)
    if settings.face_crops:
        unfound = [p for p in pictures if known.get(p.name) == NO_FACE]
        _cut_out_fixed(unfound, out, settings, workers, say)
        known = looked_at(out)
    faces, fixed = counted(out)
    skipped = {path: reason for path, reason in known.items() if reason}
    if known != done:
        rows = [{"input": path, "reason": why} for path, why in (skipped | fixed).items()]
        write_rows(out / SKIPPED, rows, columns=("input", "reason"))
    counts = FaceCounts(len(known), faces, len(skipped), len(fixed))
    if not counts.faces:
        raise FaceFolderError(
            f"no face was found in {counts.pictures} pictures: see {out / SKIPPED}"
        )
    return counts


def _cut_out_fixed(
    unfound: Sequence[Picture],
    out: Path,
    settings: FaceSettings,
    workers: int | None,
    say: Callable[[str], None],
) -> None:
    """Write the files of pictures in which no face was found, once all others are done."""
    if not unfound:
        return
    say(f"{NO_FACE} in {len(unfound)} pictures: they are cut out as the others are in the median")
    fixed = FixedCrop.of_found(face_files(out))
    for path, reason in _find_all(unfound, out, settings, workers, fixed):
        say(f"skipped: {path}: {reason}")


def _find_all(
    missing: Sequence[Picture],
    out: Path,
    settings: FaceSettings,
    workers: int | None,
    fixed: FixedCrop | None = None,
) -> Iterator[tuple[str, str]]:
    """Write the files of missing pictures; yields the path and the reason of each skip."""
    processes = workers or os.cpu_count() or 1
    # Small jobs for few pictures, so that every process has some.
    size = min(_PICTURES_A_FILE, max(16, -(-len(missing) // (4 * processes))))
    # In subfolders as well: normalized faces belong to the faces of the same number.
    used = [int(path.stem.split("_")[1]) for path in out.rglob(PATTERN)]
    names = count(max(used, default=-1) + 1)
    jobs = []
    for part in _undivided(missing, size):
        files = [
            FaceFile(tuple(part[start : start + size]), out / f"faces_{next(names):06d}.npz")
            for start in range(0, len(part), size)
        ]
        jobs.append(FaceJob(tuple(files), settings, fixed))
    if not jobs:
        return
    try:
        for skipped in in_processes(write_faces, jobs, "finding faces", workers):
            yield from skipped
    except (OSError, BrokenProcessPool) as error:
        # A full disk, or a process that was killed, as happens when memory runs out.
        raise FaceFolderError(
            f"{out}: {error}. What is done is kept: run the same command again, perhaps with "
            "fewer processes (--workers)"
        ) from error


def _undivided(missing: Sequence[Picture], size: int) -> list[list[Picture]]:
    """Parts of at least `size` pictures but the last, no video in two of them."""
    parts: list[list[Picture]] = []
    for picture in missing:
        last = parts[-1][-1].sample if parts else None
        goes_on = (
            last is not None
            and last.frame is not None
            and last.path == picture.sample.path
            and last.path.suffix.lower() != ".csv"
        )
        if goes_on or (parts and len(parts[-1]) < size):
            parts[-1].append(picture)
        else:
            parts.append([picture])
    return parts
