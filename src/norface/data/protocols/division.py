"""One training part and one test part, with nobody in both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from norface.data.sample import Sample


class LeakError(ValueError):
    """Something of the test part would reach the training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """What is trained on and what is tested on, in one fold.

    Every network of a fold, F_nor as well as F_cla, learns from `train` alone. (Whether the paper's
    F_nor saw the test people of a fold is not said; ours does not.)

    Attributes:
        name: of the fold, e.g. ``"fold 1"``; ``"test"`` where there is only one.
        train: samples to learn from; empty for protocols that only test.
        validation: samples to choose by; empty where the protocol has none.
        test: samples to score on.
        held_out: the people of the test part, as they are named in the training's data; empty where
            the sets do not name people.

    Raises:
        LeakError: a person of `held_out`, or a frame, is in two parts.
    """

    name: str
    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    test: tuple[Sample, ...]
    held_out: frozenset[str]

    def __post_init__(self) -> None:
        self.refuse(self.train)
        self.refuse(self.validation)
        train, validation = _places(self.train), _places(self.validation)
        both = train & validation
        if both:
            raise LeakError(f"{self.name}: {_named(both)} both to learn from and to choose by")

    def with_validation(self, people: int) -> Division:
        """The same fold, with some people of its training part to choose by.

        Ours: protocols of folds have no validation part, and to choose by the test part is a leak.

        Args:
            people: how many, at least 1; evenly spread over the sorted names of the training part.

        Raises:
            ValueError: there is a validation part already, or not one person would be left to learn
                from.
        """
        names = sorted({sample.subject for sample in self.train} - {""})
        if self.validation or not 1 <= people < len(names):
            raise ValueError(
                f"{self.name}: cannot take {people} of {len(names)} people to choose by"
            )
        chosen = {names[i * len(names) // people] for i in range(people)}
        return replace(
            self,
            train=tuple(s for s in self.train if s.subject not in chosen),
            validation=tuple(s for s in self.train if s.subject in chosen),
        )

    def refuse(self, samples: Iterable[Sample]) -> None:
        """Check that nothing of the test part is among samples of the training's data.

        Call it on whatever a network of this fold is to learn from, pre-training included.

        Raises:
            LeakError: a person of `held_out` or a frame of `test` is among them.
        """
        tested = _places(self.test)
        for sample in samples:
            if sample.subject in self.held_out:
                raise LeakError(
                    f"{self.name}: {sample.path} shows {sample.subject}, who is tested on"
                )
            if (str(sample.path), sample.frame) in tested:
                raise LeakError(f"{self.name}: {sample.path} is tested on")


def _places(samples: Iterable[Sample]) -> set[tuple[str, int | None]]:
    return {(str(sample.path), sample.frame) for sample in samples}


def _named(places: set[tuple[str, int | None]]) -> str:
    path, frame = min(places, key=str)
    return path if frame is None else f"frame {frame} of {path}"
