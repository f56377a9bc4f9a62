"""What is written, read back."""

from pathlib import Path

import av
import numpy as np
import pytest

from norface.media.video import Video, VideoError
from norface.media.video_writer import VideoWriter

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm")


def write(path: Path, images, times, **options):
    height, width = images[0].shape[:2]
    with VideoWriter(path, width=width, height=height, **options) as writer:
        for image, time in zip(images, times, strict=True):
            writer.write(image, time)
        return writer


def read(path: Path):
    with Video.open(path) as video:
        frames = list(video.frames())
        assert video.damage is None
        return frames


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_keep_their_times(tmp_path, tiny, suffix, capfd):
    times = [0.0, 0.04, 0.08, 0.5, 0.5 + 1001 / 30_000, 1.7, 1.71, 3.0]
    path = tmp_path / f"a{suffix}"
    write(path, [tiny.numbered(i) for i in range(8)], times, rate=25)
    frames = read(path)
    np.testing.assert_allclose([f.time for f in frames], times, atol=0.0006)
    assert [tiny.number_of(f.image) for f in frames] == list(range(8))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_colours_come_back(tmp_path, suffix):
    colours = [
        (230, 20, 20),
        (20, 200, 20),
        (20, 20, 230),
        (240, 240, 240),
        (0, 0, 0),
        (90, 120, 60),
    ]
    images = [np.full((48, 64, 3), colour, np.uint8) for colour in colours]
    path = tmp_path / f"a{suffix}"
    write(path, images, np.arange(6) / 5)
    for frame, colour in zip(read(path), colours, strict=True):
        assert np.abs(frame.image[24, 32].astype(int) - colour).max() <= 6
    with av.open(str(path)) as file:
        assert file.streams.video[0].codec_context.colorspace == 1  # ITU-R BT.709


def test_odd_sizes_become_even(tmp_path, tiny):
    path = tmp_path / "a.mp4"
    write(path, [tiny.numbered(i, 63, 47) for i in range(3)], [0, 1, 2])
    frames = read(path)
    assert frames[0].image.shape == (48, 64, 3)
    assert [tiny.number_of(f.image[:, :63]) for f in frames] == [0, 1, 2]


def test_a_frame_of_another_size_is_fitted_in(tmp_path, tiny):
    path = tmp_path / "a.mp4"
    with VideoWriter(path, width=64, height=48) as writer:
        writer.write(tiny.numbered(1), 0)
        writer.write(np.full((100, 50, 3), 200, np.uint8), 1)
    image = read(path)[1].image
    assert image[24, 32].min() > 190
    assert image[:, :16].max() < 20
    assert image[:, -16:].max() < 20


def test_nothing_half_written_stays(tmp_path, tiny):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the one before")
    with pytest.raises(ValueError, match="does not come after"):
        write(path, [tiny.numbered(0), tiny.numbered(1)], [0, 0])
    with pytest.raises(VideoError, match="no frame"), VideoWriter(path, width=64, height=48):
        pass
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.mp4", b"the one before")]
    write(path, [tiny.numbered(0)], [0])
    assert len(read(path)) == 1
    with pytest.raises(OSError, match="nowhere"):
        VideoWriter(tmp_path / "nowhere" / "a.mp4", width=64, height=48)


def test_what_cannot_be_written_is_refused(tmp_path, tiny):
    with pytest.raises(VideoError, match=r"must end in \.mkv, \.mov, \.mp4, \.webm"):
        VideoWriter(tmp_path / "a.txt", width=64, height=48)
    with pytest.raises(ValueError, match="0 x 48"):
        VideoWriter(tmp_path / "a.mp4", width=0, height=48)
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48) as writer:
        writer.write(tiny.numbered(0), 1.0)
        with pytest.raises(ValueError, match="does not come after"):
            writer.write(tiny.numbered(0), 1.0)
        with pytest.raises(ValueError, match="shape"):
            writer.write(tiny.numbered(0)[:, :, 0], 2.0)
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(VideoError, match="for its sound"):
        VideoWriter(tmp_path / "b.mp4", width=64, height=48, sound_from=tmp_path / "text.wav")
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".wav"] == ["a.mp4"]


def flashes(count=50, at=(20, 40)):
    images = [np.full((48, 64, 3), 10, np.uint8) for _ in range(count)]
    for i in at:
        images[i][:] = 245
    return images


def seen(path):
    return [frame.time for frame in read(path) if frame.image.mean() > 128]


def heard(path):
    """Codec of the sound, and when its tones begin; as a player starts counting."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
        first, parts = None, []
        for frame in file.decode(stream):
            if first is None:
                first = float(frame.pts * frame.time_base) - max(0, file.start_time) / av.time_base
            parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
        name = stream.codec_context.codec.canonical_name
    loud = np.flatnonzero(np.abs(np.concatenate(parts)) > 0.2) / 48_000 + first
    return name, [t for i, t in enumerate(loud) if i == 0 or t - loud[i - 1] > 0.3]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize(
    ("source", "codec"),
    [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.mov", "pcm_s16le"), ("a.ts", "aac")],
)
def test_sound_stays_in_step(tmp_path, tiny, source, codec, suffix):
    source = tiny.write(tmp_path / source, flashes(), sound=codec)
    path = tmp_path / f"out{suffix}"
    for start in (0.0, 0.52):
        with Video.open(source) as video:
            frames = list(video.frames(start))
        writer = write(
            path,
            [f.image for f in frames],
            [f.time for f in frames],
            sound_from=source,
            start=start,
        )
        assert writer.damage is None
        tones = heard(path)[1]
        assert len(tones) == 2
        np.testing.assert_allclose(tones, seen(path), atol=0.004)
        np.testing.assert_allclose(seen(path), [0.8 - start, 1.6 - start], atol=0.03)


def test_sound_is_copied_where_it_can_be(tmp_path, tiny):
    def packets(path):
        with av.open(str(path)) as file:
            return [bytes(p) for p in file.demux(audio=0) if p.size]

    source = tiny.write(tmp_path / "a.mp4", flashes(), sound="aac")
    whole, part = tmp_path / "whole.mp4", tmp_path / "part.mp4"
    write(whole, flashes(), np.arange(50) / 25, sound_from=source)
    assert packets(whole) == packets(source)
    write(part, flashes(10, ()), 1 + np.arange(10) / 25, sound_from=source, start=1.0, stop=1.4)
    assert 17 <= len(packets(part)) <= 20
    assert b"".join(packets(part)) in b"".join(packets(source))
    write(tmp_path / "a.webm", flashes(), np.arange(50) / 25, sound_from=source)
    assert heard(tmp_path / "a.webm")[0] == "opus"


def test_a_source_without_sound(tmp_path, tiny):
    source = tiny.write(tmp_path / "a.mp4", 5)
    write(tmp_path / "b.mp4", flashes(5, ()), range(5), sound_from=source)
    with Video.open(tmp_path / "b.mp4") as video:
        assert not video.has_sound


def test_a_long_gap_between_frames_does_not_stop_the_sound(tmp_path, tiny):
    """Frames at one a second, beside the whole sound."""
    source = tiny.write(tmp_path / "a.mp4", flashes(100, (25, 75)), sound="aac")
    images = flashes(4, (1, 3))
    write(tmp_path / "b.mp4", images, [0.0, 1.0, 2.0, 3.0], sound_from=source)
    np.testing.assert_allclose(heard(tmp_path / "b.mp4")[1], [1.0, 3.0], atol=0.004)
    assert seen(tmp_path / "b.mp4") == [1.0, 3.0]
