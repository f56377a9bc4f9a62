from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from norface.data.contact_sheet import TILE, choose, contact_sheet
from norface.data.sample import DataSet, Sample
from norface.data.sample_pictures import SamplePictures
from norface.media.images import ImageError


def test_the_samples_that_show_most_are_chosen_from_all_over() -> None:
    samples = tuple(
        Sample(path=Path("v.avi"), frame=n, intensity={"AU12": 5.0 if n in (7, 30) else 1.0})
        for n in range(40)
    )
    assert [s.frame for s in choose(samples, 2)] == [7, 30]
    assert len(choose(samples[:3], 12)) == 3


def test_a_sheet_and_what_cannot_be_read(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20), (200, 0, 0)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"broken")
    samples = (
        Sample(path=tmp_path / "a.png", subject="p1", presence={"AU12": 1}, box=(2, 2, 9, 9)),
        Sample(path=tmp_path / "b.png", emotion="fear", valence=0.5),
    )
    sheet = contact_sheet(DataSet(name="table", root=tmp_path, samples=samples))
    assert sheet.image.dtype == np.uint8
    assert sheet.image.shape[1] > 2 * TILE
    assert (sheet.image == (200, 0, 0)).all(axis=-1).sum() > 1000
    (problem,) = sheet.unreadable
    assert "b.png" in problem


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "v.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (64, 48))
    for number in range(6):
        frame = np.zeros((48, 64, 3), np.uint8)
        frame[..., 2] = 40 * number
        writer.write(frame)
    writer.release()
    return path


def test_frames_of_a_video_in_any_order(video: Path) -> None:
    with SamplePictures() as pictures:
        for number in (0, 1, 4, 2, 5, 5):
            image = pictures.read(Sample(path=video, frame=number))
            # Red, as the frame was written in the order blue, green, red.
            assert abs(int(image[..., 0].mean()) - 40 * number) < 6
            assert image[..., 2].mean() < 6
        with pytest.raises(ImageError, match="ends after 6 frames"):
            pictures.read(Sample(path=video, frame=6))
        assert pictures.read(Sample(path=video, frame=1)).shape == (48, 64, 3)


def test_videos_and_tables_that_are_damaged(tmp_path: Path) -> None:
    (tmp_path / "v.avi").write_bytes(b"broken")
    (tmp_path / "t.csv").write_text("emotion,pixels,Usage\n0,1 2 3,Training\n")
    with SamplePictures() as pictures:
        for name, frame in (("v.avi", 0), ("t.csv", 0), ("t.csv", 5), ("none.csv", 0)):
            with pytest.raises(ImageError, match=name):
                pictures.read(Sample(path=tmp_path / name, frame=frame))
