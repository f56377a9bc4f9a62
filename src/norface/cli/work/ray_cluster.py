"""Units done on a Ray cluster: each worker is an actor that keeps its networks between units."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import cv2

import norface
from norface.cli.console import WRONG_COMMAND, CommandError
from norface.cli.work.crew import Order, Tell, do_with_crew
from norface.cli.work.folder import WorkFolder
from norface.cli.work.processes import sendable
from norface.cli.work.unit import analyze_unit, analyzer, give_up
from norface.cli.work.units import Unit, WorkSettings
from norface.runtime.sessions import Weights

_QUIET: Final = {
    # Ray reports its use to its makers unless it is told not to.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_SECONDS_BETWEEN: Final = 0.5
"""How often workers are asked how far they are."""


def do_on_ray(
    units: Sequence[Unit],
    settings: WorkSettings,
    workers: int,
    address: str | None,
    tell: Tell,
) -> Iterator[Unit]:
    """Do units on a Ray cluster; each is given when it is done, in any order.

    Args:
        units: to do.
        settings: of the run.
        workers: how many actors do them.
        address: of the cluster: ``auto`` or ``ray://...``; None starts one on this machine, which
            ends with the run.
        tell: is told how far each unit is.

    Raises:
        CommandError: Ray is missing, or there is no such cluster.
            Or the settings cannot be used by the workers, which are ended.
        OSError: as `analyze_unit`.
    """
    with _cluster(address, workers) as ray:
        crew = _RayCrew(ray, settings, workers)
        try:
            yield from do_with_crew(
                crew, units, workers, tell, partial(give_up, work=WorkFolder(settings.results.work))
            )
        except ValueError as error:
            raise CommandError(str(error), code=WRONG_COMMAND) from error


@contextmanager
def _cluster(address: str | None, workers: int) -> Iterator[ModuleType]:
    """Ray, connected; without its dashboard, its reports and its messages."""
    os.environ.update(_QUIET)
    try:
        import ray
    except ImportError as error:
        raise CommandError(
            '--engine ray needs an extra: pip install "norface[ray]".', code=WRONG_COMMAND
        ) from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    folder = None
    if address is None:
        # A socket's path may have some hundred characters: TMPDIR may be too long.
        folder = tempfile.mkdtemp(prefix="norface-ray-", dir="/tmp" if os.name == "posix" else None)
        cores = max(workers, os.cpu_count() or 1)
        quiet |= {"include_dashboard": False, "num_cpus": cores, "_temp_dir": folder}
        # RAY_ADDRESS of the user's shell names a cluster that was not asked for.
        quiet["address"] = "local"
    else:
        quiet["address"] = address
    try:
        try:
            ray.init(**quiet)
        except Exception as error:
            raise CommandError(
                f"There is no Ray cluster at {address or 'this machine'} "
                f"({type(error).__name__}: {error}).",
                code=WRONG_COMMAND,
            ) from error
        yield ray
    finally:
        with suppress(Exception):
            ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


class _Actor:
    """What runs in a process of the cluster. Ray calls `do` and `how_far` in two threads."""

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
        here = (norface.__version__, _hashes(self._settings))
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


@dataclass(slots=True)
class _RayWorker:
    """The driver's end of an actor; hears it, too."""

    ray: ModuleType
    actor: Any
    order: Order[Unit]
    result: Any = None
    asked: Any = None
    said: list[tuple[int, int | None]] | None = None
    node: str | None = None

    @property
    def connection(self) -> _RayWorker:
        """Where it is heard."""
        return self

    def recv(self) -> Any:
        """See `norface.cli.work.crew.Ear`."""
        if self.said:
            return self.said.pop()
        try:
            return self.ray.get(self.result)
        except self.ray.exceptions.RayError as error:
            raise EOFError(type(error).__name__) from error


class _RayCrew:
    """The actors, on whichever machines Ray has put them."""

    def __init__(self, ray: ModuleType, settings: WorkSettings, workers: int) -> None:
        self._ray = ray
        here = ray.cluster_resources()
        cores = max(1, int(here.get("CPU", 1)) // workers)
        self._settings = replace(settings, threads=settings.threads or cores)
        gpus = here.get("GPU", 0.0) if settings.device == "cuda" else 0.0
        self._kind = ray.remote(_Actor).options(
            num_cpus=cores,
            num_gpus=min(1.0, gpus / workers),
            # A dead one is replaced by the loop, which knows what it was doing.
            max_restarts=0,
            max_concurrency=2,
        )
        self._idle: list[_RayWorker] = []
        self.busy: list[_RayWorker] = []

    def give(self, order: Order[Unit]) -> None:
        """Have a unit done."""
        if self._idle:
            worker = self._idle.pop()
            worker.order = order
        else:
            actor = self._kind.remote(
                self._settings, str(Path.cwd()), norface.__version__, _hashes(self._settings)
            )
            worker = _RayWorker(self._ray, actor, order)
        worker.asked, worker.said = None, []
        worker.result = worker.actor.do.remote(order)
        self.busy.append(worker)

    def ready(self) -> list[_RayWorker]:
        """Those that have something to say, or are gone."""
        results = [worker.result for worker in self.busy]
        ended, _ = self._ray.wait(results, num_returns=1, timeout=_SECONDS_BETWEEN)
        if ended:
            return [worker for worker in self.busy if worker.result in ended]
        return [worker for worker in self.busy if self._asks(worker)]

    def _asks(self, worker: _RayWorker) -> bool:
        """Whether a worker told since how far it is."""
        if worker.asked is None:
            worker.asked = worker.actor.how_far.remote()
        elif self._ray.wait([worker.asked], timeout=0)[0]:
            with suppress(self._ray.exceptions.RayError):
                worker.node, told = self._ray.get(worker.asked)
                worker.said = [] if told is None else [told]
            worker.asked = None
        return bool(worker.said)

    def rest(self, worker: _RayWorker) -> None:
        """A unit is done."""
        self.busy.remove(worker)
        self._idle.append(worker)

    def bury(self, worker: _RayWorker) -> str:
        """A worker is gone; how it ended, empty if its machine went with it."""
        self.busy.remove(worker)
        alive = {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}
        # A machine that is gone says nothing about the unit.
        return "" if worker.node is not None and worker.node not in alive else "in a cluster"

    def dismiss(self) -> None:
        """End all."""
        for worker in (*self.busy, *self._idle):
            with suppress(Exception):
                self._ray.kill(worker.actor, no_restart=True)


def _hashes(settings: WorkSettings) -> dict[str, str]:
    files = Weights(settings.weights).manifest.files
    return {name: file.sha256 for name, file in files.items()}
