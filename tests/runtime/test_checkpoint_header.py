"""What a checkpoint says, without its weights."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from norface.runtime.checkpoint_header import checkpoint_header


def written(path: Path, header: object, *, length: int | None = None) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text)
    return path


def test_only_norfaces_own_part_is_read(tmp_path: Path) -> None:
    own = {"format": 1, "notes": {"seed": 3}}
    path = written(tmp_path / "a", {"__metadata__": {"norface": json.dumps(own)}, "weight": {}})
    assert checkpoint_header(path) == (own, ["weight"])
    assert checkpoint_header(written(tmp_path / "b", {"b": {}, "a": {}})) == ({}, ["a", "b"])


@pytest.mark.parametrize(
    "content",
    [b"", b"1234567", struct.pack("<Q", 1 << 40), struct.pack("<Q", 5) + b"{", b"PK\3\4" * 99],
)
def test_what_is_no_such_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=r"\w"):
        checkpoint_header(tmp_path / "a")


@pytest.mark.parametrize("header", [[], {"__metadata__": {"norface": "[]"}}, "text"])
def test_json_of_another_kind(tmp_path: Path, header: object) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        checkpoint_header(written(tmp_path / "a", header))
