"""The plots of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from norface.evaluation.people import Shares
from norface.evaluation.reliability import Reliability
from norface.evaluation.report.svg import Drawing, Scale
from norface.evaluation.scores import Figure, FloatArray

_WIDTH = 720
_ROW = 26
_MOST_NAMES = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A point with a bar.

    Attributes:
        x: what was said or is true.
        y: what is so, or was read.
        spread: half of the bar through it; 0 for none.
        weight: how many frames it stands for.
    """

    x: float
    y: float
    spread: float
    weight: float


def label_plot(
    figures: Mapping[str, Figure], published: Mapping[str, float], title: str, over: str
) -> Drawing:
    """Each label's figure with its interval, and the published one where it is known."""
    left, top = 110, 34
    height = top + _ROW * len(figures) + 34
    values = [v for f in figures.values() for v in (f.value, f.low) if not math.isnan(v)]
    low = min([0.0, *values])
    highest = max([1.0, *(f.high for f in figures.values() if not math.isnan(f.high))])
    scale = Scale(low, highest, left, _WIDTH - 60)
    d = Drawing(_WIDTH, height, title)
    d.legend(left, 14, [("ours", f"norface, with 95 % interval over {over}")])
    if published:
        d.diamond(left + 330, 10, "published")
        d.text(left + 342, 14, "Norface, published")
    for tick in scale.ticks():
        d.line(scale(tick), top - 6, scale(tick), height - 30, "grid")
        d.text(scale(tick), height - 14, f"{tick:g}", anchor="middle", kind="quiet")
    for row, (name, figure) in enumerate(figures.items()):
        y = top + _ROW * (row + 0.5)
        d.text(left - 12, y + 4, name, anchor="end")
        if math.isnan(figure.value):
            d.text(left + 6, y + 4, "undefined", kind="quiet")
            continue
        if not math.isnan(figure.low):
            d.line(scale(figure.low), y, scale(figure.high), y, "whisker")
        if name in published:
            tip = f"{name}, published: {published[name]:.3f}"
            d.diamond(scale(published[name]), y, "published", tip=tip)
        tip = f"{name}: {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
        d.dot(scale(figure.value), y, "ours", radius=5, tip=tip)
        d.text(_WIDTH - 46, y + 4, f"{figure.value:.3f}", kind="figure")
    return d


def confusion_plot(counts: Sequence[Sequence[int]], names: Sequence[str]) -> Drawing:
    """A confusion matrix; each row's shares as shade and number."""
    side = min(66.0, 560 / len(names))
    left, top = 110, 44
    size = side * len(names)
    d = Drawing(left + size + 20, top + size + 16, "Confusion matrix, rows are the truth")
    d.text(left + size / 2, 14, "read as", anchor="middle", kind="quiet")
    d.text(14, top + size / 2, "truth", anchor="middle", kind="quiet", turned=True)
    for i, name in enumerate(names):
        d.text(left + side * (i + 0.5), top - 10, name[:10], anchor="middle")
        d.text(left - 10, top + side * (i + 0.5) + 4, name, anchor="end")
        total = max(sum(counts[i]), 1)
        for j, count in enumerate(counts[i]):
            share = count / total
            x, y = left + side * j, top + side * i
            tip = f"{name} read as {names[j]}: {count:,} of {total:,}"
            d.rectangle(x + 1, y + 1, side - 2, side - 2, "cell", tip=tip)
            d.rectangle(x + 1, y + 1, side - 2, side - 2, "ours", opacity=share, tip=tip)
            words = "" if count == 0 else f"{share:.0%}" if share >= 0.01 else "<1%"
            kind = "inverse" if share > 0.55 else ""
            d.text(x + side / 2, y + side / 2 + 4, words, anchor="middle", kind=kind)
    return d


def reliability_plot(reliability: Reliability) -> Drawing:
    """How often what was given a probability is so, and how often each probability is given."""
    places = [
        Place(float(p), float(f), 0.0, float(c))
        for p, f, c in zip(
            reliability.probability, reliability.frequency, reliability.count, strict=True
        )
        if c
    ]
    return identity_plot(places, 1.0, "probability given", "how often it is so")


def levels_plot(levels: FloatArray) -> Drawing:
    """Mean and standard deviation of the readings at each true intensity."""
    places = [
        Place(float(level), float(mean), float(spread), float(count))
        for level, (count, mean, spread) in enumerate(levels)
        if count
    ]
    return identity_plot(places, 5.0, "true intensity", "intensity read, mean ± SD")


def identity_plot(places: Sequence[Place], highest: float, x_name: str, y_name: str) -> Drawing:
    """Points about the line on which they should lie; below, how many frames each stands for."""
    left, top, size, below = 64, 16, 320, 56
    d = Drawing(left + size + 30, top + size + below + 58, f"{y_name} by {x_name}")
    x = Scale(0, highest, left + 14, left + size - 14)
    y = Scale(0, highest, top + size - 14, top + 14)
    for tick in x.ticks(5):
        d.line(x(tick), top, x(tick), top + size, "grid")
        d.line(left, y(tick), left + size, y(tick), "grid")
        d.text(left - 8, y(tick) + 4, f"{tick:g}", anchor="end", kind="quiet")
        d.text(x(tick), top + size + below + 24, f"{tick:g}", anchor="middle", kind="quiet")
    d.line(x(0), y(0), x(highest), y(highest), "identity")
    most = max((p.weight for p in places), default=1.0)
    bottom = top + size + 10 + below
    for a, b in pairwise(places):
        d.line(x(a.x), y(a.y), x(b.x), y(b.y), "path")
    for p in places:
        tip = f"{x_name} {p.x:.2f}: {p.y:.2f}, {p.weight:,.0f} frames"
        d.line(x(p.x), y(p.y - p.spread), x(p.x), y(p.y + p.spread), "whisker")
        d.dot(x(p.x), y(p.y), "ours", radius=5, tip=tip)
        high = below * p.weight / most
        d.rectangle(x(p.x) - 9, bottom - high, 18, high, "rest", tip=tip)
    d.line(left, bottom, left + size, bottom, "axis")
    d.text(left - 8, bottom - below / 2 + 4, "frames", anchor="end", kind="quiet")
    d.text(left + size / 2, bottom + 40, x_name, anchor="middle")
    d.text(14, top + size / 2, y_name, anchor="middle", turned=True)
    return d


def subject_plot(figures: Mapping[str, float], title: str) -> Drawing:
    """A dot for each subject, from low to high, with the mean of all."""
    known = sorted(((v, k) for k, v in figures.items() if not math.isnan(v)))
    left, top, high = 56, 16, 200
    named = len(known) <= _MOST_NAMES
    longest = max((len(name) for _, name in known), default=0)
    foot = min(7 * longest, 110) + 14 if named else 24
    d = Drawing(_WIDTH, top + high + foot + 8, f"{title} of each subject")
    if not known:
        return d
    values = [value for value, _ in known]
    y = Scale(0.0, max(1.0, *values), top + high, top)
    for tick in y.ticks(5):
        d.line(left, y(tick), _WIDTH - 20, y(tick), "grid")
        d.text(left - 8, y(tick) + 4, f"{tick:g}", anchor="end", kind="quiet")
    mean = float(np.mean(values))
    d.line(left, y(mean), _WIDTH - 20, y(mean), "identity")
    d.text(left + 6, y(mean) - 6, f"mean {mean:.3f}", kind="quiet")
    step = (_WIDTH - left - 40) / len(known)
    for i, (value, name) in enumerate(known):
        x = left + 10 + step * (i + 0.5)
        d.line(x, y(0), x, y(value), "stem")
        d.dot(x, y(value), "ours", radius=4 if named else 2.5, tip=f"{name}: {value:.3f}")
        if named:
            d.text(x + 4, top + high + 10, name[:16], anchor="end", kind="quiet small", turned=True)
    if not named:
        words = f"{len(known)} subjects, from low to high"
        d.text(left + 10, top + high + 20, words, kind="quiet")
    return d


def people_plot(shares: Mapping[str, Mapping[str, Shares]]) -> Drawing:
    """For each label and variant, the parts of the readings' variance side by side."""
    variants = list(shares)
    labels = list(shares[variants[0]])
    longest = max(len(v) for v in variants) if len(variants) > 1 else 0
    left, top, bar = 80 + 7 * longest, 34, 15
    group = bar * len(variants) + 12
    d = Drawing(_WIDTH, top + group * len(labels) + 24, "Parts of the variance of the readings")
    parts = (("ours", "expression"), ("person", "person"), ("rest", "rest"))
    d.legend(left, 14, parts)
    x = Scale(0, 1, left, _WIDTH - 20)
    for tick in x.ticks():
        d.line(x(tick), top - 6, x(tick), top + group * len(labels), "grid")
        d.text(x(tick), top + group * len(labels) + 16, f"{tick:.0%}", anchor="middle",
               kind="quiet")  # fmt: skip
    for i, label in enumerate(labels):
        y = top + group * i
        d.text(10, y + bar * len(variants) / 2 + 4, label)
        for j, variant in enumerate(variants):
            at = 0.0
            if len(variants) > 1:
                d.text(left - 8, y + bar * j + 11, variant, anchor="end", kind="quiet small")
            one = shares[variant][label]
            if math.isnan(one.person):
                d.text(left + 6, y + bar * j + 11, "undefined", kind="quiet small")
                continue
            for kind, part in parts:
                share = getattr(one, part)
                tip = f"{label}, {variant}: {part} {share:.1%}"
                d.rectangle(x(at), y + bar * j, x(at + share) - x(at), bar - 2, kind, tip=tip)
                at += share
    return d
