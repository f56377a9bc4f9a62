"""The files that a unit reads: where they are, or fetched when their turn has come."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from norface.cli.plan import Planned
from norface.cli.work.units import Unit
from norface.media.images import ImageError, UInt8Image, read_image
from norface.media.remote import RemoteError, RemoteFile, check_available, fetched
from norface.media.video import VideoError
from norface.runtime.picture_reading import ToCome


def check_remotes(unit: Unit) -> None:
    """See that this process can fetch what the unit needs.

    Raises:
        UnavailableError: a package is missing, which may be so on one machine of several.
    """
    for each in (*unit.pictures, *((unit.video,) if unit.video else ())):
        if each.remote is not None:
            check_available(each.remote.address)


def picture_to_read(picture: Planned) -> Path | ToCome:
    """What `Norface.outcomes` reads: the file, or how it is fetched."""
    return picture.path if picture.remote is None else partial(_fetch_and_read, picture.remote)


class OriginalVideo:
    """A video that is there as long as it is needed; a context manager.

    Args:
        video: it.
    """

    def __init__(self, video: Planned) -> None:
        self._video = video
        self._path: Path | None = None
        self._stack = ExitStack()

    def __enter__(self) -> OriginalVideo:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def source(self) -> str | Path:
        """What is opened; fetched when this is asked for first.

        Raises:
            VideoError: it cannot be fetched.
        """
        if self._video.remote is None:
            return self._video.source or self._video.path
        if self._path is None:
            try:
                self._path = self._stack.enter_context(fetched(self._video.remote))
            except RemoteError as error:
                raise VideoError(str(error)) from None
        return self._path

    def file(self) -> Path | None:
        """The same, if it is a file, which can be read again; raises as `source`."""
        source = self.source()
        return source if isinstance(source, Path) else None

    def named(self, reason: str) -> str:
        """A message that calls the video what the user called it."""
        return reason if self._path is None else reason.replace(str(self._path), self._video.input)


def _fetch_and_read(file: RemoteFile) -> UInt8Image:
    """A picture from elsewhere.

    Raises:
        ImageError: it cannot be fetched or read.
    """
    try:
        with fetched(file) as path:
            try:
                return read_image(path)
            except ImageError as error:
                raise ImageError(str(error).replace(str(path), file.name)) from error
    except RemoteError as error:
        raise ImageError(str(error)) from None
