"""Scores as JSON for programs and as Markdown for people."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

from norface.evaluation.synfacs.scores import METRICS, Group, Mean, Scores

_NAMES: Final = {"f1": "F1", "f1_all": "F1 all", "icc": "ICC(3,1)", "mae": "MAE", "mse": "MSE"}
_UNIT_METRICS: Final = ("f1", "icc", "mae", "mse")


def write_results(scores: Scores, out: Path, *, about: dict[str, Any]) -> None:
    """Write ``results.json`` and ``report.md`` into a folder.

    Args:
        scores: what to write.
        out: the folder; must exist.
        about: what was scored, for the head of both.
    """
    content = {
        "protocol": scores.benchmark,
        "split": scores.split,
        **about,
        "notes": list(scores.notes),
        "all": _group(scores.whole),
        "strata": {
            factor: {level: _group(group, units=False) for level, group in levels.items()}
            for factor, levels in scores.strata.items()
        },
    }
    (out / "results.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (out / "report.md").write_text(markdown(scores, about=about), encoding="utf-8")


def markdown(scores: Scores, *, about: dict[str, Any]) -> str:
    """The report: the means, each unit, each stratum."""
    whole = scores.whole
    lines = [f"# {scores.benchmark}, {scores.split}", ""]
    lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in about.items()]
    lines += [
        f"- pictures: {whole.pictures} of {whole.people} people; a face was found in {whole.found} "
        f"({whole.detection_rate:.1%})",
        "- a picture without a found face counts as missing, in F1 all as one that shows nothing",
        "- in brackets: 95 % interval over people",
    ]
    lines += [f"- {note}" for note in scores.notes]
    lines += ["", "## Means over the units", ""]
    lines += ["| metric | mean | units without a value |", "|---|---|---|"]
    for metric in METRICS:
        mean = whole.means[metric]
        lines.append(f"| {_NAMES[metric]} | {_with_interval(mean)} | {mean.undefined} |")
    lines += ["", "## Units", ""]
    lines += [_row("unit", "shown in", *(_NAMES[m] for m in _UNIT_METRICS)), "|---" * 6 + "|"]
    for name, unit in whole.units.items():
        values = (_number(unit[metric]) for metric in _UNIT_METRICS)
        lines.append(_row(name, f"{unit['positives']:.0f}", *values))
    for factor, levels in scores.strata.items():
        lines += ["", f"## By {factor}", ""]
        lines += [
            _row(factor, "pictures", "found", *(_NAMES[m] for m in METRICS)),
            "|---" * 8 + "|",
        ]
        for level, group in levels.items():
            means = (_with_interval(group.means[metric]) for metric in METRICS)
            lines.append(_row(level, str(group.pictures), f"{group.detection_rate:.1%}", *means))
    return "\n".join(lines) + "\n"


def _group(group: Group, *, units: bool = True) -> dict[str, Any]:
    content: dict[str, Any] = {
        "pictures": group.pictures,
        "people": group.people,
        "found": group.found,
        "detection_rate": _json(group.detection_rate),
        "mean": {
            metric: {
                "value": _json(mean.value),
                "low": _json(mean.low),
                "high": _json(mean.high),
                "undefined": mean.undefined,
            }
            for metric, mean in group.means.items()
        },
    }
    if units:
        content["units"] = {
            name: {metric: _json(value) for metric, value in unit.items()}
            for name, unit in group.units.items()
        }
    return content


def _json(value: float) -> float | None:
    """Rounded; null for what JSON has no number for."""
    return None if math.isnan(value) else round(value, 5)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _with_interval(mean: Mean) -> str:
    if math.isnan(mean.value):
        return "-"
    return f"{mean.value:.3f} [{_number(mean.low)}, {_number(mean.high)}]"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
