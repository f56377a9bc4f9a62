"""Hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from norface.media.hashes import add_file, file_hash


@pytest.mark.parametrize("size", [0, 5, (1 << 20) + 3])
def test_is_that_of_the_whole_content(tmp_path: Path, size: int) -> None:
    content = bytes(i % 251 for i in range(size))
    (tmp_path / "a").write_bytes(content)
    assert file_hash(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    digest = hashlib.sha256(b"before")
    add_file(digest, tmp_path / "a")
    assert digest.hexdigest() == hashlib.sha256(b"before" + content).hexdigest()
    with pytest.raises(FileNotFoundError):
        file_hash(tmp_path / "none")
