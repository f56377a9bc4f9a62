"""Cameras and streams, without either."""

import contextlib
import threading
import time
from pathlib import Path

import av
import av.device
import pytest

from norface.media import video_source, webcam
from norface.media.video import Video, VideoError, read_ahead
from norface.media.video_source import Source, find_source
from norface.media.webcam import camera_input


def test_cameras_of_each_system(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/video2")
    assert camera_input(2, "Linux") == ("v4l2", "/dev/video2", {})
    with pytest.raises(OSError, match="there is no /dev/video1"):
        camera_input(1, "Linux")
    kind, address, options = camera_input(1, "Darwin")
    assert (kind, address, options["framerate"]) == ("avfoundation", "1:none", "30")
    devices = [
        av.device.DeviceInfo("@1", "Microphone", True, ["audio"]),
        av.device.DeviceInfo("@2", "Front", False, ["video"]),
        av.device.DeviceInfo("@3", "Back", False, ["video", "audio"]),
    ]
    monkeypatch.setattr(webcam, "_devices", lambda kind: devices)
    assert camera_input(1, "Windows") == ("dshow", "video=Back", {})
    with pytest.raises(OSError, match="there are 2 cameras: Front, Back"):
        camera_input(2, "Windows")
    with pytest.raises(OSError, match="on Plan9"):
        camera_input(0, "Plan9")
    with pytest.raises(OSError, match="from 0"):
        camera_input(-1, "Linux")


def test_the_number_of_a_camera_as_text(tmp_path, monkeypatch):
    monkeypatch.setattr(video_source, "camera_input", lambda index: ("v4l2", f"/dev/{index}", {}))
    monkeypatch.chdir(tmp_path)
    assert find_source("3") == find_source(3)
    assert find_source(3).live
    (tmp_path / "3").write_bytes(b"a file")
    assert find_source("3").is_file


def test_a_camera_that_is_not_there(capfd):
    with pytest.raises(VideoError, match="Camera 97 cannot be opened"):
        Video.open(97)
    assert capfd.readouterr() == ("", "")


def test_a_camera_is_read_once_and_from_now_on():
    """FFmpeg's own test picture stands in for one."""
    source = Source(
        "Camera 0", "testsrc=size=64x48:rate=25,setpts=PTS+90/TB", "lavfi", {}, live=True
    )
    with Video(source=source) as video:
        assert (video.width, video.height, video.live) == (64, 48, True)
        assert video.duration is None
        assert video.frame_count is None
        frames = []
        for frame in read_ahead(video.frames(rate=5), 2):
            frames.append(frame)
            if len(frames) == 3:
                break
        with pytest.raises(VideoError, match="only once"):
            next(video.frames())
    assert [f.number for f in frames] == [0, 5, 10]
    assert [f.time for f in frames] == pytest.approx([0.0, 0.2, 0.4])


def test_a_stream_from_an_address(tiny):
    """A sender in this process; the stream ends as a cable is pulled."""

    def send():
        with av.open("tcp://127.0.0.1:45871", "w", format="mpegts") as out:
            stream = out.add_stream("mpeg2video", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for i in range(20):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(tiny.numbered(i))))
            out.mux(stream.encode(None))

    def send_when_heard():
        for _ in range(50):
            with contextlib.suppress(OSError):
                send()
                return
            time.sleep(0.05)

    sender = threading.Thread(target=send_when_heard)
    sender.start()
    with Video.open("tcp://127.0.0.1:45871?listen=1") as video:
        assert video.live
        assert "listen" not in video.name
        frames = list(video.frames())
    sender.join()
    assert [tiny.number_of(f.image) for f in frames] == list(range(20))
    assert frames[0].time == 0
