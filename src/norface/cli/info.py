"""``norface info``: the model card, or the sizes of a preset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.padding import Padding
from rich.text import Text

import norface
from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, output, printable
from norface.runtime.sessions import Weights


def info(
    *,
    weights: Path | None = None,
    preset: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None,
) -> int:
    """Print the model card: what the weights were trained on, what they can and cannot do.

    Args:
        weights: A folder of weights, or a name, in place of those that come with norface.
        preset: Print the parameters and operations of this preset's networks instead: tiny,
            small, base or large.
    """
    if preset is not None:
        return _print_costs(preset)
    opened = Weights(weights)
    manifest = opened.manifest
    out = output()
    out.print(Text(f"{manifest.name} {manifest.version}", style="bold"))
    out.print(f"norface {norface.__version__}, weights in {printable(str(opened.folder))}")
    for heading, content in manifest.card.items():
        out.print()
        out.print(Text(_title(heading), style="bold"))
        for depth, line in _lines(content):
            out.print(Padding(Text(line), (0, 0, 0, 2 + 2 * depth)))
    out.print()
    out.print(Text("Files", style="bold"))
    for name, file in manifest.files.items():
        missing = "" if name in opened else "  (not installed)"
        precision = f"  {file.precision}" if file.precision else ""
        size = f"{file.size / 1e6:8.2f} MB{precision}"
        out.print(f"  {name:<18}{size}  sha256 {file.sha256[:12]}{missing}")
    return SUCCESS


def _print_costs(preset: str) -> int:
    # Needs PyTorch, which the model card does not.
    from norface.models.cost import Part, preset_costs

    try:
        costs = preset_costs(preset)
    except ValueError as error:
        raise CommandError(f"{error}.", code=WRONG_COMMAND) from error
    out = output()
    out.print(Text(f"Preset {preset}, one face", style="bold"))
    for cost in costs:
        out.print()
        out.print(Text(cost.name, style="bold"))
        out.print(f"  {'':<46}{'parameters':>14}{'GFLOP':>10}")
        for part in (*cost.parts, Part("all", cost.parameters, cost.flops)):
            out.print(f"  {part.name:<46}{part.parameters:>14,}{part.flops / 1e9:>10.3f}")
    return SUCCESS


def _title(key: str) -> str:
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def _lines(content: Any, depth: int = 0) -> Iterator[tuple[int, str]]:
    """A card's free section as (depth, line)."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
                yield depth, f"{_title(str(key))}:"
                yield from _lines(value, depth + 1)
            else:
                yield depth, f"{_title(str(key))}: {value}"
    elif isinstance(content, Sequence) and not isinstance(content, str):
        for value in content:
            if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
                yield from _lines(value, depth + 1)
            else:
                yield depth, f"- {value}"
    else:
        yield depth, str(content)
