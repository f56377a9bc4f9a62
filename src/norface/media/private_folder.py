"""Folders for a moment: private to this process, and removed even if it was killed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

_PREFIX: Final = "norface-fetched-"
_LOCK: Final = "lock"


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder that only this user can enter, where the system keeps temporary files.

    It is removed at the end. Of a process that was killed it is left over; the next process that
    makes one removes that, and so does `sweep_private_folders`.

    Raises:
        OSError: it cannot be made.
    """
    _sweep_once()
    folder, lock = _made()
    try:
        yield folder
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def sweep_private_folders() -> None:
    """Remove the folders whose process is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if not _is_own(folder):
                continue
            lock = (folder / _LOCK).open("r+b")
        except OSError:
            continue
        with lock:
            if _hold(lock, wait=False):
                shutil.rmtree(folder, ignore_errors=True)


@lru_cache(maxsize=1)
def _sweep_once() -> None:
    sweep_private_folders()


def _made() -> tuple[Path, IO[bytes]]:
    """A folder, and a file in it that is locked as long as this process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = (folder / _LOCK).open("xb")
        _hold(lock, wait=True)
        if (folder / _LOCK).exists():
            return folder, lock
        # Another process swept it before it was locked.
        lock.close()


def _is_own(folder: Path) -> bool:
    """Whether it is a folder, not a link to one, that this user made."""
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and (os.name != "posix" or status.st_uid == os.getuid())


def _hold(file: IO[bytes], *, wait: bool) -> bool:
    """Lock an open file; whether that is done."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        # Another process has it, or the file system has no locks.
        return False
    return True
