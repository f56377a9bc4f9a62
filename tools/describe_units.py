"""Write docs/action-units.md: the action units, their facial actions and what those move.

python tools/describe_units.py
"""

from __future__ import annotations

from pathlib import Path

from norface.facs import ACTION_UNITS
from norface.synthesis.body.head import head_model
from norface.synthesis.expressions.units import (
    ACTION_SOURCE,
    FACS_CHAPTERS,
    LIP_GAP_AT_MAXIMUM,
    LIP_GAP_CLOSED,
    NOT_SHOWN,
    REMARKS,
    lip_gap_millimetres,
    movement,
)

OUT = Path(__file__).parents[1] / "docs/action-units.md"

HEAD = """# Action units of the synthetic faces

Written by `tools/describe_units.py` from `norface.synthesis.expressions.units`.

An action unit's intensity is five times the mean activation of its facial actions, so that the
FACS letters A to E stand at activations 0.2 to 1. This scale is a convention of ours: FACS coders
judge by appearance. Displacements are those of the mean head with all of the unit's actions at full
strength (intensity 5): *peak* of the vertex that moves farthest, *mean* over the area that moves at
least a tenth of that.

The units are those of the FACS manual (Ekman, Friesen & Hager, *Facial Action Coding System*,
2002), by chapter. The facial actions are named as in Apple's documentation of
{source}; which unit an action shows is our
reading of both descriptions.

| unit | name | facial actions | FACS chapter | peak mm | mean mm | remarks |
|---|---|---|---|---|---|---|
"""


def text() -> str:
    """The whole document."""
    head = head_model()
    chapter = {unit: number for number, units in FACS_CHAPTERS.items() for unit in units}
    lines = [HEAD.format(source=ACTION_SOURCE)]
    for unit in ACTION_UNITS:
        names = tuple(dict.fromkeys((*unit.left, *unit.right)))
        moved = movement(head, names) if names else None
        peak, mean = (f"{moved.peak:.1f}", f"{moved.mean:.1f}") if moved else ("", "")
        lines.append(
            f"| {unit.name} | {unit.description} | {', '.join(names) or 'none'} | "
            f"{chapter[unit.name]} | {peak} | {mean} | {REMARKS.get(unit.name, '')} |\n"
        )
    lines.append(
        "\n## Lips part (AU25)\n\nAU25 is the gap between the inner lips at the midline, whatever "
        f"opens it: {LIP_GAP_CLOSED} of the\ndistance between the eyes or less is 0, "
        f"{LIP_GAP_AT_MAXIMUM} is 5, linear between. Gap of the mean head in mm:\n\n"
        "| activation | jawOpen | jawOpen and mouthClose alike |\n|---|---|---|\n"
    )
    for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        alone = lip_gap_millimetres(head, jawOpen=value)
        closed = lip_gap_millimetres(head, jawOpen=value, mouthClose=value)
        lines.append(f"| {value:.1f} | {alone:.1f} | {closed:.1f} |\n")
    both = {
        name: lip_gap_millimetres(head, **{f"{name}{side}": 1.0 for side in ("Left", "Right")})
        for name in ("mouthUpperUp", "mouthLowerDown")
    }
    both["mouthFunnel"] = lip_gap_millimetres(head, mouthFunnel=1.0)
    gaps = ", ".join(f"{name} {gap:.1f} mm" for name, gap in both.items())
    lines.append(
        f"\nGap without the jaw: {gaps}.\nAU26 is the jaw's opening alone: lips closed over "
        "an open jaw show AU26 without AU25.\n"
    )
    lines.append("\n## What the head cannot show\n\n| unit | why |\n|---|---|\n")
    lines += [f"| {unit} | {why} |\n" for unit, why in NOT_SHOWN.items()]
    return "".join(lines)


if __name__ == "__main__":
    OUT.write_text(text())
