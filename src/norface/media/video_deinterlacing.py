"""Whole pictures out of interlaced ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TypeAlias, cast

import av.error
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

Numbered: TypeAlias = tuple[int, float, VideoFrame]
"""A frame's number in its source, its time in seconds, its picture."""


class Deinterlacer:
    """Makes whole pictures of interlaced ones; passes all others on unchanged.

    Every frame that goes in comes out, in order, some of them one call later.
    """

    def __init__(self, *, stream: VideoStream) -> None:
        self._stream = stream
        self._graph: Graph | None = None
        self._waiting: deque[tuple[int, float]] = deque()

    def put(self, numbered: Numbered) -> Iterator[Numbered]:
        """Take a frame; give those that are ready."""
        number, time, frame = numbered
        if self._graph is None and not frame.interlaced_frame:
            yield numbered
            return
        if self._graph is None:
            self._graph = Graph()
            source = self._graph.add_buffer(template=self._stream)
            filtered = self._graph.add("bwdif", "mode=send_frame:deint=interlaced")
            self._graph.link_nodes(source, filtered, self._graph.add("buffersink")).configure()
        self._waiting.append((number, time))
        # The filter wants times that grow evenly; the true ones wait here.
        frame.pts = number
        self._graph.push(frame)
        yield from self._ready()

    def end(self) -> Iterator[Numbered]:
        """Give the frames that are still inside."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._ready()

    def _ready(self) -> Iterator[Numbered]:
        assert self._graph is not None
        while self._waiting:
            try:
                frame = cast(VideoFrame, self._graph.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield *self._waiting.popleft(), frame
