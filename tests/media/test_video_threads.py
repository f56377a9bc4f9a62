"""Reading ahead."""

import threading
import time

import pytest

from norface.media.video import Video, read_ahead

NAME = "norface-read-ahead"


def threads():
    return [t for t in threading.enumerate() if t.name == NAME]


def test_all_comes_in_order():
    assert list(read_ahead(range(100), 3)) == list(range(100))
    assert list(read_ahead([], 1)) == []
    assert list(read_ahead(iter([None, False]), 1)) == [None, False]
    assert not threads()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_it_reads_ahead_and_not_too_far(count):
    given = []

    def numbers():
        for i in range(50):
            given.append(i)
            yield i

    reader = read_ahead(numbers(), count)
    assert next(reader) == 0
    deadline = time.monotonic() + 5
    while len(given) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.15)
    # The one that was taken, and those that are held.
    assert 2 <= len(given) <= 1 + max(count, 2)
    assert list(reader) == list(range(1, 50))


def test_a_failure_comes_after_what_was_read():
    def numbers():
        yield 1
        yield 2
        raise OSError("cable")

    reader = read_ahead(numbers(), 8)
    assert [next(reader), next(reader)] == [1, 2]
    with pytest.raises(OSError, match="cable"):
        next(reader)
    assert not threads()


def test_stopping_early_closes_what_was_read():
    closed = threading.Event()

    def numbers():
        try:
            i = 0
            while True:
                yield i
                i += 1
        finally:
            closed.set()

    reader = read_ahead(numbers(), 2)
    assert next(reader) == 0
    reader.close()
    assert closed.is_set()
    assert not threads()

    closed.clear()
    for _ in read_ahead(numbers(), 2):
        break
    assert closed.wait(5)


def test_a_reader_that_never_starts_needs_no_thread():
    read_ahead(range(3), 1).close()
    assert not threads()
    with pytest.raises(ValueError, match="1 or more"):
        read_ahead(range(3), 0)


def test_a_video_read_ahead_is_the_same(tmp_path, tiny):
    path = tiny.write(tmp_path / "a.mp4", 30)
    with Video.open(path) as video:
        plain = [(f.number, f.time, f.image.tobytes()) for f in video.frames()]
        ahead = [(f.number, f.time, f.image.tobytes()) for f in read_ahead(video.frames(), 4)]
        assert ahead == plain
        for frame in read_ahead(video.frames(), 4):
            if frame.number == 3:
                break
    assert not threads()
