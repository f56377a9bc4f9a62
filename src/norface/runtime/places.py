"""Where weights lie: those that come with norface, those of a user by name, and any folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from norface.runtime.checkpoint_header import checkpoint_header

DEFAULT_WEIGHTS: Final = Path(__file__).parent / "weights"
EMBEDDED_NAMES: Final = ("default", "tiny")
MANIFEST: Final = "manifest.json"
_CHECKPOINTS: Final = (".safetensors", ".pth", ".pt", ".ckpt")


class WeightsError(RuntimeError):
    """The weights are missing, damaged or of another version; the message says which."""


def user_weights() -> Path:
    """The folder in which weights are looked up by name.

    `$NORFACE_WEIGHTS`, or else ``norface/weights`` in the place that the system has for a user's
    data: ``~/.local/share`` (`$XDG_DATA_HOME`), ``~/Library/Application Support`` on macOS and
    `%LOCALAPPDATA%` on Windows.
    """
    chosen = os.environ.get("NORFACE_WEIGHTS")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "norface" / "weights"


def find_weights(weights: str | os.PathLike[str] | None) -> Path:
    """The folder that is meant by a name or a path.

    In this order: a folder with a manifest at that path; ``default`` and ``tiny``, which come with
    norface; a folder of that name in `user_weights`.

    Args:
        weights: the name or path; None for the weights that come with norface.

    Raises:
        WeightsError: there is none; the message says what was found instead and what to do.
    """
    if weights is None:
        return DEFAULT_WEIGHTS
    path = Path(weights)
    if (path / MANIFEST).is_file():
        return path
    name = os.fspath(weights)
    if name in EMBEDDED_NAMES:
        return DEFAULT_WEIGHTS
    if path.name == name and (user_weights() / name / MANIFEST).is_file():
        return user_weights() / name
    raise WeightsError(_what_is_wrong(path))


def _what_is_wrong(path: Path) -> str:
    if path.is_dir():
        problem = f"There are no weights in {path}: it has no {MANIFEST}."
        found = sorted(p.name for p in path.iterdir() if p.suffix in _CHECKPOINTS)
        if found:
            problem += f" It holds checkpoints ({', '.join(found[:4])}). The first: "
            problem += _export_of(path / found[0])
        return problem
    if path.suffix in _CHECKPOINTS:
        if not path.is_file():
            return f"{path} does not exist."
        return f"{path} is a checkpoint, which norface trains but does not run: " + _export_of(path)
    if path.exists():
        return f"{path} is no folder of weights. Name the folder that holds {MANIFEST}."
    mine = user_weights()
    names = [*EMBEDDED_NAMES, *sorted(p.parent.name for p in mine.glob(f"*/{MANIFEST}"))]
    return (
        f"There are no weights {str(path)!r}: no such folder, and no such name. Names here: "
        f"{', '.join(names)}. Further weights are found by name when their folder lies in {mine}."
    )


def _export_of(checkpoint: Path) -> str:
    kind = _kind(checkpoint)
    if kind in ("classification", "emotions"):
        options = f"--normalization F_NOR.safetensors --{kind} {checkpoint}"
    elif kind in ("normalization", None):
        options = f"--normalization {checkpoint}"
    else:
        return f"of kind {kind}, which only training uses."
    return f'export it with "norface export {options} --out FOLDER", and name FOLDER.'


def _kind(checkpoint: Path) -> str | None:
    """Which network a safetensors file says that it holds."""
    try:
        header, _ = checkpoint_header(checkpoint)
        kind: str = header["recipe"]["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return kind
