"""Miniature trees in exactly the delivered layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., Path]
Write = Callable[[str, str], Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    return folder


@pytest.fixture
def write(root: Path) -> Write:
    """Write a text file of the tree."""

    def write(name: str, content: str) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    return write


@pytest.fixture
def picture(root: Path) -> Draw:
    """Write a picture of the tree."""

    def picture(name: str, size: tuple[int, int] = (8, 8)) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (90, 60, 30)).save(path)
        return path

    return picture


@pytest.fixture
def video(root: Path) -> Draw:
    """Write a video of the tree; frame n is grey of brightness 20 n."""

    def video(name: str, frames: int) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        codec = "MJPG" if path.suffix == ".avi" else "mp4v"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 20.0, (64, 48))
        assert writer.isOpened()
        for number in range(frames):
            writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
        writer.release()
        return path

    return video
