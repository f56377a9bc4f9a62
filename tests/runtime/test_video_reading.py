"""Videos through the real networks: whole, in pieces, corrected, recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from norface import FrameAnalysis, Norface
from norface.faces import baseline
from norface.media.video import Video, VideoError
from norface.runtime import video_reading
from norface.runtime.records import RecordError, load_record, save_record, without_images
from norface.runtime.video_reading import Checkpoint, Selection


def values(frame: FrameAnalysis) -> object:
    """All that is read from a frame, to be compared to the bit."""
    faces = [
        (face.to_dict(), face.landmarks.tobytes(), face.normalized.tobytes())
        for face in frame.faces
    ]
    return frame.number, frame.time, frame.size, faces


@pytest.fixture(scope="module")
def whole(norface: Norface, two_people: Path) -> list[FrameAnalysis]:
    return list(norface.analyze_video(two_people))


def test_every_frame_is_given_with_its_people(whole: Sequence[FrameAnalysis]) -> None:
    assert [frame.number for frame in whole] == list(range(20))
    assert [frame.time for frame in whole] == pytest.approx([i / 10 for i in range(20)])
    assert {frame.size for frame in whole} == {(480, 240)}
    people = [tuple(face.face_id for face in frame.faces) for frame in whole]
    assert people[:4] == [(0,)] * 4
    # The second one is found by a search of the whole frame, which is not made in each.
    assert set(people[4:14]) <= {(0,), (0, 1)}
    assert people[14:16] == [(0, 1)] * 2
    assert people[16:] == [()] * 4
    assert all(frame.image is None for frame in whole)


def test_a_video_that_is_read_in_pieces_gives_the_same(
    norface: Norface,
    two_people: Path,
    whole: Sequence[FrameAnalysis],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(video_reading, "SECONDS_A_SEGMENT", 0.45)
    with Video.open(two_people) as video:
        items = list(norface.segments(video, Selection()))
    places = [i for i, item in enumerate(items) if isinstance(item, Checkpoint)]
    assert len(places) == 5
    frames = [item for item in items if isinstance(item, FrameAnalysis)]
    assert [values(frame) for frame in frames] == [values(frame) for frame in whole]
    for place in places[:-1]:
        given = items[place]
        assert isinstance(given, Checkpoint)
        after = Checkpoint(
            number=given.number,
            time=given.time,
            state=json.loads(json.dumps(given.state)),
            in_order=given.in_order,
        )
        with Video.open(two_people) as video:
            rest = list(norface.segments(video, Selection(), after=after))
        for item, expected in zip(rest, items[place + 1 :], strict=True):
            if isinstance(item, FrameAnalysis) and isinstance(expected, FrameAnalysis):
                assert values(item) == values(expected)
            else:
                assert item == expected


def test_options_choose_frames_and_people(norface: Norface, two_people: Path) -> None:
    chosen = list(
        norface.analyze_video(
            two_people, start=0.3, stop=1.2, every=2, people="none", keep_images=True
        )
    )
    assert [frame.number for frame in chosen] == [4, 6, 8, 10]
    for frame in chosen:
        assert frame.image is not None
        assert frame.image.shape == (240, 480, 3)
        assert [face.face_id for face in frame.faces] == list(range(len(frame.faces)))
    slow = norface.analyze_video(two_people, rate=2)
    assert [frame.number for frame in slow] == [0, 5, 10, 15]


@pytest.mark.parametrize(
    "options",
    [
        {"every": 0},
        {"start": -1},
        {"start": 2, "stop": 1},
        {"rate": 0},
        {"smoothing": "much"},
        {"baseline": "some"},
    ],
)
def test_a_wrong_option_is_told_at_once(
    norface: Norface, two_people: Path, options: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        norface.analyze_video(two_people, **options)


def test_what_is_no_video_is_told(norface: Norface, person: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="missing"):
        next(norface.analyze_video(tmp_path / "missing.mp4"))


def test_a_video_may_be_left_early_and_pictures_analyzed_meanwhile(
    norface: Norface, two_people: Path, person: Path, whole: Sequence[FrameAnalysis]
) -> None:
    frames = norface.analyze_video(two_people)
    first = next(frames)
    assert len(norface.analyze(person)) == 1
    assert values(first) == values(whole[0])
    assert values(next(frames)) == values(whole[1])
    frames.close()
    assert values(next(norface.analyze_video(two_people))) == values(whole[0])


def smiles(frames: Sequence[FrameAnalysis], person: int = 0) -> np.ndarray:
    return np.array(
        [
            face.action_units["AU12"].intensity
            for frame in frames
            for face in frame.faces
            if face.face_id == person
        ]
    )


def test_smoothing_calms_and_loses_no_frame(
    norface: Norface, two_people: Path, whole: Sequence[FrameAnalysis]
) -> None:
    for mode in ("causal", "centred"):
        smooth = list(norface.analyze_video(two_people, smoothing=mode))
        assert [frame.number for frame in smooth] == list(range(20))
        assert np.abs(np.diff(smiles(smooth))).sum() < np.abs(np.diff(smiles(whole))).sum()
        for frame, before in zip(smooth, whole, strict=True):
            for face, other in zip(frame.faces, before.faces, strict=True):
                assert (face.box, face.pose) == (other.box, other.pose)
                assert face.emotion == max(face.emotions, key=face.emotions.__getitem__)
                for name, unit in face.action_units.items():
                    assert unit.present == (unit.probability >= norface.thresholds[name])


def test_causal_smoothing_does_not_know_the_future(norface: Norface, two_people: Path) -> None:
    part = list(norface.analyze_video(two_people, smoothing="causal", stop=1.2))
    all_of_it = list(norface.analyze_video(two_people, smoothing="causal"))
    assert [values(frame) for frame in part] == [values(frame) for frame in all_of_it[:12]]


def test_the_resting_face_is_taken_away(
    norface: Norface,
    two_people: Path,
    whole: Sequence[FrameAnalysis],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baseline, "_LEAST_FRAMES", 3)
    read = smiles(whole)
    of_file = smiles(list(norface.analyze_video(two_people, baseline="file")))
    running = smiles(list(norface.analyze_video(two_people, baseline="running")))
    rest = np.round(np.sort(read)[np.ceil(0.1 * len(read)).astype(int) - 1], 2)
    assert of_file == pytest.approx(np.maximum(read - rest, 0), abs=0.011)
    assert running[:2] == pytest.approx(read[:2])
    assert running[-1] == pytest.approx(of_file[-1], abs=0.011)


def test_records_give_back_every_bit(whole: Sequence[FrameAnalysis], tmp_path: Path) -> None:
    path = tmp_path / "record.npz"
    save_record(path, whole, {"said": [1, None, "ü"]}, landmarks=True)
    record = load_record(path)
    assert record.about == {"said": [1, None, "ü"]}
    kept = [without_images(frame, landmarks=True) for frame in whole]
    assert [values(frame) for frame in record.frames] == [values(frame) for frame in kept]
    size = path.stat().st_size
    save_record(path, whole, {}, landmarks=False)
    assert path.stat().st_size < size / 2
    assert load_record(path).frames[0].faces[0].landmarks.shape == (0, 3)
    assert [each.name for each in tmp_path.iterdir()] == ["record.npz"]


@pytest.mark.parametrize("left", [0, 10, 0.5, 0.99])
def test_a_damaged_record_is_told(
    whole: Sequence[FrameAnalysis], tmp_path: Path, left: float
) -> None:
    path = tmp_path / "record.npz"
    save_record(path, whole, {}, landmarks=False)
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content)) if left < 1 else int(left)])
    with pytest.raises(RecordError, match="damaged"):
        load_record(path)


def test_a_record_of_nothing_can_be_read(tmp_path: Path) -> None:
    save_record(tmp_path / "record.npz", [], {"pictures": 0}, landmarks=True)
    assert list(load_record(tmp_path / "record.npz").frames) == []


def test_a_frame_that_cannot_be_read_makes_the_rest_be_decoded_from_the_start(
    norface: Norface,
    two_people: Path,
    whole: Sequence[FrameAnalysis],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts: list[float | None] = []
    frames: Callable[..., object] = Video.frames

    def noted(self: Video, start: float | None = None, *more: object) -> object:
        starts.append(start)
        return frames(self, start, *more)

    monkeypatch.setattr(video_reading, "SECONDS_A_SEGMENT", 0.45)
    with Video.open(two_people) as video:
        items = list(norface.segments(video, Selection()))
    first = next(item for item in items if isinstance(item, Checkpoint))
    monkeypatch.setattr(Video, "frames", noted)
    for in_order in (True, False):
        after = Checkpoint(
            number=first.number, time=first.time, state=first.state, in_order=in_order
        )
        with Video.open(two_people) as video:
            rest = list(norface.segments(video, Selection(), after=after))
        read = [values(item) for item in rest if isinstance(item, FrameAnalysis)]
        assert read == [values(frame) for frame in whole[first.number + 1 :]]
    assert starts == [first.time, None]
