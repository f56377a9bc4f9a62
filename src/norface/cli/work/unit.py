"""One unit of work done, wherever that is: the function that every engine runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from norface.cli.work.folder import Done, WorkFolder
from norface.cli.work.originals import check_remotes
from norface.cli.work.pictures import analyze_pictures
from norface.cli.work.units import Unit, WorkSettings
from norface.cli.work.video import analyze_video
from norface.runtime.analyzer import Norface

Tell = Callable[[int, "int | None"], None]


def analyze_unit(
    unit: Unit,
    settings: WorkSettings,
    *,
    tell: Tell = lambda done, of: None,
    careful: bool = False,
    given_up: str = "",
) -> list[Path]:
    """Do a unit, or what is left of it, and note in the ledger that it is done.

    All arguments can be pickled, and the function keeps nothing but the networks, loaded once in a
    process. It may be called again for the same unit, at any time and anywhere, but not twice at
    once.

    Args:
        unit: what to read.
        settings: what to do with it.
        tell: is told how many pictures or frames are done, and of how many, if that is known.
        careful: note each picture at once.
        given_up: why no more of the unit is to be read, and what is recorded of it is all.

    Returns:
        The files that were written, the note in the ledger last.

    Raises:
        OSError: the results cannot be written.
        WeightsError, ImageError, ValueError: the settings cannot be used.
    """
    check_remotes(unit)
    work = WorkFolder(settings.results.work)
    norface = analyzer(settings)
    if unit.video is not None:
        done, files = analyze_video(unit, settings, norface, work, tell=tell, given_up=given_up)
    else:
        done, files = analyze_pictures(
            unit,
            settings,
            norface,
            work,
            tell=lambda count: tell(count, len(unit.pictures)),
            careful=careful,
        )
    return [*files, work.finish(unit, done)]


def give_up(unit: Unit, why: str, work: WorkFolder) -> str:
    """Stop trying what ended the processes that read it: the next picture, or all of a video.

    Returns:
        What the next process that does what is left is told.
    """
    if unit.video is not None:
        return why
    records = work.sound(unit)
    covered = sum(record.about["pictures"] for record in records)
    if covered < len(unit.pictures):
        done = Done(pictures=1, errors=[(unit.pictures[covered].input, why)])
        work.save(unit, len(records), [], done.plain(), landmarks=False)
    return ""


@lru_cache(maxsize=1)
def analyzer(settings: WorkSettings) -> Norface:
    """The networks of this process."""
    _loaded.append(settings.load())
    return _loaded[-1]


def close_analyzer() -> None:
    """Free the networks of this process."""
    if analyzer.cache_info().currsize:
        _loaded.pop().close()
    analyzer.cache_clear()


_loaded: list[Norface] = []
