"""Events of action units."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from norface.tables.events import EVENT_COLUMNS, Event, EventRule, find_events, write_events
from norface.tables.reading import read_columns
from norface.tables.tracks import Track

RULE = EventRule(on=2.0, off=1.0, minimum_duration=0.0)


def at(values: Sequence[float], rule: EventRule = RULE, step: float = 0.1) -> list[Event]:
    return find_events(np.arange(len(values)) * step, values, rule)


def test_a_triangle_is_one_event() -> None:
    (event,) = at([0, 0, 2, 4, 2, 0, 0])
    assert event.onset == pytest.approx(0.15)
    assert event.apex == pytest.approx(0.3)
    assert event.offset == pytest.approx(0.45)
    assert (event.peak, event.onset_seen, event.offset_seen) == (4.0, True, True)


def test_what_stays_under_the_upper_threshold_is_no_event() -> None:
    assert at([0, 1.9, 1.9, 0]) == []


def test_between_the_thresholds_an_event_goes_on() -> None:
    (event,) = at([0, 3, 1.2, 3, 0])
    assert event.apex == pytest.approx(0.1)
    assert len(at([0, 3, 0.9, 3, 0])) == 2


def test_the_frame_rate_does_not_move_an_event() -> None:
    def bump(rate: int) -> Event:
        times = np.arange(0, 4, 1 / rate)
        (event,) = find_events(times, 4 * np.exp(-((times - 2.013) ** 2)), RULE)
        return event

    slow, fast = bump(10), bump(500)
    assert slow.onset == pytest.approx(fast.onset, abs=0.01)
    assert slow.offset == pytest.approx(fast.offset, abs=0.01)
    assert slow.apex == pytest.approx(fast.apex, abs=0.06)


def test_uneven_times_are_taken_as_they_are() -> None:
    (event,) = find_events([0.0, 0.1, 0.4, 0.45, 0.5], [0, 0, 3, 3, 0], RULE)
    assert event.onset == pytest.approx(0.2)
    assert event.offset == pytest.approx(0.45 + 0.05 * 2 / 3)


def test_an_event_that_is_cut_says_so() -> None:
    (event,) = at([3, 3, 0, 0])
    assert (event.onset, event.onset_seen, event.offset_seen) == (0.0, False, True)
    (event,) = at([0, 3, 3])
    assert (event.offset, event.onset_seen, event.offset_seen) == (pytest.approx(0.2), True, False)


def test_a_short_loss_is_bridged_and_a_long_one_ends_the_event() -> None:
    nan = float("nan")
    assert len(at([0, 3, nan, nan, 3, 0])) == 1
    before, after = at([0, 3, *[nan] * 6, 3, 0])
    assert (before.offset_seen, after.onset_seen) == (False, False)
    assert before.offset == pytest.approx(0.1)
    assert after.onset == pytest.approx(0.8)


def test_short_events_are_left_out() -> None:
    values = [0, 0, 2, 4, 2, 0, 0]
    assert len(at(values, EventRule(minimum_duration=0.29))) == 1
    assert at(values, EventRule(minimum_duration=0.31)) == []


def test_nothing_has_no_events() -> None:
    assert at([]) == []
    assert at([float("nan")] * 5) == []
    assert at([5.0], EventRule()) == []


@pytest.mark.parametrize(
    "wrong",
    [{"on": 1.0, "off": 2.0}, {"on": 6.0}, {"off": 0.0}, {"minimum_duration": -1.0},
     {"longest_gap": 0.0}, {"on": float("nan")}],
)  # fmt: skip
def test_a_rule_checks_itself(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="event"):
        EventRule(**wrong)


def test_times_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        find_events([0.0, 0.2, 0.1], [0, 1, 2])
    with pytest.raises(ValueError, match="equal"):
        find_events([0.0, 0.2], [0, 1, 2])


def test_events_are_written_in_order(tmp_path: Path) -> None:
    times = np.arange(6) / 10
    smile = np.array([0, 3, 0, 0, 4, 0.0])
    tracks = [
        Track("a.mp4", "0", times, {"AU06": smile * 0, "AU12": smile}),
        Track("a.mp4", "1", times, {"AU06": smile, "AU12": smile * 0}),
    ]
    path = tmp_path / "events.csv"
    assert write_events(tracks, path, rule=RULE) == 4
    table = read_columns(path)
    assert table.names == EVENT_COLUMNS
    assert table.texts("unit").tolist() == ["AU12", "AU12", "AU06", "AU06"]
    assert table.numbers("face_id").tolist() == [0, 0, 1, 1]
    assert table.numbers("apex").tolist() == [0.1, 0.4, 0.1, 0.4]
    assert table.numbers("peak").tolist() == [3, 4, 3, 4]
    assert write_events(tracks, tmp_path / "none.csv", units=["AU06"], rule=EventRule(on=5)) == 0
    assert not (tmp_path / "none.csv").exists()
