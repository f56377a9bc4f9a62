"""A folder that one run at a time works in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, Final

from norface.cli.console import WRONG_COMMAND, CommandError

_ORPHANS_SECONDS: Final = 10.0


class FolderLock:
    """Held by a run, and shared by its workers, as long as they live.

    Args:
        folder: holds the files that are locked, below the one for the results.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process has it."""
        return self._file is not None

    def hold(self) -> None:
        """Take the folder for this run.

        Raises:
            CommandError: another run has it.
            OSError: the folder cannot be written to.
        """
        results = self._folder.parent
        self._file = self._locked("lock", wait=0.0)
        if self._file is None:
            raise CommandError(
                f"Another run is writing into {results}. Wait for its end, or choose another "
                "folder with --out.",
                code=WRONG_COMMAND,
            )
        # The processes of a run that was killed may be about to end.
        left = self._locked("workers", wait=_ORPHANS_SECONDS)
        if left is None:
            self.release()
            raise CommandError(
                f"Processes of an earlier run are still writing into {results}. End them, or "
                "choose another folder with --out.",
                code=WRONG_COMMAND,
            )
        left.close()

    def join_in(self) -> None:
        """Let no other run begin while this process, a worker of a run, lives."""
        self._file = self._locked("workers", wait=_ORPHANS_SECONDS, shared=True)

    def release(self) -> None:
        """Let other runs have the folder."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _locked(self, name: str, *, wait: float, shared: bool = False) -> IO[str] | None:
        """A file of the folder, locked as long as it is open; None if another process has it."""
        file = (self._folder / name).open("a", encoding="utf-8")
        try:
            import fcntl
        except ImportError:
            return file
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                if time.monotonic() >= until:
                    file.close()
                    return None
                time.sleep(0.1)
            except OSError:
                # Some network file systems have no locks.
                return file
