"""Normalized faces kept beside those of a prepared data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from norface.data.face_cache import face_files
from norface.data.face_finding import FaceFolderError
from norface.data.prepared import StoredRows
from norface.faces.bundle import LANDMARK_COUNT
from norface.media.arrays import ArrayFileError, write_arrays
from norface.media.hashes import file_hash
from norface.media.images import read_image
from norface.models.checkpoint import load_normalization
from norface.runtime.normalizer import TARGET_FILE
from norface.runtime.places import DEFAULT_WEIGHTS
from norface.training.frozen_normalizer import FrozenNormalizer

_AT_ONCE = 32


def normalized_folder(prepared: Path, checkpoint: Path) -> Path:
    """Where the normalized faces of a cache lie, for a checkpoint of F_nor.

    Raises:
        FileNotFoundError: there is no checkpoint.
    """
    return prepared / f"normalized_{file_hash(checkpoint)[:16]}"


def normalize_prepared(
    prepared: Path, checkpoint: Path, *, say: Callable[[str], None] = print
) -> Path:
    """Normalize every face of a cache onto the common face, file by file; goes on where it stopped.

    Args:
        prepared: folder of the cache.
        checkpoint: of F_nor.
        say: told how it goes.

    Returns:
        Their folder: a file of the same name for each of the cache, with ``face`` (N, S, S, 3).

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    network, _ = load_normalization(checkpoint)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    normalizer = FrozenNormalizer(network, read_image(DEFAULT_WEIGHTS / TARGET_FILE), device)
    out = normalized_folder(prepared, checkpoint)
    # A file of the cache may have no face; its shape is that of the others.
    blank = np.zeros((1, normalizer.image_size, normalizer.image_size, 3), np.uint8)
    empty = normalizer.pictures(blank, np.zeros((1, LANDMARK_COUNT, 3)))[:0]
    files = face_files(prepared)
    for number, path in enumerate(files, start=1):
        if (out / path.name).is_file():
            continue
        with np.load(path, allow_pickle=False) as content:
            faces, geometry = content["face"], content["geometry"]
        made = [empty]
        for start in range(0, len(faces), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            made.append(normalizer.pictures(faces[part], geometry[part]))
        write_arrays(out / path.name, {"face": np.concatenate(made)})
        say(f"normalized {number} of {len(files)} files")
    return out


def kept_normalized(prepared: Path, checkpoint: Path) -> StoredRows:
    """The normalized faces of a cache, in the order of its faces.

    Raises:
        FaceFolderError: some are not made yet.
    """
    folder = normalized_folder(prepared, checkpoint)
    try:
        return StoredRows([folder / path.name for path in face_files(prepared)], "face")
    except ArrayFileError as error:
        raise FaceFolderError(
            f"{error}: make the normalized faces of {checkpoint} with `norface data prepare ... "
            "--normalization`"
        ) from error
