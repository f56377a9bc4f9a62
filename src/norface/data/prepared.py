"""A data set's faces, found and aligned once: a cache of `face_folder`, and a manifest.

The tree on disk::

    DIR/cache.json, faces_000000.npz, ..., skipped.csv      see `norface.data.face_folder`
    DIR/manifest.json                                       which set, and the hashes of the files
    DIR/normalized_0123456789abcdef/faces_000000.npz, ...   optional: the same faces, normalized

A picture is known by its path below the set's folder, and ``#`` and the number of its frame. There
is no label in a cache: labels are read from the set itself whenever they are needed, so that a
corrected label needs no new cache, and several protocols share one.

Each face is framed as in the shards of `norface.data.shards`: 5/4 of the crop, without a margin.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.data.face_cache import (
    FaceCounts,
    face_files,
    found_in,
    is_face_cache,
    keep_settings,
    looked_at,
    read_settings,
)
from norface.data.face_finding import FaceFolderError, FaceSettings, Picture
from norface.data.face_folder import find_faces
from norface.data.sample import DataSet, Sample
from norface.media.arrays import ArrayFileError, StoredArray
from norface.media.hashes import file_hash
from norface.synthesis.shard_format import original_size

MANIFEST: Final = "manifest.json"


def prepare_set(
    data: DataSet,
    out: Path,
    *,
    crop: int = 256,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> FaceCounts:
    """Find and align the face of each sample, those left out that an earlier run has done.

    Args:
        data: what was read of the set; of the faces of a picture the one in the sample's box is
            taken, or the largest where there is no box.
            Where the set's pictures are crops of one face each, one in which none is found is cut
            out as the others are in the median.
        out: folder of the cache.
        crop: side of the pictures that networks read of them: 128 for tiny, 256 from small on; 64
            where the pictures themselves are smaller.
        workers: processes; the machine's cores when None.
        say: told which pictures are skipped.

    Raises:
        FaceFolderError: the folder holds faces of another set or crop, or no face was found.
    """
    about = {"set": data.name, "variant": data.variant}
    known = _read_manifest(out)
    if known is None and is_face_cache(out) and looked_at(out):
        raise FaceFolderError(f"{out} holds faces of no data set: choose another folder")
    if known is not None and {key: known[key] for key in about} != about:
        held = f"{known['set']} {known['variant']}".strip()
        raise FaceFolderError(f"{out} holds faces of {held}: choose another folder")
    settings = FaceSettings(size=original_size(crop), margin=0.0, face_crops=data.face_crops)
    keep_settings(out, settings)
    # A file that was taken away, because it was damaged, is made again and described anew.
    before: dict[str, dict[str, Any]] = {} if known is None else known["files"]
    files = {name: told for name, told in before.items() if (out / name).is_file()}
    if known is None or files.keys() != before.keys():
        _write_manifest(out, about | {"crop": crop, "files": files})
    named = ((picture_name(sample, data.root), sample) for sample in data.samples)
    pictures = {name: Picture(name, sample) for name, sample in named}
    counts = find_faces(list(pictures.values()), out, settings, workers=workers, say=say)
    there = {path.name: path for path in face_files(out)}
    if there.keys() != files.keys():
        files = {name: files.get(name) or _described(path) for name, path in there.items()}
        _write_manifest(out, about | {"crop": crop, "files": files})
    return counts


def verify(folder: Path) -> list[str]:
    """Names of the files of a cache that are missing or not as they were made.

    Raises:
        FaceFolderError: there is no manifest.
    """
    known = _read_manifest(folder)
    if known is None:
        raise FaceFolderError(f"{folder} is no prepared data set: see `norface data prepare`")
    return [
        name
        for name, about in known["files"].items()
        if not (folder / name).is_file() or _described(folder / name) != about
    ]


def picture_name(sample: Sample, root: Path) -> str:
    """What a cache calls a sample of the set in the folder root."""
    path = sample.path.relative_to(root) if sample.path.is_relative_to(root) else sample.path
    return path.as_posix() + ("" if sample.frame is None else f"#{sample.frame}")


class StoredRows:
    """Rows of arrays in many files as if they were one array, read from disk one at a time.

    Args:
        files: npz files.
        name: of the array in each.

    Attributes:
        shape: (N, ...).

    Raises:
        ArrayFileError: one is missing, damaged, or of another shape.
    """

    def __init__(self, files: Iterable[Path], name: str) -> None:
        self._stored = [StoredArray.find(path, name) for path in files]
        self._ends = np.cumsum([len(stored) for stored in self._stored], dtype=np.int64)
        shapes = {stored.shape[1:] for stored in self._stored}
        if len(shapes) != 1:
            raise ArrayFileError(f"{name} has several shapes or none: {sorted(shapes)}")
        self.shape = (int(self._ends[-1]), *shapes.pop())

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | np.integer[Any]) -> NDArray[Any]:
        """Row ``index``, 0 to N - 1, in fresh memory; for any number of threads at once."""
        stored, row = self._place(int(index))
        return stored.row(row)

    def read_into(self, index: int, out: NDArray[Any]) -> None:
        """Read a row into contiguous memory of its shape; for any number of threads at once."""
        stored, row = self._place(index)
        stored.read_into(row, out)

    def _place(self, index: int) -> tuple[StoredArray, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        part = int(np.searchsorted(self._ends, index, side="right"))
        stored = self._stored[part]
        return stored, int(index - (self._ends[part] - len(stored)))


@dataclass(frozen=True, slots=True, eq=False)
class PreparedFaces:
    """The faces of a cache; only landmarks and angles are in memory (3 kB a face).

    Attributes:
        folder: of the cache.
        crop: side of the pictures that networks read of them.
        row: picture -> number of its face; pictures without one are not in it.
        image: rows (S, S, 3) uint8.
        geometry: (N, 478, 3) float16.
        pose: (N, 3) float16, yaw, pitch and roll in degrees.
        found: (N,) bool, whether landmarks were found; elsewhere the crop is a fixed one, with the
            mean geometry of the others. All are found in caches that do not say.
    """

    folder: Path
    crop: int
    row: dict[str, int]
    image: StoredRows
    geometry: NDArray[np.float16]
    pose: NDArray[np.float16]
    found: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.geometry)


def read_prepared(folder: Path, data: DataSet) -> PreparedFaces:
    """Open the cache of a data set.

    Raises:
        FaceFolderError: it is missing, damaged, of another set, or lacks a picture of the set.
    """
    known = _read_manifest(folder)
    variant = f" --variant {data.variant}" if data.variant else ""
    command = f"`norface data prepare {data.name} --root {data.root}{variant} --out {folder}`"
    if known is None or (known["set"], known["variant"]) != (data.name, data.variant):
        raise FaceFolderError(f"{folder} holds no faces of {data.name}: make them with {command}")
    files = [folder / name for name in known["files"]]
    row: dict[str, int] = {}
    parts: dict[str, list[NDArray[Any]]] = {"geometry": [], "pose": [], "found": []}
    seen: set[str] = set()
    count = 0
    try:
        for path in files:
            with np.load(path, allow_pickle=False) as content:
                names, owner = content["pictures"].tolist(), content["picture"]
                for name in ("geometry", "pose"):
                    parts[name].append(content[name])
                parts["found"].append(found_in(content))
            seen.update(names)
            row |= {names[number]: count + i for i, number in enumerate(owner)}
            count += len(owner)
        image = StoredRows(files, "face")
    except (ArrayFileError, OSError, ValueError, KeyError, EOFError) as error:
        raise FaceFolderError(
            f"{folder} is damaged ({error}): delete the file and run {command} again"
        ) from error
    lacking = {picture_name(sample, data.root) for sample in data.samples} - seen
    if lacking:
        raise FaceFolderError(
            f"{folder} lacks {len(lacking)} pictures of {data.name}, such as {min(lacking)}: "
            f"run {command} again"
        )
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    return PreparedFaces(folder=folder, crop=int(known["crop"]), row=row, image=image, **joined)


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        read_settings(folder)
    except ValueError as error:
        raise FaceFolderError(f"{path} cannot be read: {error}") from error
    return content


def _write_manifest(out: Path, content: dict[str, Any]) -> None:
    part = out / f".{MANIFEST}.part"
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(out / MANIFEST)


def _described(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": file_hash(path)}
