"""Memory of reading and writing, and FFmpeg's libraries beside those of OpenCV."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from norface.media.video import Video, read_ahead
from norface.media.video_writer import VideoWriter

STATM = Path("/proc/self/statm")
needs_proc = pytest.mark.skipif(not STATM.exists(), reason="needs /proc")


def resident():
    """Megabytes of this process."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def most(path, **options):
    """The most megabytes while a video is read."""
    with Video.open(path) as video:
        return max(resident() for _ in read_ahead(video.frames(**options), 4))


@needs_proc
def test_memory_does_not_grow_with_the_length(tmp_path, tiny):
    images = [tiny.numbered(i % 256, 320, 240) for i in range(60)]
    short = tiny.write(tmp_path / "short.mkv", images, codec="mpeg4")
    long = tiny.write(tmp_path / "long.mkv", images * 12, codec="mpeg4")
    most(short)
    before = most(short)
    # A frame is 0.23 MB; 660 frames more, if each were kept, 150.
    assert most(long) < before + 8
    assert most(long, start=20.0) < before + 8


@needs_proc
def test_memory_of_writing_does_not_grow_either(tmp_path, tiny):
    image = tiny.numbered(5, 320, 240)
    sound = tiny.write(tmp_path / "a.mkv", [image] * 400, sound="aac", codec="mpeg4")

    def write(count):
        with VideoWriter(tmp_path / "b.mp4", width=320, height=240, sound_from=sound) as writer:
            for i in range(count):
                writer.write(image, i / 25)
                if i == 99:
                    early = resident()
            return early, resident()

    write(100)
    early, late = write(400)
    assert late < early + 15


@needs_proc
def test_4k(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (270, 480, 3), np.uint8)
    image = noise.repeat(8, axis=0).repeat(8, axis=1)
    path = tmp_path / "a.mp4"
    with VideoWriter(path, width=3840, height=2160) as writer:
        for i in range(8):
            writer.write(image, i / 25)
    before = resident()
    with Video.open(path) as video:
        assert (video.width, video.height) == (3840, 2160)
        count, peak = 0, 0.0
        for frame in video.frames():
            count += 1
            peak = max(peak, resident())
            assert np.abs(frame.image[4::8, 4::8].astype(int) - noise).mean() < 12
    assert count == 8
    # A frame is 25 MB as RGB, 12 MB as the decoder has it.
    assert peak - before < 400


@pytest.mark.parametrize("order", ["import cv2, av", "import av, cv2"])
def test_opencvs_ffmpeg_and_ours_in_one_process(tmp_path, order):
    """Each writes with its own libraries, and reads what the other wrote; nobody says a word."""
    code = f"""
{order}
import numpy as np
from pathlib import Path
from norface.media.video import Video
from norface.media.video_writer import VideoWriter
image = np.full((48, 64, 3), 90, np.uint8)
writer = cv2.VideoWriter("a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
for _ in range(5):
    writer.write(image)
writer.release()
with Video.open("a.avi") as video, VideoWriter(Path("b.mp4"), width=64, height=48) as out:
    reader = cv2.VideoCapture("a.avi")
    for frame in video.frames():
        ok, other = reader.read()
        assert ok and abs(int(other.mean()) - int(frame.image.mean())) < 4
        out.write(frame.image, frame.time)
reader = cv2.VideoCapture("b.mp4")
count = 0
while reader.read()[0]:
    count += 1
print(count)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr, done.returncode) == ("5\n", "", 0)
