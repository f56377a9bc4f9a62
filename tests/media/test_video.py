"""What is read from videos that are in order."""

from fractions import Fraction

import av
import numpy as np
import pytest

from norface.media.video import Video, VideoError

X264 = {"g": "12", "bf": "3"}
KINDS = {
    "b_frames.mp4": {"options": X264},
    "open_gop.mkv": {"options": {"x264-params": "keyint=10:open-gop=1:bframes=3:b-adapt=0"}},
    "h265.mp4": {"codec": "libx265", "options": {"x265-params": "keyint=10:log-level=none"}},
    "vp8.webm": {
        "codec": "libvpx",
        "options": {"auto-alt-ref": "1", "lag-in-frames": "10", "g": "9"},
    },
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "9", "cpu-used": "8"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2", "g": "10"}},
    "mjpeg.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "ffv1.mkv": {"codec": "ffv1"},
    "prores.mov": {"codec": "prores", "pixels": "yuv422p10le"},
    "mpeg2.ts": {"codec": "mpeg2video", "options": {"bf": "2", "g": "10"}},
    "h264.flv": {"options": X264},
    "animated.gif": {"codec": "gif", "pixels": "rgb8"},
    "wmv.asf": {"codec": "wmv2"},
}


@pytest.mark.parametrize("name", KINDS)
def test_every_frame_comes_with_its_number_and_time(tmp_path, tiny, name, capfd):
    path = tiny.write(tmp_path / name, 30, **KINDS[name])
    with Video.open(path) as video:
        frames = list(video.frames())
        assert (video.width, video.height, video.live, video.has_sound) == (64, 48, False, False)
        assert video.average_rate == pytest.approx(25)
        assert (video.unreadable, video.untimed, video.damage) == (0, 0, None)
        assert video.frame_count is None or abs(video.frame_count - 30) <= 2
    assert [frame.number for frame in frames] == list(range(30))
    assert [tiny.number_of(frame.image) for frame in frames] == list(range(30))
    # AVI has no times of display: with B-frames its first picture comes one frame late.
    lead = 0.04 if name == "mpeg4.avi" else 0.0
    np.testing.assert_allclose([f.time for f in frames], np.arange(30) / 25 + lead, atol=0.0011)
    assert all(f.image.shape == (48, 64, 3) and f.image.dtype == np.uint8 for f in frames)
    assert all(f.image.flags.c_contiguous and f.image.flags.writeable for f in frames)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", KINDS)
def test_a_part_equals_that_part_of_the_whole(tmp_path, tiny, name):
    path = tiny.write(tmp_path / name, 30, **KINDS[name])
    with Video.open(path) as video:
        whole = [(f.number, f.time, f.image.tobytes()) for f in video.frames()]
        for start in (0.0, 0.01, 0.36, 0.39, 0.41, 0.8, 1.16, 5.0):
            part = [(f.number, f.time, f.image.tobytes()) for f in video.frames(start, start + 0.2)]
            assert part == [f for f in whole if start <= f[1] < start + 0.2], start
        every = [f.number for f in video.frames(start=0.3, every=4)]
        assert every == [8, 12, 16, 20, 24, 28]
        few = [f.number for f in video.frames(rate=10)]
        if name != "mpeg4.avi":
            assert few == [0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28]
        assert [f.number for f in video.frames(start=0.4, rate=10)] == [
            n for n in few if whole[n][1] >= 0.4
        ]
        assert len(list(video.frames(rate=100))) == 30
        assert video.damage is None


def test_uneven_times_are_kept(tmp_path, tiny):
    times = [0, 1, 2, 50, 51, 52, 53, 120, 400, 401, 402, 700]
    for name in ("a.mp4", "a.mkv"):
        path = tiny.write(
            tmp_path / name, 12, times=times, base=Fraction(1, 240), options={"bf": "2", "g": "4"}
        )
        with Video.open(path) as video:
            frames = list(video.frames())
            late = list(video.frames(start=0.5))
        np.testing.assert_allclose([f.time for f in frames], np.array(times) / 240, atol=0.0006)
        assert [(f.number, f.time) for f in late] == [(f.number, f.time) for f in frames[7:]]
        assert [tiny.number_of(f.image) for f in late] == [7, 8, 9, 10, 11]


@pytest.mark.parametrize("base", [Fraction(1, 30_000), Fraction(1001, 30_000), Fraction(1, 7)])
def test_unusual_units_of_time(tmp_path, tiny, base):
    times = list(range(0, 10_010, 1001)) if base == Fraction(1, 30_000) else list(range(10))
    path = tiny.write(tmp_path / "a.mp4", len(times), times=times, base=base)
    with Video.open(path) as video:
        read = [f.time for f in video.frames()]
    np.testing.assert_allclose(read, [float(t * base) for t in times], atol=1e-6)


def test_time_begins_where_the_file_does(tmp_path, tiny):
    """MPEG-TS begins at 1.4 s or later, and players show 0 there."""
    path = tiny.write(
        tmp_path / "a.ts", 20, times=range(500, 520), codec="mpeg2video", options={"g": "5"}
    )
    with av.open(str(path)) as file:
        assert file.start_time >= 20 * av.time_base
    with Video.open(path) as video:
        frames = list(video.frames())
        assert [f.number for f in video.frames(start=0.4)] == list(range(10, 20))
    np.testing.assert_allclose([f.time for f in frames], np.arange(20) / 25, atol=1e-4)
    # Sound that begins first keeps its lead.
    path = tiny.write(tmp_path / "a.mkv", 20, times=range(5, 25), sound="pcm_s16le")
    with Video.open(path) as video:
        assert video.has_sound
        assert next(iter(video.frames())).time in (pytest.approx(0.0), pytest.approx(0.2))


def test_times_that_are_missing_follow_the_rate(tmp_path, tiny):
    path = tiny.write(tmp_path / "a.h264", 20, options=X264, kind="h264")
    with Video.open(path) as video:
        frames = list(video.frames())
        assert [f.number for f in video.frames(start=0.4)] == list(range(10, 20))
    assert [tiny.number_of(f.image) for f in frames] == list(range(20))
    np.testing.assert_allclose([f.time for f in frames], np.arange(20) / 25, atol=1e-6)


def test_times_that_fall_back_are_replaced(tmp_path, tiny):
    """As in recordings that were joined byte by byte."""
    first = tiny.write(tmp_path / "1.ts", 10, times=range(200, 210), codec="mpeg2video")
    other = tiny.write(tmp_path / "2.ts", 10, times=range(10), codec="mpeg2video")
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + other.read_bytes())
    with Video.open(path) as video:
        frames = list(video.frames())
        assert video.untimed > 0
    assert len(frames) == 20
    steps = np.diff([f.time for f in frames])
    assert (steps > 0).all()
    assert frames[-1].time < 2


CORNERS = {"red": (230, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 230), "white": (240,) * 3}


def corners():
    image = np.empty((48, 64, 3), np.uint8)
    image[:24, :32], image[:24, 32:] = CORNERS["red"], CORNERS["green"]
    image[24:, :32], image[24:, 32:] = CORNERS["blue"], CORNERS["white"]
    return image


def with_matrix(path, matrix):
    """Give the only track of an MP4 a display matrix."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    for i, value in enumerate((*matrix[:2], 0, *matrix[2:], 0, 0, 0, 0x4000)):
        data[place + 4 * i : place + 4 * i + 4] = (value * 65536).to_bytes(4, "big", signed=True)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("matrix", "order"),
    [
        # What is then seen at the top left, top right, bottom left, bottom right.
        ((1, 0, 0, 1), "red green blue white"),
        ((0, 1, -1, 0), "blue red white green"),
        ((-1, 0, 0, -1), "white blue green red"),
        ((0, -1, 1, 0), "green white red blue"),
        ((-1, 0, 0, 1), "green red white blue"),
        ((1, 0, 0, -1), "blue white red green"),
        ((0, 1, 1, 0), "red blue green white"),
        ((0, -1, -1, 0), "white green blue red"),
    ],
)
def test_the_rotation_that_a_phone_noted_is_applied(tmp_path, tiny, matrix, order):
    path = tiny.write(tmp_path / "a.mp4", [corners()] * 3)
    with_matrix(path, matrix)
    with Video.open(path) as video:
        image = next(iter(video.frames())).image
        assert image.shape == (video.height, video.width, 3)
    assert image.shape[:2] == ((64, 48) if matrix[0] == 0 else (48, 64))
    height, width = image.shape[:2]
    for i, colour in enumerate(order.split()):
        y, x = (height // 4, 3 * height // 4)[i // 2], (width // 4, 3 * width // 4)[i % 2]
        assert np.abs(image[y, x].astype(int) - CORNERS[colour]).max() < 25, (i, colour)


def test_pixels_that_are_not_square_are_widened(tmp_path, tiny):
    def anamorphic(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)

    path = tiny.write(tmp_path / "a.mp4", 5, prepare=anamorphic)
    with Video.open(path) as video:
        frames = list(video.frames())
        assert (video.width, video.height) == (93, 48)
    assert [tiny.number_of(f.image) for f in frames] == list(range(5))
    assert frames[0].image.shape == (48, 93, 3)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("10_bit.mp4", "libx264", "yuv420p10le"),
        ("12_bit.mkv", "ffv1", "yuv444p12le"),
        ("full_range.avi", "mjpeg", "yuvj420p"),
        ("422.mov", "prores", "yuv422p10le"),
        ("444.mp4", "libx264", "yuv444p"),
        ("rgb.mkv", "ffv1", "bgr0"),
        ("raw.avi", "rawvideo", "bgr24"),
    ],
)
def test_colours_of_every_depth(tmp_path, tiny, name, codec, pixels):
    path = tiny.write(tmp_path / name, [corners()] * 3, codec=codec, pixels=pixels)
    with Video.open(path) as video:
        frames = list(video.frames())
    assert len(frames) == 3
    for y, x, colour in ((10, 10, "red"), (10, 50, "green"), (40, 10, "blue"), (40, 50, "white")):
        assert np.abs(frames[2].image[y, x].astype(int) - CORNERS[colour]).max() < 12, colour


@pytest.mark.parametrize("pixels", ["gray", "gray10le", "gray16le"])
def test_grey(tmp_path, tiny, pixels):
    path = tiny.write(tmp_path / "a.mkv", 4, codec="ffv1", pixels=pixels)
    with Video.open(path) as video:
        frames = list(video.frames())
    assert [tiny.number_of(f.image) for f in frames] == list(range(4))
    assert (np.ptp(frames[3].image, axis=2) <= 1).all()


def test_transparency_is_laid_over_white(tmp_path, tiny):
    image = np.zeros((48, 64, 4), np.uint8)
    image[:, :32, 0] = 200
    image[:, :32, 3] = 255
    for name, codec, pixels in (
        ("a.mkv", "ffv1", "bgra"),
        ("b.mkv", "ffv1", "yuva420p"),
        ("a.mov", "qtrle", "argb"),
    ):
        path = tiny.write(tmp_path / name, [image] * 2, codec=codec, pixels=pixels)
        with Video.open(path) as video:
            read = next(iter(video.frames())).image
        assert np.abs(read[10, 10].astype(int) - (200, 0, 0)).max() < 8
        assert (read[10, 50] > 250).all()


@pytest.mark.parametrize("size", [(47, 63), (1, 1), (2, 200), (131, 17)])
def test_odd_sizes(tmp_path, tiny, size):
    image = np.full((*size, 3), 90, np.uint8)
    path = tiny.write(tmp_path / "a.mkv", [image] * 3, codec="ffv1", pixels="yuv444p")
    with Video.open(path) as video:
        frames = list(video.frames())
        assert (video.height, video.width) == size
    assert len(frames) == 3
    assert all(f.image.shape == (*size, 3) for f in frames)
    assert abs(int(frames[0].image.mean()) - 90) < 3


def test_interlaced_pictures_are_made_whole(tmp_path, tiny):
    """A bright column that moves: its rows must not stand side by side as the teeth of a comb."""
    images = []
    for i in range(12):
        image = np.full((96, 128, 3), 30, np.uint8)
        image[0::2, 8 * i : 8 * i + 8] = 220
        image[1::2, 8 * i + 4 : 8 * i + 12] = 220
        images.append(image)

    def prepare(stream):
        stream.codec_context.options = {"flags": "+ildct+ilme", "alternate_scan": "1", "b": "9M"}
        stream.codec_context.flags |= 0x20040000

    path = tiny.write(tmp_path / "a.mkv", images, codec="mpeg2video", prepare=prepare)
    with av.open(str(path)) as file:
        stored = list(file.decode(video=0))
        assert all(frame.interlaced_frame for frame in stored)
        combed = stored[5].to_ndarray(format="rgb24").astype(int)
    with Video.open(path) as video:
        frames = list(video.frames())
        late = list(video.frames(start=0.2))
    assert [f.number for f in frames] == list(range(12))
    np.testing.assert_allclose([f.time for f in frames], np.arange(12) / 25, atol=0.0011)
    assert [f.number for f in late] == list(range(5, 12))
    teeth = np.abs(np.diff(frames[5].image.astype(int), axis=0)).mean()
    assert teeth < 0.4 * np.abs(np.diff(combed, axis=0)).mean()
    # In the middle of the column it is bright whichever row is looked at.
    assert frames[5].image[20:70, 46].min() > 150


def test_of_two_videos_in_a_file_the_better_is_read(tmp_path, tiny):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        streams = []
        for width, height in ((16, 16), (64, 48)):
            stream = file.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for i in range(5):
            file.mux(streams[0].encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))))
            file.mux(streams[1].encode(av.VideoFrame.from_ndarray(tiny.numbered(i))))
        for stream in streams:
            file.mux(stream.encode(None))
    with Video.open(path) as video:
        assert [tiny.number_of(f.image) for f in video.frames()] == list(range(5))


def test_a_size_that_changes_on_the_way(tmp_path, tiny):
    small = tiny.write(tmp_path / "1.ts", 5)
    large = [tiny.numbered(i, 128, 96) for i in range(5, 10)]
    other = tiny.write(tmp_path / "2.ts", large, times=range(5, 10))
    path = tmp_path / "joined.ts"
    path.write_bytes(small.read_bytes() + other.read_bytes())
    with Video.open(path) as video:
        frames = list(video.frames())
    assert [tiny.number_of(f.image) for f in frames] == list(range(10))
    assert [f.image.shape[1] for f in frames] == [64] * 5 + [128] * 5


def test_a_single_frame(tmp_path, tiny):
    path = tiny.write(tmp_path / "a.mp4", [tiny.numbered(77)])
    with Video.open(path) as video:
        (frame,) = video.frames()
        assert video.damage is None
    assert (frame.number, frame.time, tiny.number_of(frame.image)) == (0, 0.0, 77)


def test_frames_are_the_readers_own(tmp_path, tiny):
    path = tiny.write(tmp_path / "a.mp4", 5)
    with Video.open(path) as video:
        frames = video.frames()
        first = next(frames)
        kept = first.image.copy()
        next(frames).image[:] = 0
        np.testing.assert_array_equal(first.image, kept)
        # Another reading of the same file starts from its beginning.
        assert next(video.frames()).number == 0
        assert next(frames).number == 2


def test_arguments_out_of_range(tmp_path, tiny):
    with Video.open(tiny.write(tmp_path / "a.mp4", 3)) as video:
        for wrong in ({"every": 0}, {"rate": 0.0}, {"rate": float("nan")}, {"start": 2, "stop": 1}):
            with pytest.raises(ValueError, match="must be"):
                video.frames(**wrong)
        assert not isinstance(ValueError(), VideoError)
