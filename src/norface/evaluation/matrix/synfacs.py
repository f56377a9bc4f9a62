"""The benchmark synfacs as a data set, so that it can stand beside others.

Its own protocol, `norface.evaluation.synfacs`, has strata and counts pictures without a found face;
here its units and emotions are scored as those of any set.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from norface.data.protocols import Protocol
from norface.data.sample import DataSet, Sample
from norface.evaluation.synfacs.tables import BenchmarkError, read_truth
from norface.facs import ACTION_UNIT_NAMES, EMOTIONS, MAXIMUM_INTENSITY, PRESENCE_INTENSITY

SYNFACS: Final = "synfacs-v1"
_SOURCE: Final = "ours: docs/synfacs.md, without its strata"


def synfacs_protocols() -> tuple[Protocol, ...]:
    """Presence and intensity of all units, and the emotions whose prototypes are shown."""
    return (
        Protocol(
            name=f"{SYNFACS}-detection", title="synfacs-v1, units present", data_set=SYNFACS,
            task="presence", labels=ACTION_UNIT_NAMES, active_from=PRESENCE_INTENSITY,
            source=_SOURCE,
        ),
        Protocol(
            name=f"{SYNFACS}-intensity", title="synfacs-v1, intensity of units", data_set=SYNFACS,
            task="intensity", labels=ACTION_UNIT_NAMES, source=_SOURCE,
        ),
        Protocol(
            name=f"{SYNFACS}-emotion", title="synfacs-v1, prototypes of emotions",
            data_set=SYNFACS, task="emotion", labels=EMOTIONS,
            source=f"{_SOURCE}; the faces that show a prototype of an emotion",
        ),
    )  # fmt: skip


def read_synfacs(root: Path, split: str) -> DataSet:
    """A split of the rendered benchmark.

    Args:
        root: its folder.
        split: train, validation or test.

    Raises:
        BenchmarkError: it is not there, not finished, or of another version.
    """
    truth = read_truth(root, split)
    if truth.benchmark != SYNFACS:
        raise BenchmarkError(f"{root} holds {truth.benchmark}, not {SYNFACS}.")
    with (truth.folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    samples = []
    for row, name, person, values in zip(
        rows, truth.inputs, truth.person, truth.intensity, strict=True
    ):
        emotion = row.get("emotion") or None
        samples.append(
            Sample(
                path=truth.folder / str(name),
                subject=str(person),
                sequence=row.get("expression", ""),
                intensity={
                    unit: min(float(value), MAXIMUM_INTENSITY)
                    for unit, value in zip(ACTION_UNIT_NAMES, values, strict=True)
                },
                emotion=emotion if emotion in EMOTIONS else None,
                split=split,
            )
        )
    return DataSet(name=SYNFACS, variant=split, root=root, samples=tuple(samples))
