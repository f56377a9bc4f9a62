"""Options by which a training learns from one fold of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldConfig:
    """The training part of one fold of a protocol; nothing of its test part is read.

    Attributes:
        protocol: name of the protocol, as `norface data check` lists them, or ``"A:B"`` to train
            as A does for a test as B does; by default no data set is learned from.
        root: folder of the data set, as it was delivered; the labels are read from it.
        faces: folder of its faces, made by `norface data prepare`.
        number: of the fold, from 1.
        test_root: folder of the set that ``"A:B"`` tests on: people who are in both are left out.
        every: learn from every so manieth frame of a sequence.
        partial: go on when people of the protocol's lists are missing in the set.
        skip_missing: leave labelled pictures out that are missing.
        normalized: read the normalized faces that `norface data prepare --normalization` keeps,
            instead of making them at each step.

    Raises:
        ValueError: an option is missing or out of its range.
    """

    protocol: str | None = None
    root: Path | None = None
    faces: Path | None = None
    number: int = 1
    test_root: Path | None = None
    every: int = 1
    partial: bool = False
    skip_missing: bool = False
    normalized: bool = False

    def __post_init__(self) -> None:
        if self.protocol is None:
            given = [n for n in ("root", "faces", "test_root") if getattr(self, n) is not None]
            if given:
                raise ValueError(f"fold.{given[0]} needs fold.protocol")
            return
        for name in ("root", "faces"):
            if getattr(self, name) is None:
                raise ValueError(f"fold.protocol needs fold.{name}")
        if ":" in self.protocol and self.test_root is None:
            raise ValueError("a protocol of two data sets needs fold.test_root")
        for name in ("number", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"fold.{name} must be at least 1, not {getattr(self, name)}")

    def __bool__(self) -> bool:
        """Whether a data set is learned from."""
        return self.protocol is not None
