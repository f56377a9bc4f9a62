"""What all tests share: the pictures of `examples/` and the weights that come with norface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from norface.media.images import read_image

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def person() -> Path:
    """A picture of one person."""
    return ROOT / "examples" / "person_1.jpg"


@pytest.fixture(scope="session")
def group() -> Path:
    """A picture of several people."""
    return ROOT / "examples" / "group.jpg"


@pytest.fixture(scope="session")
def people() -> list[Path]:
    """Pictures of four people, one each."""
    return [ROOT / "examples" / f"person_{number}.jpg" for number in (1, 2, 3, 4)]


DISFA_UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
DISFA_PEOPLE = ("SN001", "SN002", "SN006", "SN011", "SN003", "SN004")
"""Two of each fold."""


@pytest.fixture(scope="session")
def write_disfa(people: list[Path]) -> Callable[[Path], Path]:
    """Write a miniature DISFA: videos of three frames with faces, and intensities that vary."""

    def write(root: Path) -> Path:
        faces = []
        for path in people:
            image = cv2.imread(str(path))
            (height, width), side = image.shape[:2], min(image.shape[:2])
            top, left = (height - side) // 2, (width - side) // 2
            square = image[top : top + side, left : left + side]
            faces.append(cv2.resize(square, (240, 240), interpolation=cv2.INTER_AREA))
        for n, person in enumerate(DISFA_PEOPLE):
            video = root / "Videos_LeftCamera" / f"LeftVideo{person}_comp.avi"
            video.parent.mkdir(parents=True, exist_ok=True)
            writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (240, 240))
            assert writer.isOpened()
            for frame in range(3):
                # The fourth person's last frame shows nobody.
                blank = np.full((240, 240, 3), 60, np.uint8)
                writer.write(blank if (n, frame) == (3, 2) else faces[(n + frame) % 4])
            writer.release()
            for unit in DISFA_UNITS:
                labels = root / "ActionUnit_Labels" / person / f"{person}_au{unit}.txt"
                labels.parent.mkdir(parents=True, exist_ok=True)
                values = [(n + frame + unit) % 5 for frame in range(3)]
                labels.write_text("".join(f"{i + 1},{v}\n" for i, v in enumerate(values)))
        return root

    return write


@pytest.fixture(scope="session")
def disfa(
    write_disfa: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A miniature DISFA, and its faces at crop 128."""
    from norface.data import face_folder
    from norface.data.catalog import read_data_set
    from norface.data.prepared import prepare_set

    folder = tmp_path_factory.mktemp("disfa")
    root = write_disfa(folder / "set")
    with pytest.MonkeyPatch.context() as patch:
        # Fresh processes would take seconds to start.
        patch.setattr(face_folder, "in_processes", lambda work, jobs, *_: map(work, jobs))
        prepare_set(read_data_set("disfa", root), folder / "faces", crop=128, say=lambda _: None)
    return root, folder / "faces"


@pytest.fixture(scope="session")
def norface() -> Iterator[object]:
    from norface import Norface

    with Norface.load() as loaded:
        yield loaded


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
def two_people(people: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 20 frames, 10 a second: a person, a second one who comes in; at the end nobody."""
    heads = []
    for path in (people[0], people[3]):
        image = read_image(path)
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = image[top : top + side, left : left + side]
        heads.append(cv2.resize(square, (240, 240), interpolation=cv2.INTER_AREA))
    frames = []
    for i in range(20):
        image = np.full((240, 480, 3), 70, np.uint8)
        if i < 16:
            image[:, i // 2 : i // 2 + 240] = heads[0]
            left = max(240, 480 - 30 * i)
            image[:, left:] = heads[1][:, : 480 - left]
        frames.append(image)
    return write_film(tmp_path_factory.mktemp("film") / "two.mp4", frames, rate=10)
