"""Events: when an action unit comes, is strongest, and goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from norface.facs import MAXIMUM_INTENSITY, PRESENCE_INTENSITY
from norface.tables.opening import open_table
from norface.tables.tracks import Track

EVENT_COLUMNS: Final = (
    "input", "face_id", "unit", "onset", "apex", "offset", "peak", "onset_seen", "offset_seen",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """What counts as an event.

    Attributes:
        on: it reaches this intensity, 0 to 5.
        off: and lasts for as long as the intensity stays above this one.
        minimum_duration: shorter ones are left out, seconds.
        longest_gap: over a longer time without a value, seconds, nothing is assumed: an event ends.
    """

    on: float = PRESENCE_INTENSITY
    off: float = PRESENCE_INTENSITY / 2
    minimum_duration: float = 0.1
    longest_gap: float = 0.5

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 < self.off <= self.on <= MAXIMUM_INTENSITY:
            raise ValueError("an event's thresholds must be 0 < off <= on <= 5")
        if not (self.minimum_duration >= 0 and self.longest_gap > 0):
            raise ValueError("an event's durations must be positive")


@dataclass(frozen=True, slots=True)
class Event:
    """One coming and going.

    Attributes:
        onset, offset: seconds; where the line between two values crosses `EventRule.off`.
        apex: seconds, of the highest value, the first of equal ones.
        peak: the highest value.
        onset_seen, offset_seen: False where the person comes or goes, or the video starts or ends,
            while the event lasts: it is longer than what was seen.
    """

    onset: float
    apex: float
    offset: float
    peak: float
    onset_seen: bool
    offset_seen: bool


def find_events(times: ArrayLike, values: ArrayLike, rule: EventRule | None = None) -> list[Event]:
    """The events of one unit of one person, in order.

    Args:
        times: (N,) seconds, ascending; steps may differ.
        values: (N,) intensity, 0 to 5; NaN where there is none. What is missing for a shorter time
            than `EventRule.longest_gap` is bridged by a straight line.
        rule: what counts as an event.

    Raises:
        ValueError: lengths differ, or times do not ascend.
    """
    rule = rule or EventRule()
    time, value = np.asarray(times, np.float64), np.asarray(values, np.float64)
    if time.ndim != 1 or time.shape != value.shape:
        raise ValueError(f"times {time.shape} and values {value.shape} must be two equal rows")
    known = np.isfinite(value) & np.isfinite(time)
    time, value = time[known], value[known]
    if np.any(np.diff(time) <= 0):
        raise ValueError("times must ascend")
    breaks = np.flatnonzero(np.diff(time) > rule.longest_gap) + 1
    pieces = zip(np.split(time, breaks), np.split(value, breaks), strict=True)
    return [event for piece in pieces for event in _in_piece(*piece, rule)]


def _in_piece(
    time: NDArray[np.float64], value: NDArray[np.float64], rule: EventRule
) -> Iterator[Event]:
    above = np.concatenate(([False], value >= rule.off, [False]))
    edges = np.flatnonzero(above[1:] != above[:-1])
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        top = first + int(value[first:end].argmax())
        if value[top] < rule.on:
            continue
        last = end - 1
        onset = _crossing(time, value, first - 1, first, rule.off) if first else time[first]
        offset = _crossing(time, value, last, end, rule.off) if end < len(time) else time[last]
        if offset - onset < rule.minimum_duration:
            continue
        yield Event(
            onset=float(onset),
            apex=float(time[top]),
            offset=float(offset),
            peak=float(value[top]),
            onset_seen=bool(first),
            offset_seen=bool(end < len(time)),
        )


def _crossing(
    time: NDArray[np.float64], value: NDArray[np.float64], before: int, after: int, level: float
) -> float:
    rise = value[after] - value[before]
    share = (level - value[before]) / rise
    return float(time[before] + share * (time[after] - time[before]))


def write_events(
    tracks: Iterable[Track],
    path: Path,
    *,
    units: Sequence[str] | None = None,
    rule: EventRule | None = None,
) -> int:
    """Write the events of all people as a table; returns how many there are.

    Rows are in the order of the tracks, of the units, and of time. Without any event there is no
    file.

    Args:
        tracks: as `norface.tables.tracks.read_tracks` gives them.
        path: .csv, .jsonl or .parquet.
        units: names, e.g. ``"AU12"``; None for all.
        rule: what counts as an event.

    Raises:
        TableError: the table cannot be written.
    """
    with open_table(path, EVENT_COLUMNS) as table:
        for track in tracks:
            for unit in track.units if units is None else units:
                for event in find_events(track.times, track.units[unit], rule):
                    table.write(
                        {
                            "input": track.input,
                            "face_id": track.person,
                            "unit": unit,
                            "onset": f"{event.onset:.3f}",
                            "apex": f"{event.apex:.3f}",
                            "offset": f"{event.offset:.3f}",
                            "peak": f"{event.peak:.3f}",
                            "onset_seen": int(event.onset_seen),
                            "offset_seen": int(event.offset_seen),
                        }
                    )
        return table.rows
