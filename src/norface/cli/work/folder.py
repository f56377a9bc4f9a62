"""The ledger of a run: a folder of files that each are there whole or not at all."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from norface.cli.console import WRONG_COMMAND, CommandError
from norface.cli.folder_lock import FolderLock
from norface.cli.plan import Planned
from norface.cli.work.units import Unit, WorkSettings
from norface.results import FrameAnalysis
from norface.runtime.records import Record, RecordError, load_record, save_record, write_whole
from norface.runtime.sessions import Weights

_FORMAT: Final = 2


@dataclass(slots=True)
class Done:
    """What became of a unit.

    Attributes:
        pictures, frames, faces, without_face: how many.
        people: numbers that the faces of a video have.
        errors: (input, reason) of what could not be read.
    """

    pictures: int = 0
    frames: int = 0
    faces: int = 0
    without_face: int = 0
    people: int = 0
    errors: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Done:
        """What was written as plain values."""
        errors = [(name, why) for name, why in said["errors"]]
        return cls(**{**{name: said[name] for name in cls.__slots__}, "errors": errors})

    def plain(self) -> dict[str, Any]:
        """Plain values, as for JSON."""
        return asdict(self)

    def add(self, other: Done) -> None:
        """Count what became of more of the same."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class WorkFolder:
    """The ledger, in a folder of its own among the results.

    Attributes:
        folder: where it is.
        lock: of the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = FolderLock(folder)

    @property
    def exists(self) -> bool:
        """Whether there is one: a run was begun here, and not completed."""
        return self._plan.exists()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was recorded yet."""
        return not any(self.folder.glob("unit-*"))

    @property
    def _plan(self) -> Path:
        return self.folder / "work.json"

    def parts(self, unit: Unit) -> Iterator[Path]:
        """The records of a unit, in order; those that are there."""
        number = 0
        while (path := self.part(unit, number)).exists():
            yield path
            number += 1

    def sound(self, unit: Unit) -> list[Record]:
        """What is recorded of a unit, without its frames; from a damaged record on, all go."""
        found: list[Record] = []
        parts = list(self.parts(unit))
        for path in parts:
            try:
                found.append(Record((), {**load_record(path).about}))
            except RecordError:
                # The last first: what is left must never have a gap.
                for bad in reversed(parts[len(found) :]):
                    bad.unlink()
                break
        return found

    def save(
        self,
        unit: Unit,
        number: int,
        frames: Sequence[FrameAnalysis],
        about: Mapping[str, Any],
        *,
        landmarks: bool,
    ) -> Path:
        """Record the next piece of a unit."""
        path = self.part(unit, number)
        save_record(path, frames, about, landmarks=landmarks)
        return path

    def done(self, unit: Unit) -> Done | None:
        """What became of a unit; None if it is not done."""
        try:
            return Done.of(json.loads(self._done(unit).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            self._done(unit).unlink()
            return None

    def finish(self, unit: Unit, done: Done) -> Path:
        """Note that a unit is done."""
        path = self._done(unit)
        write_whole(path, json.dumps(done.plain()).encode())
        return path

    def forget(self, unit: Unit) -> None:
        """A unit has to be done again: one of its records cannot be read."""
        self._done(unit).unlink(missing_ok=True)
        self.sound(unit)

    def begin(
        self, settings: WorkSettings, inputs: Sequence[Planned], *, anew: bool = False
    ) -> bool:
        """Start a ledger, or go on with the one that is here; whether it is the latter.

        Args:
            settings: of the run.
            inputs: of the run, in order.
            anew: forget the one that is here.

        Raises:
            CommandError: what is here is of another command or of other inputs; the message says
                what differs.
            OSError: the folder cannot be written to.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock.hold()
        if anew:
            self._clear()
        now = {"format": _FORMAT, "options": _options(settings), "inputs": _inputs(inputs)}
        if self.exists:
            difference = self._difference(now)
            if difference:
                raise CommandError(
                    f"{self.folder.parent} holds an unfinished run that cannot be gone on with: "
                    f"{difference}. Choose another folder with --out, or begin anew with "
                    "--overwrite.",
                    code=WRONG_COMMAND,
                )
            return True
        write_whole(self._plan, json.dumps(now).encode())
        return False

    def remove(self) -> None:
        """Remove the ledger."""
        self._clear()
        self.lock.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _clear(self) -> None:
        # First what makes it a ledger, so that half of it never counts.
        self._plan.unlink(missing_ok=True)
        for path in self.folder.glob("unit-*"):
            path.unlink()

    def _difference(self, now: Mapping[str, Any]) -> str:
        try:
            then = json.loads(self._plan.read_text(encoding="utf-8"))
            if then["format"] != now["format"]:
                return "another version of norface wrote it"
            for name, value in now["options"].items():
                if then["options"].get(name) != value:
                    return (
                        f"--{name.replace('_', '-')} was {then['options'].get(name)}, now {value}"
                    )
            before = {name: about for name, *about in then["inputs"]}
            after = {name: about for name, *about in now["inputs"]}
        except (ValueError, KeyError, TypeError, AttributeError):
            return "its ledger is damaged"
        for name, about in after.items():
            if name not in before:
                return f"{name} was not among its inputs"
            if before[name] != about:
                return f"{name} has changed since"
        gone = next((name for name in before if name not in after), None)
        if gone is not None:
            return f"{gone} was among its inputs, and is not any more"
        return "" if list(before) == list(after) else "its inputs were in another order"

    def part(self, unit: Unit, number: int) -> Path:
        """The record of this number of a unit, there or not."""
        return self.folder / f"unit-{unit.index:06d}-{number:04d}.npz"

    def _done(self, unit: Unit) -> Path:
        return self.folder / f"unit-{unit.index:06d}.json"


def _options(settings: WorkSettings) -> dict[str, Any]:
    # The very files, for other weights may lie under the same name.
    weights = Weights(settings.weights).manifest.hashes
    return {**settings.compared(), "weights": [settings.weights, weights]}


def _inputs(inputs: Sequence[Planned]) -> list[list[Any]]:
    found: list[list[Any]] = []
    for each in inputs:
        size: int | None = None
        time: int | str | None = None
        if each.remote is not None:
            size, time = each.remote.size, each.remote.version
        elif not each.source:
            with contextlib.suppress(OSError):
                status = each.path.stat()
                size, time = status.st_size, status.st_mtime_ns
        # Names may hold bytes that are no text.
        found.append([each.input.encode("utf-8", "backslashreplace").decode(), size, time])
    return found
