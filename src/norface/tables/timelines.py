"""Timelines: what each person's action units did, drawn. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import MAXIMUM_INTENSITY, action_unit
from norface.tables.events import Event, EventRule, find_events
from norface.tables.tracks import Track

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS: Final = (".png", ".svg", ".pdf")

_WIDTH: Final = 10.0
_ROW: Final = 0.55
_BETWEEN_PEOPLE: Final = 0.5
"""Free rows above each further person, for the name."""

_MARGINS: Final = {"top": 0.5, "bottom": 0.65, "left": 1.9, "right": 0.25}
"""Inches."""

_POINTS: Final = 4000
"""A line has no more: a page shows no more, and a drawing of a film stays small."""

_STEPS: Final = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
"""Seconds between the marks of a long time axis."""

_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Of the people, told apart by the colour-blind as well (Okabe and Ito)."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of the figure: a unit of a person."""

    track: Track
    unit: str
    colour: str
    first: bool


def most_active(tracks: Sequence[Track], rule: EventRule, count: int) -> list[str]:
    """The units with the longest time in events, in the order of the table.

    Where nothing happens these are those with the highest values.
    """
    order = {unit: i for i, unit in enumerate(dict.fromkeys(u for t in tracks for u in t.units))}

    def activity(unit: str) -> tuple[float, float]:
        own = [track for track in tracks if unit in track.units]
        found = [e for t in own for e in find_events(t.times, t.units[unit], rule)]
        peaks = [float(np.nanmax(t.units[unit])) for t in own if np.isfinite(t.units[unit]).any()]
        return sum(e.offset - e.onset for e in found), max(peaks, default=0.0)

    best = sorted(order, key=activity, reverse=True)[:count]
    return sorted(best, key=order.__getitem__)


def draw_timelines(
    tracks: Sequence[Track],
    path: Path,
    *,
    units: Sequence[str],
    rule: EventRule | None = None,
    title: str = "",
) -> None:
    """Draw a row for each unit of each person over one time axis, events shaded.

    A line breaks where the person is not seen for longer than `EventRule.longest_gap`.

    Args:
        tracks: the people, in the order in which they are drawn.
        path: .png, .svg or .pdf; appears whole or not at all.
        units: the units to draw, of those that a track has.
        rule: what counts as an event.
        title: above the whole.

    Raises:
        ValueError: there is nothing to draw, or the file has another suffix.
        ModuleNotFoundError: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: a drawing ends with {', '.join(FORMATS)}")
    lines = _lines(tracks, units)
    if not lines:
        raise ValueError("there is nothing to draw: nobody is seen")
    # Words stay words in an SVG, and the same table gives the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "norface", "font.size": 9}):
        figure = Figure(dpi=150)
        _draw(figure, lines, rule or EventRule(), title)
        part = path.with_name(path.name + ".part")
        kind = path.suffix.lower()[1:]
        dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
        try:
            figure.savefig(part, format=kind, metadata=dates[kind])
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _lines(tracks: Sequence[Track], units: Sequence[str]) -> list[_Line]:
    lines: list[_Line] = []
    for number, track in enumerate(tracks):
        own = [unit for unit in units if unit in track.units]
        colour = _COLOURS[number % len(_COLOURS)]
        lines += [_Line(track, unit, colour, unit == own[0]) for unit in own]
    return lines


def _draw(figure: Figure, lines: Sequence[_Line], rule: EventRule, title: str) -> None:
    tops, bottom = _places(figure, lines)
    width, height = figure.get_size_inches()
    left, right = _MARGINS["left"] / width, 1 - _MARGINS["right"] / width
    start = min(float(line.track.times[0]) for line in lines)
    stop = max(float(line.track.times[-1]) for line in lines)
    videos = list(dict.fromkeys(Path(line.track.input).name for line in lines))
    for line, top in zip(lines, tops, strict=True):
        axis = figure.add_axes(
            (left, (top - 0.88 * _ROW) / height, right - left, 0.88 * _ROW / height)
        )
        axis.set_xlim(start, stop if stop > start else start + 1)
        _draw_line(axis, line, rule)
        _label_time(axis, start, stop)
        if top > bottom:
            axis.tick_params(labelbottom=False)
            axis.set_xlabel("")
        if line.first:
            name = _person(line.track) if len(videos) == 1 else _name(line.track)
            axis.set_title(name, loc="right", fontsize=9, color=line.colour, pad=3)
    shown = title or (videos[0] if len(videos) == 1 else "")
    figure.text(left, 1 - 0.15 / height, shown, ha="left", va="top", fontsize=11)


def _places(figure: Figure, lines: Sequence[_Line]) -> tuple[list[float], float]:
    """Makes the figure as high as its rows need; the upper edge of each, and of the last."""
    depth = _MARGINS["top"]
    depths = []
    for number, line in enumerate(lines):
        depth += _BETWEEN_PEOPLE * _ROW if line.first and number else 0.0
        depths.append(depth)
        depth += _ROW
    height = depth + _MARGINS["bottom"]
    figure.set_size_inches(_WIDTH, height)
    return [height - each for each in depths], height - depths[-1]


def _draw_line(axis: Axes, line: _Line, rule: EventRule) -> None:
    times, values = line.track.times, line.track.units[line.unit]
    for event in find_events(times, values, rule):
        _draw_event(axis, event, line.colour)
    shown, drawn = _with_gaps(*_thinned(times, values), rule.longest_gap)
    axis.plot(shown, drawn, color=line.colour, linewidth=1.0)
    axis.fill_between(shown, 0, drawn, color=line.colour, alpha=0.25, linewidth=0)
    axis.set_ylim(0, MAXIMUM_INTENSITY)
    axis.set_yticks([0, MAXIMUM_INTENSITY], ["0", "5"], fontsize=6)
    # Inside the row, or the 0 of one would touch the 5 of the next.
    zero, five = axis.get_yticklabels()
    zero.set_verticalalignment("bottom")
    five.set_verticalalignment("top")
    axis.tick_params(axis="both", length=2)
    axis.grid(axis="x", color="0.9", linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    described = f"{line.unit} {action_unit(line.unit).description}".strip()
    axis.set_ylabel(described, rotation=0, ha="right", va="center", labelpad=10, fontsize=8)


def _draw_event(axis: Axes, event: Event, colour: str) -> None:
    axis.axvspan(event.onset, event.offset, color=colour, alpha=0.13, linewidth=0)
    axis.plot([event.apex], [event.peak], marker="v", markersize=3, color=colour, clip_on=False)


def _label_time(axis: Axes, start: float, stop: float) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    length = stop - start
    if length < 120:
        axis.set_xlabel("seconds")
        return
    hours = stop >= 3600

    def told(value: float, _: int | None = None) -> str:
        minutes, seconds = divmod(round(value), 60)
        if hours:
            return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
        return f"{minutes}:{seconds:02d}"

    step = next((step for step in _STEPS if length / step <= 10), _STEPS[-1])
    axis.xaxis.set_major_locator(MultipleLocator(step))
    axis.xaxis.set_major_formatter(FuncFormatter(told))
    axis.set_xlabel("hours:minutes:seconds" if hours else "minutes:seconds")


def _name(track: Track) -> str:
    return f"{Path(track.input).name}, {_person(track)}"


def _person(track: Track) -> str:
    return f"person {track.person}"


def _thinned(
    times: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Few enough points to draw: of each stretch its lowest and its highest."""
    if len(times) <= _POINTS:
        return times, values
    kept: list[int] = []
    for stretch in np.array_split(np.arange(len(times)), _POINTS // 2):
        own = values[stretch]
        if np.isfinite(own).any():
            kept += {int(stretch[np.nanargmin(own)]), int(stretch[np.nanargmax(own)])}
        else:
            kept.append(int(stretch[0]))
    chosen = np.array(sorted(kept))
    return times[chosen], values[chosen]


def _with_gaps(
    times: NDArray[np.float64], values: NDArray[np.float64], longest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same with a NaN in each gap, at which the line breaks."""
    # Thinned points of a long film lie further apart without anything missing.
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    breaks = np.flatnonzero(np.diff(times) > max(longest, 3 * step)) + 1
    middles = (times[breaks - 1] + times[breaks]) / 2
    return np.insert(times, breaks, middles), np.insert(values, breaks, np.nan)
