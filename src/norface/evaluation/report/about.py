"""What was evaluated: names and hashes, so that a figure can be traced to its model and data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from norface.evaluation.predictions import Predictions
from norface.media.hashes import add_file, file_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The head of a report.

    Attributes:
        title: e.g. ``"DISFA, units present"``.
        protocol: as in `norface.data.protocols`; "" for none. Published figures are found by it.
        model: what read the faces, in words.
        model_sha256: of its file or folder, see `file_digest`; "" when not known.
        data: the data set, in words.
        data_sha256: of its labels and file names, see `norface.data.sample.DataSet.fingerprint`;
            "" when not known. The hash of the scored labels alone is always in the report.
        notes: what else a reader should know: what was skipped, how a baseline was estimated.
    """

    title: str
    protocol: str = ""
    model: str = ""
    model_sha256: str = ""
    data: str = ""
    data_sha256: str = ""
    notes: tuple[str, ...] = ()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their names, hidden ones left out.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_dir():
        return file_hash(path)
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            digest.update(f"{name.as_posix()}\0{file.stat().st_size}\0".encode())
            add_file(digest, file)
    return digest.hexdigest()


def label_digest(predictions: Predictions) -> str:
    """SHA-256 of who, which frame and which truth, in any order of the rows.

    Of a path only the file's name counts, so that the same data give the same hash everywhere.
    """
    p = predictions
    digest = hashlib.sha256(repr((p.task, p.labels)).encode())
    names = [PurePath(path).name for path in p.path.tolist()]
    truth = [" ".join("" if np.isnan(v) else f"{v:.6g}" for v in row) for row in p.truth]
    rows = zip(p.subject.tolist(), p.sequence.tolist(), names, p.frame.tolist(), truth, strict=True)
    for row in sorted(rows):
        digest.update(repr(row).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
