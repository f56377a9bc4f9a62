"""``norface plot``: timelines of a video's table, and its events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import tyro

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, output, printable
from norface.facs import PRESENCE_INTENSITY
from norface.tables.events import EventRule, write_events
from norface.tables.opening import TABLES
from norface.tables.part_file import TableError
from norface.tables.timelines import FORMATS, draw_timelines, most_active
from norface.tables.tracks import Track, read_tracks

_UNITS_DRAWN: Final = 8
_PEOPLE_DRAWN: Final = 4
_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_NAMES = tyro.conf.arg(metavar="NAME ...", help_behavior_hint="")
_SECONDS = tyro.conf.arg(metavar="SECONDS", help_behavior_hint="")


def plot(
    table: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TABLE")],
    /,
    *,
    out: Annotated[Path, tyro.conf.arg(metavar="PNG|SVG|PDF")] = Path("timelines.png"),
    units: Annotated[tuple[str, ...], _NAMES] = (),
    person: Annotated[tuple[str, ...], _NAMES] = (),
    video: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None,
    start: Annotated[float | None, _SECONDS] = None,
    stop: Annotated[float | None, _SECONDS] = None,
    on: float = PRESENCE_INTENSITY,
    off: Annotated[float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="")] = None,
    minimum_duration: Annotated[float, tyro.conf.arg(metavar="SECONDS")] = 0.1,
    events: Annotated[Path | None, _PATH] = None,
    overwrite: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False,
) -> int:
    """Draw the action units of a video over time, with their events shaded.

    Reads norface's tables (CSV, JSON lines, Parquet), OpenFace's and Py-Feat's, also while they are
    being written.

    Args:
        table: The table of a video, such as results/faces.csv.
        out: The drawing.
        units: Action units to draw, such as AU06 AU12; default: the 8 that are active longest.
        person: The face_id of the people to draw; default: the 4 that are seen longest.
        video: Draw this one of a table of several; its input, or the end of it.
        start: Leave out what is earlier.
        stop: Leave out what is later.
        on: An event reaches this intensity, 0 to 5.
        off: And lasts until the intensity is under this one; default: half of --on.
        minimum_duration: Shorter events are left out.
        events: Also write the events of all people and units drawn as a table, .csv, .jsonl or
            .parquet.
        overwrite: Replace files of these names.

    Returns:
        The exit code.
    """
    _check(out, events, overwrite=overwrite)
    rule = _rule(on, off, minimum_duration)
    try:
        tracks = read_tracks(table, _known(units) or None)
    except TableError as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    tracks = _chosen(tracks, table, video=video, people=person, start=start, stop=stop)
    drawn = list(_known(units)) or most_active(tracks, rule, _UNITS_DRAWN)
    try:
        draw_timelines(tracks, out, units=drawn, rule=rule)
        told = [f"{_count(len(tracks), 'person', 'people')}, {', '.join(drawn)} -> {out}"]
        if events is not None:
            found = write_events(tracks, events, units=drawn, rule=rule)
            where = f" -> {events}" if found else ": no table is written"
            told.append(f"{_count(found, 'event', 'events')}{where}")
    except ModuleNotFoundError as error:
        raise CommandError(
            f'Drawing needs {error.name}, which is not installed: pip install "norface[plot]"'
        ) from error
    except TableError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"Cannot write {error.filename}: {error.strerror}") from error
    for line in told:
        output().print(printable(line), soft_wrap=True)
    return SUCCESS


def _check(out: Path, events: Path | None, *, overwrite: bool) -> None:
    """Refuse wrong names before a long table is read."""
    for path, suffixes in ((out, FORMATS), (events, tuple(TABLES))):
        if path is None:
            continue
        if path.suffix.lower() not in suffixes:
            raise CommandError(f"{path} must end with {', '.join(suffixes)}.", code=WRONG_COMMAND)
        if path.exists() and not overwrite:
            raise CommandError(
                f"{path} exists. Choose another name, or replace it with --overwrite.",
                code=WRONG_COMMAND,
            )
        if not path.parent.is_dir():
            raise CommandError(f"There is no folder {path.parent}.", code=WRONG_COMMAND)


def _rule(on: float, off: float | None, minimum_duration: float) -> EventRule:
    try:
        return EventRule(
            on=on, off=on / 2 if off is None else off, minimum_duration=minimum_duration
        )
    except ValueError as error:
        raise CommandError(f"{error}.", code=WRONG_COMMAND) from error


def _known(units: Sequence[str]) -> tuple[str, ...]:
    """As the tables name them: AU6 and au06 are AU06."""
    known = []
    for unit in units:
        digits = unit.upper().removeprefix("AU")
        if not digits.isdecimal():
            raise CommandError(f"{unit!r} is no action unit, such as AU12.", code=WRONG_COMMAND)
        known.append(f"AU{int(digits):02d}")
    return tuple(dict.fromkeys(known))


def _chosen(
    tracks: Sequence[Track],
    table: Path,
    *,
    video: str | None,
    people: Sequence[str],
    start: float | None,
    stop: float | None,
) -> list[Track]:
    if not tracks:
        raise CommandError(f"{table} holds no face: there is nothing to draw.")
    inputs = list(dict.fromkeys(track.input for track in tracks))
    if video is not None:
        inputs = [name for name in inputs if name == video or name.endswith(video)]
    if len(inputs) != 1:
        listed = ", ".join(sorted({track.input for track in tracks})[:5])
        which = "holds several videos" if inputs else f"holds no video {video}"
        raise CommandError(
            f"{table} {which}: choose one with --video, such as {listed}", code=WRONG_COMMAND
        )
    own = [track for track in tracks if track.input == inputs[0]]
    if people:
        named = {track.person for track in own}
        missing = [name for name in people if name not in named]
        if missing:
            raise CommandError(
                f"{table} holds no person {', '.join(missing)}; it holds "
                f"{', '.join(sorted(named))}.",
                code=WRONG_COMMAND,
            )
        own = [track for track in own if track.person in people]
    cut = [part for part in (_within(track, start, stop) for track in own) if part is not None]
    if not cut:
        raise CommandError("Nobody is seen in that time.", code=WRONG_COMMAND)
    if not people:
        longest = sorted(cut, key=lambda track: len(track.times), reverse=True)[:_PEOPLE_DRAWN]
        cut = [track for track in cut if any(track is each for each in longest)]
    return cut


def _within(track: Track, start: float | None, stop: float | None) -> Track | None:
    inside = np.ones(len(track.times), np.bool_)
    if start is not None:
        inside &= track.times >= start
    if stop is not None:
        inside &= track.times <= stop
    if not inside.any():
        return None
    units = {unit: values[inside] for unit, values in track.units.items()}
    return Track(track.input, track.person, track.times[inside], units)


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
