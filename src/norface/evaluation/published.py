"""Figures that were published for a protocol, to stand beside ours: `published.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

SYSTEM: Final = "Norface"
"""The paper whose figures stand in our tables' own column."""

MEAN: Final = "mean"
"""As a label: all labels together."""


@dataclass(frozen=True, slots=True)
class Published:
    """One published figure.

    Attributes:
        protocol: as in `norface.data.protocols`.
        system: whose it is.
        label: a unit, or `MEAN`.
        metric: as in `norface.evaluation.scores`.
        value: as printed.
        scale: what to divide it by to compare it with ours: 100 for percent.
        note: what to know about it.
    """

    protocol: str
    system: str
    label: str
    metric: str
    value: float
    scale: float
    note: str

    @property
    def comparable(self) -> float:
        """On the scale of our metrics."""
        return self.value / self.scale


def published(protocol: str) -> tuple[Published, ...]:
    """Everything known for a protocol; empty when nothing is."""
    rows = [Published(**row) for row in _content()["figures"]]
    return tuple(row for row in rows if row.protocol == protocol)


def published_figure(protocol: str, metric: str, label: str = MEAN) -> Published | None:
    """The paper's own figure, or None where it is not known."""
    for row in published(protocol):
        if (row.system, row.metric, row.label) == (SYSTEM, metric, label):
            return row
    return None


def published_source() -> str:
    """Where the figures are from, in words."""
    return str(_content()["source"])


def published_caution(protocol: str) -> str:
    """What to keep in mind when comparing; "" for nothing."""
    return str(_content()["cautions"].get(protocol, ""))


@lru_cache(maxsize=1)
def _content() -> dict[str, Any]:
    text = files("norface.evaluation").joinpath("published.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
