"""Small videos for the commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from norface.media.images import read_image


def write_film(path: Path, images: Sequence[np.ndarray], *, rate: int = 25) -> Path:
    """Write pictures of one size as H.264, in the format that the suffix names."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            file.mux(stream.encode(frame.reformat(format="yuv420p")))
        file.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def film() -> Callable[..., Path]:
    return write_film


@pytest.fixture(scope="session")
def noise_film() -> Callable[[Path, int], Path]:
    """Write a film of so many frames, each of which is lighter or darker than the last."""

    def write(path: Path, count: int) -> Path:
        stripes = np.zeros((48, 64, 3), np.int16) + 120 * (np.arange(64) // 8 % 2)[None, :, None]
        return write_film(path, [(stripes + i * 37 % 130).astype(np.uint8) for i in range(count)])

    return write


@pytest.fixture(scope="session")
def two_people(people: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 16 frames, 10 a second: a person, a second one who comes, then nobody."""
    heads = []
    for path in (people[0], people[3]):
        image = read_image(path)
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = image[top : top + side, left : left + side]
        heads.append(cv2.resize(square, (240, 240), interpolation=cv2.INTER_AREA))
    frames = []
    for i in range(16):
        image = np.full((240, 480, 3), 70, np.uint8)
        if i < 12:
            image[:, i : i + 240] = heads[0]
        if 4 <= i < 12:
            image[:, 240:] = heads[1]
        frames.append(image)
    return write_film(tmp_path_factory.mktemp("film") / "two.mp4", frames, rate=10)
