"""The pictures of a matrix: pairs, labels, and the person in the readings."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from norface.evaluation.matrix.cells import Cell, Result
from norface.evaluation.matrix.run import Column, Matrix
from norface.evaluation.people import Shares, mean_shares
from norface.evaluation.people_compared import WAYS
from norface.evaluation.report.svg import Drawing, Scale
from norface.evaluation.report.tables import MAIN_METRIC, METRIC_TITLES
from norface.evaluation.scores import Figure

_SIDE: Final = 118
_TALL: Final = 66
_LABEL_ROW: Final = 23
_LEGEND: Final = 290
_ROW: Final = 24
_LETTER: Final = 7.0
_SERIES: Final = ("first", "second", "third", "fourth", "fifth", "sixth")
_INVERSE_FROM: Final = 0.55
_STATES: Final = {"none": "no label shared", "refused": "refused", "failed": "failed"}


def result_of(cell: Cell, column: Column) -> Result | None:
    """What a pair says on a column; None when it says nothing."""
    return next((r for r in cell.results if r.protocol == column.protocol.name and r.labels), None)


def pair_map(matrix: Matrix) -> Drawing:
    """Every pair's main figure, with its interval and how many labels it is over."""
    names = list(matrix.models)
    left = 24 + _LETTER * max(map(len, names))
    heads = [textwrap.wrap(column.test.name, 15) or [""] for column in matrix.columns]
    top = 34 + 15 * max(map(len, heads))
    width = left + max(_SIDE * len(matrix.columns), _LEGEND) + 12
    d = Drawing(width, top + _TALL * len(names) + 40, "Models by test sets")
    for j, (column, words) in enumerate(zip(matrix.columns, heads, strict=True)):
        x = left + _SIDE * (j + 0.5)
        for line, word in enumerate(words):
            d.text(x, top - 26 - 15 * (len(words) - 1 - line), word, anchor="middle")
        d.text(x, top - 9, metric_name(column), anchor="middle", kind="quiet")
        for i, name in enumerate(names):
            cell = matrix.cells[name, column.test.name]
            _pair(d, left + _SIDE * j, top + _TALL * i, name, cell, column)
    for i, name in enumerate(names):
        d.text(left - 12, top + _TALL * (i + 0.5) + 4, name, anchor="end")
    if any(cell.own for cell in matrix.cells.values()):
        y = top + _TALL * len(names) + 24
        d.rectangle(left + 2, y - 11, 14, 12, "own")
        d.text(left + 24, y, "learned from other parts of the same set", kind="quiet")
    return d


def metric_name(column: Column) -> str:
    """The main metric of a column as it is printed."""
    title = METRIC_TITLES[MAIN_METRIC[column.protocol.task]]
    return title if column.protocol.task == "emotion" else f"mean {title}"


def _pair(d: Drawing, x: float, y: float, name: str, cell: Cell, column: Column) -> None:
    wide, tall = _SIDE - 4, _TALL - 4
    result = result_of(cell, column)
    tip = f"{name} on {column.test.name}: {cell.reason or cell.state}"
    d.rectangle(x + 2, y + 2, wide, tall, "cell", tip=tip)
    middle = x + _SIDE / 2
    if result is None:
        words = _STATES.get(cell.state, _STATES["none"])
        d.text(middle, y + _TALL / 2 + 4, words, anchor="middle", kind="quiet")
        return
    figure = result.overall[MAIN_METRIC[column.protocol.task]]
    share = _shade(figure.value)
    d.rectangle(x + 2, y + 2, wide, tall, "ours", opacity=share, tip=tip)
    kind = "inverse" if share > _INVERSE_FROM else ""
    d.text(middle, y + 25, _number(figure.value), anchor="middle", kind=f"{kind} figure")
    d.text(middle, y + 41, _between(figure), anchor="middle", kind=f"{kind} small")
    d.text(middle, y + 55, labels_said(result), anchor="middle", kind=f"{kind} small")
    if cell.own:
        d.rectangle(x + 5, y + 5, wide - 6, tall - 6, "own")


def labels_said(result: Result) -> str:
    """How many of the labels are shared."""
    what = "emotions" if result.task == "emotion" else "units"
    total = len(result.labels) + len(result.lacking)
    return f"{len(result.labels)} of {total} {what}" if result.lacking else f"{total} {what}"


def label_map(matrix: Matrix, column: Column) -> Drawing | None:
    """Each label's figure by each model that reads it; None when there is none."""
    read = {
        name: result
        for name in matrix.models
        if (result := result_of(matrix.cells[name, column.test.name], column))
    }
    labels = [n for n in column.protocol.labels if any(n in r.labels for r in read.values())]
    if not labels:
        return None
    side = min(max(_LETTER * max(map(len, read)) + 14, 74.0), 150.0)
    left, top = 100, 28
    title = f"{column.protocol.title}: each label by each model"
    d = Drawing(left + side * len(read) + 12, top + _LABEL_ROW * len(labels) + 8, title)
    for j, (name, result) in enumerate(read.items()):
        x = left + side * j
        d.text(x + side / 2, top - 10, name[: int(side / _LETTER)], anchor="middle")
        for i, label in enumerate(labels):
            y = top + _LABEL_ROW * i
            figure = result.by_label.get(label)
            d.rectangle(x + 1, y + 1, side - 2, _LABEL_ROW - 2, "cell")
            if figure is None:
                d.text(x + side / 2, y + 16, "not read", anchor="middle", kind="quiet small")
                continue
            share = _shade(figure.value)
            tip = f"{label}, {name}: {_number(figure.value)} {_between(figure)}"
            d.rectangle(x + 1, y + 1, side - 2, _LABEL_ROW - 2, "ours", opacity=share, tip=tip)
            kind = "inverse figure" if share > _INVERSE_FROM else "figure"
            d.text(x + side / 2, y + 16, _number(figure.value), anchor="middle", kind=kind)
    for i, label in enumerate(labels):
        d.text(left - 10, top + _LABEL_ROW * i + 16, label, anchor="end")
    return d


def person_plot(shares: Mapping[str, Mapping[str, Shares]], models: Sequence[str]) -> Drawing:
    """For each label, the person's share as each model reads, and with the baseline subtracted.

    Args:
        shares: variant -> label -> shares; a variant is a model's name, or begins with it.
        models: in the order of their colours.
    """
    variants = list(shares)
    labels = ["mean", *shares[variants[0]]]
    left, top = 90, 26 + 18 * len(variants)
    width = 720
    most = [s.person for one in shares.values() for s in one.values() if not math.isnan(s.person)]
    scale = Scale(0.0, max([0.1, *most]), left, width - 24)
    d = Drawing(width, top + _ROW * len(labels) + 46, "The person's share of the variance")
    for i, variant in enumerate(variants):
        _mark(d, left + 6, 14 + 18 * i, variant, models)
        d.text(left + 18, 18 + 18 * i, variant)
    foot = top + _ROW * len(labels)
    for tick in scale.ticks():
        d.line(scale(tick), top, scale(tick), foot, "grid")
        d.text(scale(tick), foot + 18, f"{tick:.0%}", anchor="middle", kind="quiet")
    d.text((left + width) / 2, foot + 38, "the person's share of the variance of the readings",
           anchor="middle", kind="quiet")  # fmt: skip
    means = {variant: mean_shares(one) for variant, one in shares.items()}
    for row, label in enumerate(labels):
        y = top + _ROW * (row + 0.5)
        d.text(left - 12, y + 4, label, anchor="end")
        values = {
            v: (means[v] if row == 0 else shares[v][label]).person
            for v in variants
        }  # fmt: skip
        known = [value for value in values.values() if not math.isnan(value)]
        if known:
            d.line(scale(min(known)), y, scale(max(known)), y, "grid")
        for variant, value in values.items():
            if not math.isnan(value):
                tip = f"{label}, {variant}: {value:.1%}"
                _mark(d, scale(value), y, variant, models, tip=tip)
        if row == 0:
            d.line(10, top + _ROW, width - 24, top + _ROW, "axis")
    return d


def _mark(
    d: Drawing, x: float, y: float, variant: str, models: Sequence[str], *, tip: str = ""
) -> None:
    """In the colour of the model; hollow with a baseline subtracted, a diamond with a given one."""
    owner = max((m for m in models if variant == m or variant.startswith(f"{m}, ")), key=len)
    colour = _SERIES[list(models).index(owner) % len(_SERIES)]
    if variant == owner:
        d.dot(x, y, colour, radius=5, tip=tip)
    elif variant.endswith(WAYS["given"]):
        d.diamond(x, y, f"{colour} hollow", radius=6, tip=tip)
    else:
        small = variant.endswith(WAYS["mode"])
        d.dot(x, y, f"{colour} hollow", radius=3 if small else 5, tip=tip)


def _shade(value: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, 0.0), 1.0)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def _between(figure: Figure) -> str:
    if math.isnan(figure.low):
        return "no interval"
    return f"{figure.low:.3f} to {figure.high:.3f}"
