"""Units given out to workers, whatever these are, and done again when one of them dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar


class Numbered(Protocol):
    """A unit."""

    @property
    def index(self) -> int:
        """Its place in the list of units."""


U = TypeVar("U", bound=Numbered)


Tell = Callable[..., None]
"""Takes a unit and what its worker says of it."""

_ATTEMPTS: Final = 2
"""How often a unit may end the process that does it, which is said in words below."""


@dataclass(frozen=True, slots=True)
class Order(Generic[U]):
    """What a worker is told: a unit, whether with care, and why it is given up, if it is."""

    unit: U
    careful: bool = False
    given_up: str = ""


class Ear(Protocol):
    """Where a worker is heard."""

    def recv(self) -> Any:
        """What it says of its unit, a tuple; None when that is done; or what went wrong.

        Raises:
            EOFError, OSError: it is gone.
        """


class Worker(Protocol):
    """One that does a unit."""

    order: Order[Any]

    @property
    def connection(self) -> Ear:
        """Where it is heard."""


_W = TypeVar("_W", bound=Worker)


class Crew(Protocol[_W]):
    """Workers, wherever they are: those that do a unit, and those that wait for one."""

    busy: list[_W]

    def give(self, order: Order[Any]) -> None:
        """Have a unit done."""

    def ready(self) -> list[_W]:
        """Those that have something to say, or are gone."""

    def rest(self, worker: _W) -> None:
        """A unit is done."""

    def bury(self, worker: _W) -> str:
        """A worker is gone; how it ended, empty if that was not its unit's fault."""

    def dismiss(self) -> None:
        """End all."""


def do_with_crew(
    crew: Crew[_W],
    units: Sequence[U],
    workers: int,
    tell: Tell,
    give_up: Callable[[U, str], str],
) -> Iterator[U]:
    """Do units with so many workers; each is given when it is done, in any order.

    A worker that dies is replaced, and its unit tried again with care.

    Args:
        crew: the workers.
        units: to do.
        workers: how many at once.
        tell: takes a unit and what is heard of it.
        give_up: takes a unit that two workers died of, and how; gives what the next one that does
            what is left of it is told.

    Raises:
        Exception: what a worker raised; all are ended.
    """
    waiting: deque[U] = deque(units)
    attempts: dict[int, int] = {}
    given_up: dict[int, str] = {}
    try:
        while waiting or crew.busy:
            while waiting and len(crew.busy) < workers:
                unit: U = waiting.popleft()
                careful = attempts.get(unit.index, 0) > 0
                crew.give(Order(unit, careful, given_up.get(unit.index, "")))
            for worker in crew.ready():
                unit = worker.order.unit
                try:
                    message = worker.connection.recv()
                except (EOFError, OSError):
                    ended = crew.bury(worker)
                    waiting.appendleft(unit)
                    if not ended:
                        continue
                    attempts[unit.index] = attempts.get(unit.index, 0) + 1
                    if attempts[unit.index] >= _ATTEMPTS:
                        why = f"Failed: the process that read it was ended twice ({ended})."
                        given_up[unit.index] = give_up(unit, why)
                    continue
                if isinstance(message, BaseException):
                    raise message
                if message is None:
                    crew.rest(worker)
                    yield unit
                else:
                    tell(unit, *message)
    finally:
        crew.dismiss()
