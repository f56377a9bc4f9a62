"""What is wrong with files, and what is said of it."""

import itertools
import os
import threading

import av
import numpy as np
import pytest
from PIL import Image

from norface.media import video_decoding, video_source
from norface.media.video import Video, VideoError, is_video
from norface.media.video_source import find_source

INDEX_FIRST = {"movflags": "+faststart"}


def noisy(count, width=64, height=48):
    """Pictures that take many bytes."""
    generator = np.random.default_rng(0)
    return list(generator.integers(0, 256, (count, height, width, 3), np.uint8))


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.flv"])
def test_of_a_file_that_is_cut_short_the_readable_part_is_kept(tmp_path, tiny, name, capfd):
    muxer = INDEX_FIRST if name in ("a.mp4", "a.mov") else {}
    path = tiny.write(tmp_path / name, noisy(75), options={"g": "5", "bf": "2"}, muxer=muxer)
    with Video.open(path) as video:
        whole = [(f.number, f.time, f.image) for f in video.frames()]
    cut(path, 0.5)
    with Video.open(path) as video:
        rest = [(f.number, f.time, f.image) for f in video.frames()]
        assert 25 < len(rest) < 50
        assert video.damage is not None
        length = "3.1" if name == "a.flv" else "3.0"
        assert f"cut short at {rest[-1][1]:.1f} s of {length} s" in video.damage
        assert video.unreadable <= 3
        list(video.frames(stop=0.5))
        assert video.damage is None
    for (number, time, image), (number_2, time_2, image_2) in zip(rest, whole, strict=False):
        assert (number, time) == (number_2, time_2)
        np.testing.assert_array_equal(image, image_2)
    assert capfd.readouterr() == ("", "")


def test_a_cut_file_with_sound_is_not_called_longer_than_its_pictures(tmp_path, tiny):
    path = tiny.write(tmp_path / "a.mp4", noisy(50), sound="aac", muxer=INDEX_FIRST)
    with Video.open(path) as video:
        assert video.has_sound
        assert len(list(video.frames())) == 50
        assert video.damage is None
    cut(path, 0.6)
    with Video.open(path) as video:
        list(video.frames())
        assert "cut short" in str(video.damage)


def test_frames_that_fail_are_skipped_and_counted(tmp_path, tiny, capfd):
    path = tiny.write(tmp_path / "a.mp4", noisy(60), options={"g": "6", "bf": "2"})
    with Video.open(path) as video:
        whole = [(f.number, f.time) for f in video.frames()]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes((7 * b + 13) % 256 for b in data[middle:][:20_000])
    path.write_bytes(data)
    with Video.open(path) as video:
        rest = [(f.number, f.time) for f in video.frames()]
        assert 1 <= video.unreadable == 60 - len(rest) <= 20
        count = "1 frame " if video.unreadable == 1 else f"{video.unreadable} frames "
        assert video.damage == f"{count}could not be read"
    # Those that are left have the numbers and times that they had.
    assert set(rest) < set(whole)
    assert rest[-1] == whole[-1]
    assert capfd.readouterr() == ("", "")


def test_files_that_cannot_be_opened(tmp_path, tiny, capfd):
    video = tiny.write(tmp_path / "video.mp4", 10)
    content = video.read_bytes()
    sound = tmp_path / "sound.m4a"
    with av.open(str(sound), "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=16_000, layout="mono")
        part = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), "s16", "mono")
        part.sample_rate = 16_000
        file.mux([*stream.encode(part), *stream.encode(None)])
    files = {
        "empty.mp4": (b"", "is empty"),
        "text.mp4": (b"no video at all\n" * 99, "is not a video"),
        "noise.avi": (bytes(range(128, 256)) * 50, "is not a video"),
        "header.mp4": (content[:40], "cut short, or its recording was never finished"),
        "no_index.mp4": (content[: content.index(b"moov") - 4], "cut short, or its recording"),
        "half_index.mp4": (content[: content.index(b"moov") + 90], "cut short or damaged"),
        "sound.m4a": (sound.read_bytes(), "holds sound but no video"),
    }
    for name, (content, reason) in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(VideoError, match=reason) as caught:
            Video.open(path)
        assert str(path) in str(caught.value)
        assert str(caught.value).endswith(".")
    with pytest.raises(VideoError, match="does not exist"):
        Video.open(tmp_path / "none.mp4")
    with pytest.raises(VideoError, match="is a folder"):
        Video.open(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_cover_picture_is_no_video(tmp_path, tiny):
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as file:
        cover = file.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = file.add_stream("aac", rate=16_000, layout="mono")
        file.mux(cover.encode(av.VideoFrame.from_ndarray(tiny.numbered(0))))
        part = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), "s16", "mono")
        part.sample_rate = 16_000
        file.mux([*stream.encode(part), *stream.encode(None), *cover.encode(None)])
    with av.open(str(path)) as file:
        if not file.streams.video[0].disposition & av.stream.Disposition.attached_pic:
            pytest.skip("this container does not keep the mark")
    with pytest.raises(VideoError, match="sound but no video"):
        Video.open(path)


def test_a_video_that_vanishes(tmp_path, tiny):
    path = tiny.write(tmp_path / "a.mp4", 5)
    with Video.open(path) as video:
        list(video.frames())
        path.unlink()
        with pytest.raises(VideoError, match=r"a\.mp4"):
            list(video.frames())


def test_a_network_that_is_lost_on_the_way(tmp_path, tiny, monkeypatch):
    class Cable:
        """A container that can be read for a while."""

        def __init__(self, container):
            self._container = container

        def __getattr__(self, name):
            return getattr(self._container, name)

        def demux(self, *streams):
            yield from itertools.islice(self._container.demux(*streams), 10)
            raise av.error.ConnectionResetError(104, "Connection reset by peer")

    def open_container(source):
        container, stream = video_source.open_container(source)
        return Cable(container), stream

    path = tiny.write(tmp_path / "a.mp4", 50, options={"bf": "2"})
    monkeypatch.setattr(video_decoding, "open_container", open_container)
    with Video.open(path) as video:
        # What the decoder held at that moment comes as well.
        assert [tiny.number_of(f.image) for f in video.frames()] == list(range(10))
        assert video.damage == "reading stopped at 0.4 s of 2.0 s: Connection reset by peer"


def test_what_is_a_video(tmp_path, tiny):
    video = tiny.write(tmp_path / "a.mp4", 5)
    for name in ("film", "film.dat", "film.MP4"):
        (tmp_path / name).write_bytes(video.read_bytes())
        assert is_video(tmp_path / name), name
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.dat", "PNG")
    Image.new("RGB", (8, 8)).save(tmp_path / "animated.dat", "GIF")
    (tmp_path / "table.csv").write_text("frame,time\n0,0\n" * 9)
    (tmp_path / "subtitles.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    (tmp_path / "escape.nfo").write_text("\x1b[31mred\x1b[0m\n" * 99)
    (tmp_path / "empty").write_bytes(b"")
    names = "picture.png picture.dat animated.dat table.csv subtitles.srt escape.nfo empty none"
    for name in names.split():
        assert not is_video(tmp_path / name), name
    assert not is_video(tmp_path)
    # By its name alone it is one; opening it tells what is wrong.
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert is_video(tmp_path / "empty.mp4")


@pytest.mark.parametrize(
    "name",
    ["a film.mp4", "50%.mp4", "what:ever.mp4", "data:,x.mp4", "Gespräché 日本.mp4", "[%03d].mp4"],
)
def test_names_are_taken_as_they_are(tmp_path, tiny, name, monkeypatch):
    made = tiny.write(tmp_path / "plain.mp4", 3)
    try:
        made.rename(tmp_path / name)
    except OSError:
        pytest.skip("not a name on this system")
    monkeypatch.chdir(tmp_path)
    with Video.open(name) as video:
        assert len(list(video.frames())) == 3
        assert video.name == name


def test_a_playlist_fetches_nothing(tmp_path):
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n")
    with pytest.raises(VideoError, match="is a playlist"):
        Video.open(path)
    assert not is_video(path)


def test_messages_show_no_passwords():
    source = find_source("rtsp://anna:secret@10.0.0.9:554/cam?token=abc")
    assert source.name == "rtsp://10.0.0.9:554/cam"
    assert source.live
    assert not source.is_file
    assert source.address == "rtsp://anna:secret@10.0.0.9:554/cam?token=abc"
    with pytest.raises(VideoError, match=r"rtsp://127\.0\.0\.1:9/cam cannot be opened") as caught:
        Video.open("rtsp://anna:secret@127.0.0.1:9/cam")
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_read_once(tmp_path, tiny):
    content = tiny.write(tmp_path / "a.mkv", 20).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    with Video.open(pipe) as video:
        assert video.live
        numbers = [tiny.number_of(f.image) for f in video.frames(start=0.2)]
        with pytest.raises(VideoError, match="only once"):
            list(video.frames())
    writer.join()
    assert numbers == list(range(5, 20))
