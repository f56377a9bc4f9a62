"""Tiny videos, whose every frame shows its own number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

BITS = 8


def numbered(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that shows a number below 256 as eight bright or dark columns, over mid-grey."""
    image = np.full((height, width, 3), 128, np.uint8)
    for bit, columns in enumerate(np.array_split(np.arange(width), BITS)):
        image[: height // 2, columns] = 230 if number >> bit & 1 else 25
    return image


def number_of(image: np.ndarray) -> int:
    top = image[2 : image.shape[0] // 2 - 4].mean(axis=(0, 2))
    columns = np.array_split(np.arange(image.shape[1]), BITS)
    return sum(1 << bit for bit, where in enumerate(columns) if top[where].mean() > 128)


def write(
    path: Path,
    images: Sequence[np.ndarray] | int = 30,
    *,
    times: Sequence[int] | None = None,
    base: Fraction = Fraction(1, 25),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    kind: str | None = None,
    muxer: dict[str, str] | None = None,
    sound: str | None = None,
    sound_rate: int = 48_000,
    prepare: Callable[[av.VideoStream], None] | None = None,
    before: Callable[[av.VideoFrame], None] | None = None,
) -> Path:
    """Write pictures with FFmpeg alone: at 25 a second, or at `times` in units of `base`.

    The sound is silent but for 40 ms at each picture that is white all over.
    """
    if isinstance(images, int):
        images = [numbered(i) for i in range(images)]
    times = range(len(images)) if times is None else times
    with av.open(str(path), "w", format=kind, container_options=muxer or {}) as file:
        stream = file.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = base
        if prepare is not None:
            prepare(stream)
        heard = None
        if sound is not None:
            heard = file.add_stream(sound, rate=sound_rate, layout="mono")
        for image, time in zip(images, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, "rgba" if image.shape[2] == 4 else "rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = time, base
            if before is not None:
                before(frame)
            file.mux(stream.encode(frame))
            if heard is not None:
                count = sound_rate // 25
                wave = np.sin(np.arange(count) * (2 * np.pi * 1000 / sound_rate)) * 20_000
                samples = (wave * (image.min() > 200)).astype(np.int16)[None]
                part = av.AudioFrame.from_ndarray(samples, "s16", "mono")
                part.sample_rate, part.pts = sound_rate, round(time * base * sound_rate)
                part.time_base = Fraction(1, sound_rate)
                file.mux(heard.encode(part))
        file.mux(stream.encode(None))
        if heard is not None:
            file.mux(heard.encode(None))
    return path


@pytest.fixture(scope="session")
def tiny() -> SimpleNamespace:
    """`write(path, ...)` a video, the picture `numbered(i)`, the `number_of(image)` it shows."""
    return SimpleNamespace(write=write, numbered=numbered, number_of=number_of)
