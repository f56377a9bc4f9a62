from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from norface.media.video import Video, VideoError
from norface.media.video_joining import join_videos
from norface.media.video_writer import VideoWriter

TIMES = [0.0, 0.04, 0.1, 0.5, 0.52, 0.56, 1.0, 1.04, 1.9, 1.95, 2.0, 2.04, 2.5, 3.0, 3.04]
"""Of a rate that varies."""


@pytest.fixture
def pieces(tiny: SimpleNamespace, tmp_path: Path) -> list[tuple[Path, float]]:
    """Fifteen frames in three pieces that begin at 0, 0.56 and 2 seconds."""
    return write(tiny, tmp_path, ".mp4")


def write(tiny: SimpleNamespace, folder: Path, suffix: str) -> list[tuple[Path, float]]:
    parts = []
    for first, last in ((0, 5), (5, 10), (10, 15)):
        path = folder / f"piece{first}{suffix}"
        with VideoWriter(path, width=64, height=48, start=TIMES[first]) as writer:
            for number in range(first, last):
                writer.write(tiny.numbered(number), TIMES[number])
        parts.append((path, TIMES[first]))
    return parts


def read(tiny: SimpleNamespace, path: Path) -> tuple[list[int], list[float]]:
    with Video.open(path) as video:
        frames = list(video.frames())
        assert (video.unreadable, video.untimed, video.damage) == (0, 0, None)
    return [tiny.number_of(frame.image) for frame in frames], [frame.time for frame in frames]


@pytest.mark.parametrize(
    ("piece", "suffix"), [(".mp4", ".mp4"), (".mov", ".mov"), (".mp4", ".mkv"), (".webm", ".webm")]
)
def test_all_frames_have_their_times(
    piece: str, suffix: str, tiny: SimpleNamespace, tmp_path: Path
) -> None:
    whole = tmp_path / f"whole{suffix}"
    assert join_videos(write(tiny, tmp_path, piece), whole) is None
    numbers, times = read(tiny, whole)
    assert numbers == list(range(15))
    assert times == pytest.approx(TIMES, abs=2e-3)
    assert sorted(path.name for path in tmp_path.iterdir() if "piece" not in path.name) == [
        whole.name
    ]


def test_the_whole_may_begin_later(
    tiny: SimpleNamespace, pieces: list[tuple[Path, float]], tmp_path: Path
) -> None:
    join_videos(pieces[1:], tmp_path / "whole.mp4", start=TIMES[5])
    numbers, times = read(tiny, tmp_path / "whole.mp4")
    assert numbers == list(range(5, 15))
    assert times == pytest.approx([time - TIMES[5] for time in TIMES[5:]], abs=1e-3)


def test_the_sound_is_in_step(
    tiny: SimpleNamespace, pieces: list[tuple[Path, float]], tmp_path: Path
) -> None:
    white = np.full((48, 64, 3), 255, np.uint8)
    dark = np.zeros((48, 64, 3), np.uint8)
    pictures = [white if i == 50 else dark for i in range(75)]
    original = tiny.write(tmp_path / "original.mp4", pictures, sound="aac")
    join_videos(pieces, tmp_path / "whole.mp4", sound_from=original)
    with av.open(str(tmp_path / "whole.mp4")) as file:
        parts = [(float(part.time), part.to_ndarray()) for part in file.decode(audio=0)]
    loud = [time for time, wave in parts if np.abs(wave).max() > 0.3]
    assert min(loud) == pytest.approx(2.0, abs=0.03)


def test_pieces_that_do_not_fit(
    tiny: SimpleNamespace, pieces: list[tuple[Path, float]], tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    with VideoWriter(other, width=96, height=48) as writer:
        writer.write(np.zeros((48, 96, 3), np.uint8), 0.0)
    for parts, match in (
        ([*pieces, (other, 5.0)], "differs"),
        ([*pieces, (tmp_path / "missing.mp4", 5.0)], "cannot be written"),
        ([], "give pieces"),
    ):
        with pytest.raises(VideoError, match=match):
            join_videos(parts, tmp_path / "whole.mp4")
        assert not (tmp_path / "whole.mp4").exists()
    with pytest.raises(VideoError, match="give pieces"):
        join_videos([(tmp_path / "piece.mkv", 0.0)], tmp_path / "whole.mkv")
    assert not list(tmp_path.glob(".*"))
