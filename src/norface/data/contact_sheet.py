"""A few samples of a data set on one picture, with what their labels say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from norface.data.sample import DataSet, Sample
from norface.data.sample_pictures import SamplePictures
from norface.media.images import ImageError, UInt8Image

COLUMNS: Final = 4
TILE: Final = 300
"""Side of a picture, in pixels."""

_GAP = 24
_LINE = 22
_LINES = 4
_PAPER, _INK, _QUIET, _GROUND, _MARK = "#ffffff", "#1f2937", "#6b7280", "#e3e6ea", "#2563eb"
_LOOKED_AT = 200
# To reach a frame of a video all before it are decoded.
_EARLY = 1500
_WIDEST = 30


@dataclass(frozen=True, slots=True, eq=False)
class ContactSheet:
    """A picture of samples.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        samples: that are on it.
        unreadable: what is wrong with those pictures that could not be read.
    """

    image: UInt8Image
    samples: tuple[Sample, ...]
    unreadable: tuple[str, ...]


def contact_sheet(data: DataSet, count: int = 12) -> ContactSheet:
    """Draw samples from all over a data set, those that show most.

    Args:
        data: what was read.
        count: how many, at least 1; fewer where there are fewer.
    """
    chosen = choose(data.samples, count)
    rows = -(-len(chosen) // COLUMNS)
    height = TILE + _LINES * _LINE + _GAP
    width = min(COLUMNS, len(chosen)) * (TILE + _GAP) + _GAP
    canvas = Image.new("RGB", (width, rows * height + _GAP), _PAPER)
    draw = ImageDraw.Draw(canvas)
    unreadable = []
    with SamplePictures() as pictures:
        for i, sample in enumerate(chosen):
            left = _GAP + i % COLUMNS * (TILE + _GAP)
            top = _GAP + i // COLUMNS * height
            draw.rectangle((left, top, left + TILE - 1, top + TILE - 1), _GROUND)
            try:
                tile = _tile(pictures.read(sample), sample)
            except ImageError as error:
                unreadable.append(str(error))
                place = (left + TILE // 2, top + TILE // 2)
                draw.text(place, "cannot be read", _INK, _font(18), anchor="mm")
            else:
                at = (left + (TILE - tile.width) // 2, top + (TILE - tile.height) // 2)
                canvas.paste(tile, at)
            for n, line in enumerate(_captions(sample)):
                ink = _QUIET if n == 0 else _INK
                draw.text((left, top + TILE + 4 + n * _LINE), line, ink, _font(15))
    return ContactSheet(np.asarray(canvas), chosen, tuple(unreadable))


def choose(samples: tuple[Sample, ...], count: int) -> tuple[Sample, ...]:
    """Samples from all over: of each of `count` equal runs the one that shows most."""
    runs = np.array_split(np.arange(len(samples)), min(count, len(samples)))
    chosen = []
    for run in runs:
        looked_at = run[np.unique(np.linspace(0, len(run) - 1, _LOOKED_AT).astype(int))]
        here = [samples[i] for i in looked_at]
        early = [s for s in here if (s.frame or 0) < _EARLY or s.path.suffix == ".csv"]
        chosen.append(max(early or here, key=_shown))
    return tuple(chosen)


def _shown(sample: Sample) -> float:
    return sum(sample.presence.values()) + sum(sample.intensity.values())


def _tile(image: UInt8Image, sample: Sample) -> Image.Image:
    picture = Image.fromarray(image)
    scale = TILE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    tile = picture.resize(size, Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(tile)
    if sample.box is not None:
        left, top, right, bottom = (scale * side for side in sample.box)
        if left < right and top < bottom:
            draw.rectangle((left, top, right, bottom), outline=_MARK, width=2)
    if sample.landmarks is not None:
        for x, y in scale * sample.landmarks:
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=_MARK)
    return tile


def _captions(sample: Sample) -> list[str]:
    kind = "row" if sample.path.suffix == ".csv" else "frame"
    frame = None if sample.frame is None else f"{kind} {sample.frame}"
    place = " ".join(filter(None, (sample.subject, sample.sequence, frame)))
    lines = [place or sample.path.name]
    units = {u: "" for u, present in sample.presence.items() if present}
    units |= {u: f" {level:g}" for u, level in sample.intensity.items() if level}
    if units:
        lines += _wrapped([name + level for name, level in units.items()])
    elif sample.presence or sample.intensity:
        lines.append("no unit")
    feeling = [] if sample.emotion is None else [sample.emotion]
    for name, value in (("valence", sample.valence), ("arousal", sample.arousal)):
        if value is not None:
            feeling.append(f"{name} {value:.2f}")
    if not feeling and sample.emotion_distribution:
        feeling = [f"{e} {share:.0%}" for e, share in sample.emotion_distribution.items()]
    lines += _wrapped(feeling)
    return [line if len(line) <= _WIDEST + 8 else line[: _WIDEST + 7] + "…" for line in lines][
        :_LINES
    ]


def _wrapped(words: list[str]) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 2 <= _WIDEST:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
