"""Faces of several pictures or frames read together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from norface.results import FaceAnalysis
from norface.runtime.networks import FACES_AT_ONCE, Crop

K = TypeVar("K")
Read = Callable[[Sequence[Crop]], list[FaceAnalysis]]


def in_batches(
    items: Iterable[tuple[K, Sequence[Crop]]],
    read: Read,
    *,
    faces: int = FACES_AT_ONCE,
) -> Iterator[tuple[K, tuple[FaceAnalysis, ...] | Exception]]:
    """Read the faces of items in batches, and give the items back in their order.

    Args:
        items: anything, with the faces in it; there may be none.
        read: what reads faces.
        faces: how many to gather before they are read; an item waits for at most three times as
            many others.

    Returns:
        Each item with what was read from its faces; or with the error, where that failed. The
        others of its batch are read then without it.
    """
    waiting: list[tuple[K, Sequence[Crop]]] = []
    gathered = 0
    for key, crops in items:
        waiting.append((key, crops))
        gathered += len(crops)
        if gathered >= faces or len(waiting) >= 3 * faces or not any(c for _, c in waiting):
            yield from _read(waiting, read)
            waiting, gathered = [], 0
    yield from _read(waiting, read)


def _read(
    waiting: Sequence[tuple[K, Sequence[Crop]]], read: Read
) -> Iterator[tuple[K, tuple[FaceAnalysis, ...] | Exception]]:
    try:
        together = read([crop for _, crops in waiting for crop in crops])
    except (Exception, MemoryError) as error:
        if len(waiting) == 1:
            yield waiting[0][0], error
            return
        for item in waiting:
            yield from _read([item], read)
        return
    start = 0
    for key, crops in waiting:
        yield key, tuple(together[start : start + len(crops)])
        start += len(crops)
