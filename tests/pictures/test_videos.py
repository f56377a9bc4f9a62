from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from norface.media.video import Video, VideoError
from norface.pictures.common_face import Scene
from norface.pictures.videos import write_annotated, write_deidentified
from norface.results import Box, FaceAnalysis, FrameAnalysis

MakeFace = Callable[..., FaceAnalysis]
TIMES = (0.0, 0.04, 0.1, 0.5, 0.52)
"""Of a video whose rate varies."""


def frames(make_face: MakeFace, *, images: bool) -> Iterator[FrameAnalysis]:
    for number, time in enumerate(TIMES):
        faces = () if number == 2 else (make_face(0, Box(200, 100, 60, 80)),)
        image = np.full((240, 320, 3), 40 * number, np.uint8) if images else None
        yield FrameAnalysis(number, time, (320, 240), faces, image)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A second of sound."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=48_000, layout="mono")
        for part in range(25):
            wave = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), "s16", "mono")
            wave.sample_rate, wave.pts, wave.time_base = 48_000, part * 1920, Fraction(1, 48_000)
            file.mux(stream.encode(wave))
        file.mux(stream.encode(None))
    return path


def read(path: Path) -> list[tuple[float, np.ndarray]]:
    with Video.open(path) as video:
        return [(frame.time, frame.image) for frame in video.frames()]


def test_annotated_frames_have_the_times_of_the_originals(
    make_face: MakeFace, tmp_path: Path, sound: Path
) -> None:
    path = tmp_path / "new.mp4"
    written = write_annotated(frames(make_face, images=True), path, sound_from=sound)
    assert (written.frames, written.faces, written.without_face) == (5, 4, 1)
    found = read(path)
    assert [time for time, _ in found] == pytest.approx(TIMES, abs=1e-3)
    for number, (_, image) in enumerate(found):
        assert image.shape == (480, 980, 3)
        assert abs(int(image[20, 20, 0]) - 40 * number) < 4
    with Video.open(path) as video:
        assert video.has_sound


def test_annotating_needs_the_images(make_face: MakeFace, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep_images"):
        write_annotated(frames(make_face, images=False), tmp_path / "new.mp4")
    assert not list(tmp_path.iterdir())


def test_a_video_without_frames_is_none(tmp_path: Path) -> None:
    scene = Scene(width=64, height=48, ground=(0, 0, 0))
    with pytest.raises(VideoError, match="no frame"):
        write_annotated(iter(()), tmp_path / "new.mp4")
    with pytest.raises(VideoError, match="no frame"):
        write_deidentified(iter(()), tmp_path / "new.mp4", layout=scene)
    assert not list(tmp_path.iterdir())


def test_a_video_that_fails_leaves_nothing(make_face: MakeFace, tmp_path: Path) -> None:
    def failing() -> Iterator[FrameAnalysis]:
        yield from frames(make_face, images=True)
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        write_annotated(failing(), tmp_path / "new.mp4")
    assert not list(tmp_path.iterdir())


def test_a_de_identified_video_shows_the_common_face_alone(
    make_face: MakeFace, tmp_path: Path, sound: Path
) -> None:
    path = tmp_path / "new.mp4"
    scene = Scene(width=320, height=240, ground=(130, 140, 150))
    # The originals' pixels are not even there.
    written = write_deidentified(
        frames(make_face, images=False), path, layout=scene, sound_from=sound
    )
    assert (written.frames, written.faces, written.without_face) == (5, 4, 1)
    found = read(path)
    assert [time for time, _ in found] == pytest.approx(TIMES, abs=1e-3)
    for number, (_, image) in enumerate(found):
        red = image[:, :, 0].astype(int) - image[:, :, 1] > 100
        assert red.any() == (number != 2)
        assert np.abs(image[:60].astype(int) - (130, 140, 150)).max() < 6
