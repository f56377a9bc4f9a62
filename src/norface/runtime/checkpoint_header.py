"""What a checkpoint says of itself, read without its weights and without the library."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Final

HEADER: Final = "norface"
"""Under this name lies what norface says in a safetensors file."""

_LARGEST: Final = 1 << 26


def checkpoint_header(path: Path) -> tuple[dict[str, Any], list[str]]:
    """What a safetensors file says before its weights.

    Returns:
        The header that norface writes into its checkpoints, empty in others' files; and the names
        of the tensors, sorted.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or no safetensors file.
    """
    with path.open("rb") as file:
        size = file.read(8)
        if len(size) < 8:
            raise ValueError("it is too short")
        (length,) = struct.unpack("<Q", size)
        if length > _LARGEST:
            raise ValueError("it does not begin with the length of a header")
        content = json.loads(file.read(length))
    if not isinstance(content, dict):
        raise ValueError("its header is no JSON object")
    about = content.get("__metadata__", {})
    header = json.loads(about.get(HEADER, "{}")) if isinstance(about, dict) else {}
    if not isinstance(header, dict):
        raise ValueError(f"its header {HEADER} is no JSON object")
    return header, sorted(content.keys() - {"__metadata__"})
