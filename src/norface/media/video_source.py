"""What a video is read from: a file, an address or a camera; and how its faults are told."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from norface.media import images
from norface.media.webcam import camera_input

SUFFIXES: Final = frozenset(
    {".3g2", ".3gp", ".asf", ".avi", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".ivf",
     ".m2ts", ".m2v", ".m4v", ".mj2", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
     ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m"}
)  # fmt: skip
"""What counts as a video in a folder."""

_NO_VIDEOS: Final = frozenset({"ass", "gif", "image2", "srt", "tty", "webvtt"})
"""Formats that FFmpeg takes text or a picture for."""

_PATIENCE_SECONDS: Final = 15.0
"""How long an address may keep silent."""

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+://")

PROTOCOLS: Final = frozenset(
    {"amqp", "async", "bluray", "cache", "concat", "concatf", "crypto", "data", "fd", "ffrtmpcrypt",
     "ffrtmphttp", "file", "ftp", "gopher", "gophers", "hls", "http", "httpproxy", "https",
     "icecast", "ipfs", "ipns", "md5", "mmsh", "mmst", "pipe", "prompeg", "rist", "rtmp", "rtmpe",
     "rtmps", "rtmpt", "rtmpte", "rtmpts", "rtp", "rtsp", "rtsps", "rtspt", "rtspu", "sap", "sctp",
     "srt", "srtp", "subfile", "tcp", "tee", "tls", "udp", "udplite", "unix", "zmq"}
)  # fmt: skip
"""What FFmpeg reads itself. SFTP and SMB are left out: the FFmpeg of PyAV's wheels lacks them."""


class VideoError(ValueError):
    """A video cannot be read or written; the message names it, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Source:
    """What FFmpeg is told to open.

    Attributes:
        name: as messages show it, without a password.
        address: as FFmpeg wants it.
        format: of a camera, else found out.
        options: for the format and the protocol.
        live: whether it is read once, as it comes: a camera, a stream, a pipe.
        is_file: whether it lies on a disk.
    """

    name: str
    address: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    live: bool = False
    is_file: bool = False


def is_address(text: str) -> bool:
    """Whether a text is an address (``rtsp://...``), not a path."""
    return bool(_ADDRESS.match(text))


def find_source(source: str | os.PathLike[str] | int) -> Source:
    """What a path, an address or the number of a camera stands for.

    Raises:
        VideoError: there is no such file, or cameras cannot be read on this system.
    """
    if isinstance(source, str) and source.isdecimal() and not Path(source).exists():
        source = int(source)
    if isinstance(source, int):
        name = f"Camera {source}"
        try:
            kind, address, options = camera_input(source)
        except OSError as error:
            raise VideoError(f"{name} cannot be opened: {error}") from error
        return Source(name, address, kind, options, live=True)
    text = os.fspath(source)
    if is_address(text):
        return _address(text)
    path = Path(text)
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise VideoError(f"{path} does not exist. Check the path.") from error
    except OSError as error:
        raise VideoError(f"{path} cannot be read ({error.strerror}).") from error
    if stat.S_ISDIR(status.st_mode):
        raise VideoError(f"{path} is a folder. Give a video file.")
    is_file = stat.S_ISREG(status.st_mode)
    if is_file and status.st_size == 0:
        raise VideoError(f"{path} is empty. Copy it again.")
    if is_file and _is_playlist(path):
        raise VideoError(f"{path} is a playlist. Give the video that it names.")
    # "file:" keeps a name with a colon from being taken for an address; the list of protocols
    # keeps a playlist from fetching anything.
    options = {"protocol_whitelist": "file,crypto,data"}
    address = f"file:{path.absolute()}"
    return Source(str(path), address, None, options, live=not is_file, is_file=is_file)


def open_container(source: Source) -> tuple[InputContainer, VideoStream]:
    """Open a source and choose its video stream: of several the one with the most pixels.

    Raises:
        VideoError: it cannot be opened, or holds no video.
    """
    patience = None if source.is_file else _PATIENCE_SECONDS
    try:
        container = av.open(
            source.address,
            "r",
            format=source.format,
            options=source.options,
            timeout=patience,
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(_why_not_opened(source, error)) from error
    try:
        return container, _video_stream(container, source.name)
    except BaseException:
        container.close()
        raise


def origin(container: InputContainer) -> Fraction:
    """The time in a container, in seconds, at which it starts playing.

    Sound that begins before 0 only warms up its decoder, and does not count.
    """
    start = max(Fraction(0), Fraction(container.start_time or 0, av.time_base))
    for stream in container.streams.video:
        if stream.start_time is not None and stream.time_base is not None:
            start = min(start, stream.start_time * stream.time_base)
    return start


def is_video(path: str | os.PathLike[str]) -> bool:
    """Whether a path names a video: by its suffix, or by its content where that says nothing.

    A picture is none, animated or not, and neither is sound, a folder or a missing file.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return not path.is_dir()
    if suffix in images.SUFFIXES:
        return False
    try:
        source = find_source(path)
        if not source.is_file:
            return False
        container, _ = open_container(source)
    except VideoError:
        return False
    with container:
        name = container.format.name
        return name not in _NO_VIDEOS and not name.endswith("_pipe")


def _address(text: str) -> Source:
    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    name = f"{parts.scheme}://{host}{parts.path}"
    scheme = parts.scheme.lower()
    # UDP loses packets in any network that is busy; a face half of another frame is no use.
    options = {"rtsp_transport": "tcp"} if scheme in ("rtsp", "rtsps") else {}
    return Source(name, text, None, options, live=scheme not in ("http", "https", "file"))


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    streams = container.streams
    videos = [s for s in streams.video if not s.disposition & Disposition.attached_pic]
    if not len(streams):
        raise VideoError(f"{name} holds nothing: it is cut short or damaged. Copy it again.")
    if not videos:
        held = "sound but no video" if streams.audio else "no video"
        raise VideoError(f"{name} holds {held}. Give a file with pictures.")
    # PyAV has no codec context for what its FFmpeg cannot decode.
    known = [s for s in videos if getattr(s, "codec_context", None) is not None]
    if not known:
        raise VideoError(f"{name} has a video codec that cannot be read here. Convert it to H.264.")
    return max(known, key=lambda s: s.codec_context.width * s.codec_context.height)


def _why_not_opened(source: Source, error: Exception) -> str:
    name = source.name
    if source.format is not None:
        return (
            f"{name} cannot be opened ({_reason(error)}). Check that it is connected, that no "
            "other program uses it, and that this program may."
        )
    if not source.is_file:
        return f"{name} cannot be opened ({_reason(error)}). Check the address and the network."
    if isinstance(error, PermissionError):
        return f"{name} may not be read. Check its permissions."
    if _lacks_index(Path(source.address.removeprefix("file:"))):
        return (
            f"{name} is cut short, or its recording was never finished: the index, which such "
            "a file keeps at its end, is missing. Copy it again, or repair it with a tool for that."
        )
    return (
        f"{name} is not a video, or of an unknown format, or damaged at its beginning. Give a file "
        "that a video player plays."
    )


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")


def _is_playlist(path: Path) -> bool:
    """Whether a file is a list of others, which FFmpeg would open, or wait for without end."""
    try:
        with path.open("rb") as file:
            head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    return head.startswith((b"#EXTM3U", b"ffconcat", b"[playlist]"))


def _lacks_index(path: Path) -> bool:
    """Whether an MP4 or QuickTime file holds no box ``moov``."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start, is_mp4 = 0, False
            while start + 8 <= size:
                file.seek(start)
                head = file.read(16)
                length, kind = int.from_bytes(head[:4], "big"), head[4:8]
                if start == 0:
                    is_mp4 = kind in (b"ftyp", b"wide", b"mdat")
                if not is_mp4 or kind == b"moov":
                    return False
                if length == 1:
                    length = int.from_bytes(head[8:16], "big")
                if length < 8:
                    break
                start += length
            return is_mp4
    except OSError:
        return False
