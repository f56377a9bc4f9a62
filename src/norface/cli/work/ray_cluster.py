"""Units done on a Ray cluster: each worker is an actor that keeps its networks between units."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import norface
from norface.cli.console import WRONG_COMMAND, CommandError
from norface.cli.work.crew import Order, Tell, do_with_crew
from norface.cli.work.folder import WorkFolder
from norface.cli.work.ray_actor import RayActor, hashes
from norface.cli.work.ray_connection import cluster
from norface.cli.work.unit import give_up
from norface.cli.work.units import Unit, WorkSettings

_SECONDS_BETWEEN: Final = 0.5
"""How often workers are asked how far they are."""
_SECONDS_TO_ANSWER: Final = 30.0
"""How long a machine whose worker is gone may take to show that it is there; by then Ray knows."""
_STILLBORN: Final = 3
"""After how many workers that never began, one after the other, a run ends."""


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
        address: of the cluster, see `cluster`; None starts one on this machine, which ends with
            the run.
        tell: is told how far each unit is.

    Raises:
        CommandError: Ray is missing, there is no such cluster, or it cannot do the work.
        OSError: as `analyze_unit`.
    """
    with cluster(address, workers) as ray:
        crew = _RayCrew(ray, settings, workers)
        try:
            yield from do_with_crew(
                crew, units, workers, tell, partial(give_up, work=WorkFolder(settings.results.work))
            )
        except ValueError as error:
            raise CommandError(str(error), code=WRONG_COMMAND) from error


@dataclass(slots=True)
class _RayWorker:
    """The driver's end of an actor; hears it, too.

    Attributes:
        order: what it does.
        result: the call that does it.
        asked: the call that asks how far it is; None if it answered.
        said: what it answered last and nobody heard yet.
        node: its machine; None until it answered for the first time: Ray has found no place for it
            yet, or it is starting.
    """

    ray: ModuleType
    actor: Any
    order: Order[Unit]
    result: Any = None
    asked: Any = None
    said: tuple[int, int | None] | None = None
    node: str | None = None

    @property
    def connection(self) -> _RayWorker:
        """Where it is heard."""
        return self

    def do(self, order: Order[Unit]) -> None:
        """Have a unit done."""
        self.order, self.said = order, None
        self.asked = self.actor.how_far.remote() if self.node is None else None
        self.result = self.actor.do.remote(order)

    def answers(self) -> bool:
        """Whether it said since how far it is."""
        if self.asked is None:
            self.asked = self.actor.how_far.remote()
        elif self.ray.wait([self.asked], timeout=0)[0]:
            with suppress(self.ray.exceptions.RayError):
                self.node, self.said = self.ray.get(self.asked)
            self.asked = None
        return self.said is not None

    def recv(self) -> Any:
        """See `norface.cli.work.crew.Ear`."""
        if self.said is not None:
            said, self.said = self.said, None
            return said
        try:
            return self.ray.get(self.result)
        except self.ray.exceptions.RayError as error:
            failed = isinstance(error, self.ray.exceptions.RayTaskError)
            if failed or getattr(error, "actor_init_failed", False):
                # It is there, and cannot even be told what to do.
                return ValueError(f"A worker of the cluster cannot begin: {_last_line(error)}")
            raise EOFError(type(error).__name__) from error

    def end(self) -> None:
        """End it, if it is not gone; after that it writes nothing any more."""
        with suppress(Exception):
            self.ray.kill(self.actor, no_restart=True)
            self.ray.wait([self.result], timeout=_SECONDS_TO_ANSWER)


class _RayCrew:
    """The actors, on whichever machines Ray has put them."""

    def __init__(self, ray: ModuleType, settings: WorkSettings, workers: int) -> None:
        self._ray = ray
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        cores = cores_each([int(machine.get("CPU", 0)) for machine in machines], workers)
        self._settings = replace(settings, threads=settings.threads or cores)
        gpus = sum(machine.get("GPU", 0.0) for machine in machines)
        self._kind = ray.remote(RayActor).options(
            num_cpus=cores,
            num_gpus=min(1.0, gpus / workers) if settings.device == "cuda" else 0.0,
            # A dead one is replaced by the loop, which knows what it was doing.
            max_restarts=0,
            max_concurrency=2,
        )
        self._idle: list[_RayWorker] = []
        self._stillborn = 0
        self.busy: list[_RayWorker] = []

    def give(self, order: Order[Unit]) -> None:
        """Have a unit done."""
        if self._idle:
            worker = self._idle.pop()
        else:
            actor = self._kind.remote(
                self._settings, str(Path.cwd()), norface.__version__, hashes(self._settings)
            )
            worker = _RayWorker(self._ray, actor, order)
        worker.do(order)
        self.busy.append(worker)

    def ready(self) -> list[_RayWorker]:
        """Those that have something to say, or are gone."""
        self._take_over()
        results = [worker.result for worker in self.busy]
        ended, _ = self._ray.wait(results, num_returns=1, timeout=_SECONDS_BETWEEN)
        if ended:
            return [worker for worker in self.busy if worker.result in ended]
        return [worker for worker in self.busy if worker.answers()]

    def _take_over(self) -> None:
        """Have who has nothing to do any more do what was given to actors that did not begin.

        For these there may be no place on the cluster: those that have nothing to do hold it.
        """
        for worker in [worker for worker in self.busy if worker.node is None]:
            if not self._idle:
                return
            worker.answers()
            if worker.node is None:
                self.busy.remove(worker)
                worker.end()
                self.give(worker.order)

    def rest(self, worker: _RayWorker) -> None:
        """A unit is done."""
        self.busy.remove(worker)
        self._idle.append(worker)
        self._stillborn = 0

    def bury(self, worker: _RayWorker) -> str:
        """A worker is gone; how it ended, empty if its machine went with it.

        Raises:
            ValueError: no worker can be started.
        """
        self.busy.remove(worker)
        if worker.asked is not None:
            worker.answers()
        # It may be out of sight only; two must not do the same.
        worker.end()
        if worker.node is None:
            self._stillborn += 1
            if self._stillborn == _STILLBORN:
                raise ValueError("The cluster's workers end before they begin: see its logs.")
            return ""
        # A machine that is gone says nothing about the unit.
        return "in a cluster" if self._is_there(worker.node) else ""

    def _is_there(self, machine: str) -> bool:
        """Whether a machine still does something; Ray may not know yet that it is lost."""
        here = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        errand = self._ray.remote(_nothing).options(
            num_cpus=0, max_retries=0, scheduling_strategy=here(machine, soft=False)
        )
        done, until = errand.remote(), time.monotonic() + _SECONDS_TO_ANSWER
        while time.monotonic() < until:
            if not any(node["NodeID"] == machine and node["Alive"] for node in self._ray.nodes()):
                return False
            if self._ray.wait([done], timeout=_SECONDS_BETWEEN)[0]:
                with suppress(self._ray.exceptions.RayError):
                    self._ray.get(done)
                    return True
                time.sleep(_SECONDS_BETWEEN)
        return True

    def dismiss(self) -> None:
        """End all."""
        for worker in (*self.busy, *self._idle):
            with suppress(Exception):
                self._ray.kill(worker.actor, no_restart=True)


def cores_each(machines: Sequence[int], workers: int) -> int:
    """How many cores each of so many workers can have on machines with so many; at least one.

    No worker has cores of two machines.
    """
    for cores in range(max(machines, default=1), 1, -1):
        if sum(machine // cores for machine in machines) >= workers:
            return cores
    return 1


def _nothing() -> None:
    pass


def _last_line(error: Exception) -> str:
    return next((line for line in reversed(str(error).splitlines()) if line.strip()), "")
