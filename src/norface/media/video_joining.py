"""Videos that `VideoWriter` wrote piece by piece, put together without encoding them again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from norface.media.half_written import part_beside
from norface.media.video_sound import Sound
from norface.media.video_source import VideoError
from norface.media.video_writer import FORMATS

PIECES: Final = frozenset({".mov", ".mp4", ".webm"})
"""Suffixes of pieces. Matroska with H.264 does not say when its pictures are to be decoded."""


def join_videos(
    parts: Sequence[tuple[Path, float]],
    path: Path,
    *,
    sound_from: Path | None = None,
    start: float = 0.0,
    stop: float | None = None,
) -> str | None:
    """Put pieces together that were written one after the other in the same size and format.

    Memory does not grow with their number or length.

    Args:
        parts: the pieces in order, each with the seconds (of the original) at which it begins, as
            was said to its `VideoWriter`.
        path: of the whole; replaced at the end. Pieces of MP4 or QuickTime make one of these or
            Matroska, pieces of WebM make WebM.
        sound_from: the original, if its sound is to go along; the pieces have none.
        start: seconds of the original at which the whole begins.
        stop: seconds at which its sound ends.

    Returns:
        What of the sound could not be read; None where all was.

    Raises:
        VideoError: a piece cannot be read or does not fit the first, the whole cannot be written,
            or a piece is of another format than MP4, QuickTime or WebM.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None or not parts or any(p.suffix.lower() not in PIECES for p, _ in parts):
        raise VideoError(
            f"{path} cannot be joined: give pieces that end in {', '.join(sorted(PIECES))}."
        )
    part = part_beside(path)
    options = {"movflags": "+faststart"} if kind in ("mov", "mp4") else {}
    try:
        part.open("xb").close()
        with av.open(
            f"file:{part.absolute()}", "w", format=kind, container_options=options
        ) as whole:
            damage = _join(parts, whole, kind, sound_from, start, stop)
        part.replace(path)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{path} cannot be written: {error}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return damage


def _join(
    parts: Sequence[tuple[Path, float]],
    whole: OutputContainer,
    kind: str,
    sound_from: Path | None,
    start: float,
    stop: float | None,
) -> str | None:
    with av.open(f"file:{parts[0][0].absolute()}", "r") as first:
        stream = whole.add_stream_from_template(first.streams.video[0])
        shape = _shape(first.streams.video[0])
    sound = None
    if sound_from is not None:
        sound = Sound.open(sound_from, into=whole, kind=kind, start=start, stop=stop)
    try:
        last = None
        for packet in _packets(parts, shape, start):
            # Each piece begins with times of decoding before its first picture.
            if last is not None and packet.dts is not None:
                packet.dts = max(packet.dts, last + 1)
            last = packet.dts
            if sound is not None and packet.pts is not None:
                sound.write_until(float(packet.pts * packet.time_base))
            packet.stream = stream
            whole.mux(packet)
        if sound is not None:
            sound.write_until(float("inf"))
            return sound.damage
        return None
    finally:
        if sound is not None:
            sound.close()


def _packets(
    parts: Sequence[tuple[Path, float]], shape: tuple[object, ...], start: float
) -> Iterator[Packet[VideoStream]]:
    """Those of all pieces, at their times in the whole."""
    for path, begins in parts:
        with av.open(f"file:{path.absolute()}", "r") as piece:
            stream = piece.streams.video[0]
            if _shape(stream) != shape:
                raise VideoError(f"{path} differs from the first piece in size or format.")
            for packet in piece.demux(stream):
                if packet.pts is None:
                    continue
                shift = round(Fraction(begins - start) / packet.time_base)
                packet.pts += shift
                if packet.dts is not None:
                    packet.dts += shift
                yield packet


def _shape(stream: VideoStream) -> tuple[object, ...]:
    context = stream.codec_context
    return context.name, context.width, context.height, context.extradata, stream.time_base
