"""What every picture of a benchmark must be: packaged, so that anyone can check a new rendering."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

import norface
from norface.facs import ACTION_UNIT_NAMES
from norface.media.arrays import write_arrays

UInt8Array = NDArray[np.uint8]

_HASH_BYTES: Final = 16
_CELLS: Final = 8
_INTENSITY_STEPS: Final = 50
"""Of an action unit's intensity 0 to 5 in a fingerprint, so that it fits a byte."""

_PACKAGE: Final = "norface.synthesis"


@dataclass(frozen=True, eq=False)
class Manifest:
    """What the pictures of a design are, in its order.

    Attributes:
        design: the design's digest.
        versions: what rendered them.
        hashes: (N, 16) uint8, see `pixel_hash`.
        prints: (N, P) uint8, see `fingerprint`.
    """

    design: str
    versions: Mapping[str, str]
    hashes: UInt8Array
    prints: UInt8Array

    def save(self, path: Path) -> None:
        """Write it as one npz file, the same bytes for the same content."""
        # Neighbouring pictures resemble each other: differences compress better.
        steps = np.diff(self.prints, axis=0, prepend=np.zeros_like(self.prints[:1]))
        about = json.dumps({"design": self.design, "versions": dict(self.versions)})
        arrays = {
            "hashes": self.hashes,
            "steps": steps,
            "about": np.frombuffer(about.encode(), np.uint8),
        }
        write_arrays(path, arrays, compressed=True)

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as content:
            about = json.loads(bytes(content["about"]))
            prints = np.cumsum(content["steps"], axis=0, dtype=np.uint8)
            return cls(about["design"], about["versions"], content["hashes"], prints)


def packaged_manifest(name: str) -> Manifest | None:
    """The manifest that comes with norface; None when this version has none for the design."""
    file = resources.files(_PACKAGE) / "assets" / f"{name.replace('-', '_')}.npz"
    with resources.as_file(file) as path:
        return Manifest.load(path) if path.is_file() else None


def pixel_hash(image: UInt8Array) -> str:
    """32 hexadecimal digits of the SHA-256 of a picture's raw pixels, row by row, RGB."""
    digest = hashlib.sha256(str(image.shape).encode() + np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()[: 2 * _HASH_BYTES]


def fingerprint(image: UInt8Array, row: Mapping[str, Any]) -> UInt8Array:
    """A coarse (8 x 8 + A,) uint8 look at a picture and its truth, to measure a difference by.

    Args:
        image: (S, S, 3), S a multiple of 8.
        row: its row of the truth; the intensities ``AU.._r`` are taken.
    """
    step = image.shape[0] // _CELLS
    sums = image.astype(np.int64).reshape(_CELLS, step, _CELLS, step, 3).sum(axis=(1, 3, 4))
    grey = np.rint(sums.reshape(-1) / (3 * step * step))
    units = [round(float(row[f"{name}_r"]) * _INTENSITY_STEPS) for name in ACTION_UNIT_NAMES]
    return np.concatenate([grey, units]).astype(np.uint8)


@cache
def _source_digest() -> str:
    """A digest of the synthesis' own code and data: two of the same render the same."""
    root = Path(str(resources.files(_PACKAGE)))
    data = (file for file in root.rglob("*.npz") if not file.name.startswith("synfacs"))
    digest = hashlib.sha256()
    for file in sorted([*root.rglob("*.py"), *data, root.parent / "facs.py"]):
        digest.update(str(file.relative_to(root.parent).as_posix()).encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Everything here that pictures could depend on."""
    return {
        "norface": norface.__version__,
        "synthesis": _source_digest(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "opencv": cv2.__version__,
        "machine": platform.machine(),
    }
