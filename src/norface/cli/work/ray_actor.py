"""What runs in the processes of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import cv2

import norface
from norface.cli.work.crew import Order
from norface.cli.work.folder import WorkFolder
from norface.cli.work.processes import sendable
from norface.cli.work.unit import analyze_unit, analyzer
from norface.cli.work.units import Unit, WorkSettings
from norface.runtime.sessions import Weights


class RayActor:
    """Does units with networks of its own. Ray calls `do` and `how_far` in two threads.

    Args:
        settings: of the run.
        folder: where the command was typed.
        version: of norface there.
        weights: name and SHA-256 of each file of the weights there.
    """

    def __init__(
        self, settings: WorkSettings, folder: str, version: str, weights: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._wanted = (version, dict(weights))
        self._work = WorkFolder(settings.results.work)
        self._ready = False
        self._far: tuple[int, int | None] | None = None

    def do(self, order: Order[Unit]) -> Exception | None:
        """Do a unit; what went wrong for good."""
        self._far = None
        try:
            self._begin()
            analyze_unit(
                order.unit,
                self._settings,
                tell=self._tell,
                careful=order.careful,
                given_up=order.given_up,
            )
        except Exception as error:
            return sendable(error)
        return None

    def how_far(self) -> tuple[str, tuple[int, int | None] | None]:
        """The machine, and what the unit in work told last."""
        import ray

        return ray.get_runtime_context().get_node_id(), self._far

    def _tell(self, done: int, of: int | None) -> None:
        self._far = (done, of)

    def _begin(self) -> None:
        if self._ready:
            return
        here = (norface.__version__, hashes(self._settings))
        if here != self._wanted:
            raise ValueError(
                f"A worker has norface {here[0]} or other weights than this machine "
                f"(norface {self._wanted[0]}): install the same everywhere."
            )
        # Tables call the inputs as the user did, which may be relative.
        with suppress(OSError):
            os.chdir(self._folder)
        if Path.cwd() != Path(self._folder) or not self._work.folder.is_dir():
            raise ValueError(
                f"A worker does not see {self._folder} or {self._work.folder.parent}: all machines "
                "must see the inputs and the folder for the results under the same paths."
            )
        # Of a run that was killed no process may write beside those of the next.
        self._work.lock.join_in()
        cv2.setNumThreads(self._settings.threads or 0)
        analyzer(self._settings)
        self._ready = True


def hashes(settings: WorkSettings) -> dict[str, str]:
    """Name and SHA-256 of each file of the weights on this machine."""
    return Weights(settings.weights).manifest.hashes
