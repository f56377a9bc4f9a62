"""The units that a run's work is cut into, and all that one has to know to be done anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from norface.cli.plan import Plan, Planned
from norface.cli.results_folder import ResultsFolder
from norface.faces.smoothing import Mode
from norface.runtime.analyzer import Norface
from norface.runtime.corrections import BaselineMode
from norface.runtime.following import People
from norface.runtime.providers import Device
from norface.runtime.video_reading import Selection

PICTURES_A_UNIT: Final = 64
"""Some seconds of work: little is lost when a process dies, and little is spent on the ledger."""

Normalized = Literal["pictures", "all", "none"]
Engine = Literal["local", "ray"]
Columns = Literal["norface", "openface", "py-feat"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of work: pictures that follow each other in the list, or one video.

    Attributes:
        index: its place in the list of units.
        first: the place of its first picture in the list of pictures.
        pictures: none for a video.
        video: None for pictures.
    """

    index: int
    first: int = 0
    pictures: tuple[Planned, ...] = ()
    video: Planned | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSettings:
    """What is to be done with every unit; small, and the same for all.

    Attributes:
        results: where everything goes.
        weights, target, minimum_face_width, minimum_confidence, device: see `Norface.load`.
        selection: which frames of videos.
        people, smoothing, baseline: see `Norface.analyze_video`.
        columns: style of the tables.
        events: whether videos get a table of events.
        normalized: whose normalized faces are saved.
        pictures: whether slides are drawn, and annotated videos.
        threads: of the networks; None for every core. Changes no result.
    """

    results: ResultsFolder
    weights: str | None = None
    target: Path | None = None
    minimum_face_width: float = 32.0
    minimum_confidence: float = 0.5
    device: Device = "auto"
    selection: Selection = field(default_factory=Selection)
    people: People = "track"
    smoothing: Mode = "off"
    baseline: BaselineMode = "off"
    columns: Columns = "norface"
    events: bool = False
    normalized: Normalized = "pictures"
    pictures: bool = False
    threads: int | None = None

    @property
    def keeps_landmarks(self) -> bool:
        """Whether the table needs them."""
        return self.columns != "norface"

    def load(self) -> Norface:
        """The analyzer that these settings ask for."""
        return Norface.load(
            weights=self.weights,
            target=self.target,
            minimum_confidence=self.minimum_confidence,
            minimum_face_width=self.minimum_face_width,
            threads=self.threads,
            device=self.device,
        )

    def compared(self) -> dict[str, Any]:
        """What results depend on, as plain values: another run may go on only if it is equal."""
        values = asdict(self)
        del values["results"], values["threads"]
        values["target"] = None if self.target is None else self.target.as_posix()
        return {**values.pop("selection"), **values, "table": self.results.suffix}


def cut_into_units(planned: Plan) -> list[Unit]:
    """The units of a plan, always the same for the same plan: pictures first, then videos."""
    pictures: Sequence[Planned] = planned.pictures
    starts = range(0, len(pictures), PICTURES_A_UNIT)
    units = [
        Unit(i, start, tuple(pictures[start : start + PICTURES_A_UNIT]))
        for i, start in enumerate(starts)
    ]
    units += [Unit(len(units) + i, video=video) for i, video in enumerate(planned.videos)]
    return units
