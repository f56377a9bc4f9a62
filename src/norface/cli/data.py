"""``norface data``: data sets as they were delivered."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import tyro
from rich.table import Table

from norface.cli.console import (
    SOME_FAILED,
    SUCCESS,
    WRONG_COMMAND,
    CommandError,
    messages,
    output,
    printable,
)
from norface.data.catalog import ADAPTERS, read_data_set
from norface.data.contact_sheet import contact_sheet
from norface.data.protocols import protocol, protocol_names
from norface.data.sample import DataError, DataSet
from norface.media.images import write_image

_TEXT = tyro.conf.arg(metavar="TEXT", help_behavior_hint="")

SetName: TypeAlias = Literal[
    "bp4d", "bp4d-plus", "disfa", "disfa-plus", "affectnet", "rafdb", "fer2013", "aff-wild2",
    "ck-plus", "table",
]  # fmt: skip


def check(
    name: Annotated[SetName, tyro.conf.Positional],
    /,
    *,
    root: Path,
    variant: Annotated[str | None, _TEXT] = None,
    out: Path = Path("samples.png"),
    pictures: int = 12,
    skip_missing: bool = False,
) -> int:
    """Read a data set as it was delivered, and say what was found.

    Prints what was found and what was left out and why, the people, and how often each label
    occurs, and draws a few samples with their labels. Nothing in DIR is changed. docs/data-sets.md
    shows the tree of each set, and so does the message when a part is missing.

    Args:
        name: The data set.
        root: Folder in which the parts of the set lie; for table the file.
        variant: Of sets that have several, such as the camera of disfa; else the first.
        out: Picture of a few samples.
        pictures: How many samples are drawn; 0 draws none.
        skip_missing: Count labelled pictures that are missing, instead of stopping at the first.
    """
    if pictures < 0:
        raise CommandError("--pictures must be at least 0.", code=WRONG_COMMAND)
    data = read_set(name, root, variant, skip_missing=skip_missing)
    _print_found(data)
    _print_units(data)
    _print_emotions(data)
    _print_protocols(data)
    if not pictures:
        return SUCCESS
    sheet = contact_sheet(data, pictures)
    try:
        write_image(out, sheet.image)
    except (OSError, ValueError) as error:
        raise CommandError(f"{out} cannot be written: {error}") from error
    output().print(f"-> {out}", soft_wrap=True)
    for problem in sheet.unreadable:
        messages().print(problem, style="red")
    return SOME_FAILED if sheet.unreadable else SUCCESS


def read_set(
    name: str, root: Path, variant: str | None = None, *, skip_missing: bool = False
) -> DataSet:
    """A data set that the user named; what is wrong with it is told as a fault of the command."""
    try:
        return read_data_set(name, root, variant, skip_missing=skip_missing)
    except DataError as error:
        raise CommandError(str(error)) from error
    except ValueError as error:
        raise CommandError(f"{error}.", code=WRONG_COMMAND) from error


def _print_found(data: DataSet) -> None:
    out = output()
    table = _table(ADAPTERS[data.name].title, "")
    table.add_row("labelled samples", _count(len(data)))
    clips = {(s.subject, s.sequence) for s in data.samples if s.sequence}
    files = {s.path for s in data.samples}
    table.add_row("files", _count(len(files)))
    table.add_row("people", _count(len(data.subjects)) if data.subjects else "not recorded")
    if clips:
        table.add_row("sequences", _count(len(clips)))
    for split in sorted({s.split for s in data.samples} - {""}):
        table.add_row(f"split {split}", _count(sum(s.split == split for s in data.samples)))
    for reason, count in data.skipped.items():
        table.add_row(f"skipped: {reason}", _count(count), style="yellow")
    table.add_row("fingerprint", data.fingerprint()[:16])
    out.print(table)
    for note in data.notes:
        out.print(note)
    if data.subjects:
        out.print(f"People: {printable(', '.join(data.subjects))}")


def _print_units(data: DataSet) -> None:
    presence, intensity = data.presence_counts(), data.intensity_counts()
    if not presence and not intensity:
        return
    out = output()
    out.print()
    levels = [f"at {level}" for level in range(6)] if intensity else []
    columns = ["absent", "present", "share"] if presence else []
    table = _table("unit", *columns, *levels)
    for unit in data.units:
        cells = []
        if presence:
            counts = presence.get(unit, Counter())
            absent, present = counts[0], counts[1]
            known = absent + present
            cells += [_count(absent), _count(present)] if known else ["-", "-"]
            cells.append(f"{present / known:.1%}" if known else "-")
        if intensity:
            strong = intensity.get(unit)
            cells += [_count(strong[level]) if strong else "-" for level in range(6)]
        table.add_row(unit, *cells)
    out.print(table)


def _print_emotions(data: DataSet) -> None:
    out = output()
    emotions = data.emotion_counts()
    if emotions:
        splits = sorted({s.split for s in data.samples} - {""})
        table = _table("emotion", "samples", "share", *splits)
        for emotion, count in emotions.most_common():
            parts = [
                _count(sum(s.emotion == emotion and s.split == split for s in data.samples))
                for split in splits
            ]
            table.add_row(emotion, _count(count), f"{count / emotions.total():.1%}", *parts)
        out.print()
        out.print(table)
    spread = sum(s.emotion_distribution is not None for s in data.samples)
    if spread:
        out.print(f"{_count(spread)} samples have a distribution over the emotions.")
    for name in ("valence", "arousal"):
        values = [v for s in data.samples if (v := getattr(s, name)) is not None]
        if values:
            mean = sum(values) / len(values)
            out.print(
                f"{name}: {_count(len(values))} samples, {min(values):.2f} to {max(values):.2f}, "
                f"mean {mean:.2f}"
            )


def _print_protocols(data: DataSet) -> None:
    """Which protocols the set can be divided by, and what stands against it."""
    out = output()
    fitting = [
        p
        for p in map(protocol, protocol_names())
        if p.data_set == data.name and p.variant in (None, data.variant)
    ]
    if not fitting:
        return
    out.print()
    table = _table("protocol", "test", "train", left=("",))
    for one in fitting:
        try:
            divisions = one.divide(data)
        except DataError as error:
            problem = str(error).removeprefix(f"{data.root} ")
            table.add_row(one.name, "-", "-", printable(problem))
            continue
        test = " + ".join(_count(len(d.test)) for d in divisions)
        train = " + ".join(_count(len(d.train)) for d in divisions)
        table.add_row(one.name, test, train, "")
    out.print(table)


def _table(first: str, *others: str, left: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")
    for name in left:
        table.add_column(name)
    return table


def _count(number: int) -> str:
    return f"{number:,}"
