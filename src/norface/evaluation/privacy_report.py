"""The privacy report as Markdown and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from norface.evaluation.fidelity import UNIT_METRICS, Fidelity
from norface.evaluation.privacy import Privacy
from norface.evaluation.report.markdown import table_lines
from norface.evaluation.report.tables import METRIC_TITLES, Cell, Table, interval, number
from norface.evaluation.scores import Figure
from norface.facs import EMOTIONS

_LAYOUT: Final = "norface-privacy-1"

_SEVERAL: Final = (
    "Of each person one picture is known by name; the others are to be found. So the expression "
    "differs as it does between the pictures of this set."
)
_ONE: Final = (
    "There is one picture of each person, so what is known and what is to be found come from the "
    "same photo and show the same expression. Normalization keeps the expression, so the figures "
    "of *both normalized* are a worst case: they tell how well a photo leads to its normalized "
    "twin, not how well other photos of a person do."
)


def write_report(privacy: Privacy, facts: Iterable[tuple[str, str]], folder: Path) -> list[Path]:
    """Write ``privacy.md`` and ``privacy.json``, each whole or not at all.

    Args:
        privacy: what was measured.
        facts: of what and with what, by name.
        folder: made where it is missing.
    """
    named = list(facts)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "privacy.md": markdown(privacy, named),
        "privacy.json": json.dumps(as_json(privacy, named), indent=1, allow_nan=False) + "\n",
    }
    for name, text in texts.items():
        part = folder / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / name)
    return [folder / name for name in texts]


def markdown(privacy: Privacy, facts: Iterable[tuple[str, str]]) -> str:
    """The report for readers."""
    lines = ["# Privacy and fidelity", ""]
    lines += [f"- {name}: {value}" for name, value in facts]
    lines += [
        "",
        "## Are people known again?",
        "",
        _SEVERAL if privacy.several else _ONE,
        "",
        *table_lines(_attempts(privacy)),
        "",
        "*Found first*: the right person is the most alike of all who are known. *Among five*: of "
        "the five most alike. *Verified*: a pair of one person passes a threshold that a hundredth "
        "of the pairs of two people pass. *Above another*: the right person is more alike than "
        "another one drawn at random. Each person counts once; brackets hold 95 % intervals, as "
        "other people would have given them.",
        "",
        "*both normalized* is the attack of somebody who has photos of the people and normalizes "
        "them with the same tool. What no figure here covers: names of files, voices, places, "
        "clothes in what is published beside the normalized pictures; and stronger networks.",
        "",
        "## Is the expression kept?",
        "",
        "The same networks read each face before and after.",
    ]
    if privacy.fidelity.units:
        lines += ["", *table_lines(_units(privacy.fidelity))]
    if privacy.fidelity.emotion is not None:
        lines += ["", *_emotions(privacy.fidelity)]
    return "\n".join(lines) + "\n"


def _attempts(privacy: Privacy) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(attempt.name, kind="name"),
            Cell(attempt.words, kind="name"),
            _cell(attempt.result.first),
            _cell(attempt.result.first_five),
            _cell(attempt.result.verified),
            _cell(attempt.result.above),
        )
        for attempt in privacy.attempts
    ]
    one = privacy.attempts[0].result
    chance = (number(one.chance), number(min(1.0, 5 * one.chance)), "0.010", "0.500")
    rows.append((Cell("by chance", kind="name"), Cell("", kind="name"), *map(Cell, chance)))
    header = ("who is sought", "how", "found first", "among five", "verified", "above another")
    return Table("Attempts", header, tuple(rows))


def _units(found: Fidelity) -> Table:
    rows = [
        (
            Cell(f"{name} *" if unit.seldom else name, kind="name"),
            Cell(f"{unit.before:.2f}"),
            Cell(f"{unit.after:.2f}"),
            *(_cell(unit.figures[metric]) for metric in UNIT_METRICS),
        )
        for name, unit in found.units.items()
    ]
    means = [number(found.mean[metric]) for metric in UNIT_METRICS]
    rows.append((Cell("mean", kind="name"), Cell(""), Cell(""), *map(Cell, means)))
    header = ("unit", "mean before", "mean after", *(METRIC_TITLES[m] for m in UNIT_METRICS))
    notes: tuple[str, ...] = (
        "Intensities from 0 to 5. ICC(3,1) forgives a constant shift, ICC(2,1) does not.",
    )
    if any(unit.seldom for unit in found.units.values()):
        notes += (
            "\\* hardly varies in these pictures (standard deviation before under 0.25), so its "
            "correlation says little; left out of the mean.",
        )
    return Table("Units", header, tuple(rows), notes)


def _emotions(found: Fidelity) -> list[str]:
    assert found.emotion is not None
    used = [
        i for i in range(len(EMOTIONS)) if found.confusion[i].sum() + found.confusion[:, i].sum()
    ]
    rows = [
        (Cell(EMOTIONS[i], kind="name"), *(Cell(str(int(found.confusion[i, j]))) for j in used))
        for i in used
    ]
    table = Table("Emotions", ("before \\ after", *(EMOTIONS[i] for i in used)), tuple(rows))
    return [
        f"The most probable emotion is the same in {number(found.emotion.value)} of the faces "
        f"{interval(found.emotion)}; Cohen's kappa is {number(found.kappa)}.",
        "",
        *table_lines(table),
    ]


def _cell(figure: Figure) -> Cell:
    return Cell(number(figure.value), interval(figure))


def as_json(privacy: Privacy, facts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The report for programs; what is undefined is null."""
    found = privacy.fidelity
    plain: dict[str, Any] = _plain(
        {
            "layout": _LAYOUT,
            "facts": dict(facts),
            "pictures": privacy.pictures,
            "people": privacy.people,
            "several_pictures_of_a_person": privacy.several,
            "without_face": privacy.without_face,
            "attempts": [
                {"name": attempt.name, "words": attempt.words, **asdict(attempt.result)}
                for attempt in privacy.attempts
            ],
            "fidelity": {
                "faces": found.faces,
                "units": {
                    name: {
                        "mean_before": unit.before,
                        "mean_after": unit.after,
                        "seldom": unit.seldom,
                        **{metric: asdict(figure) for metric, figure in unit.figures.items()},
                    }
                    for name, unit in found.units.items()
                },
                "mean": dict(found.mean),
                "emotion_agreement": None if found.emotion is None else asdict(found.emotion),
                "emotion_kappa": found.kappa,
                "emotions": list(EMOTIONS),
                "emotion_confusion": found.confusion.tolist(),
            },
        }
    )
    return plain


def _plain(value: Any) -> Any:
    """The same without NaN."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
