"""What every data set becomes: samples with the labels that are known, and nothing else.

A label that a set does not have, or that its coders could not see, is absent: no mapping has a key
for it, and the single values are None. So sets with different labels can be joined, and a loss or
a metric never meets an invented 0.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.facs import EMOTIONS, MAXIMUM_INTENSITY

SPLITS: Final = ("train", "validation", "test", "")
"""As delivered; "" where a set leaves the splitting to its users."""

_UNIT = re.compile(r"AU\d\d")
_EMPTY: Mapping[str, float] = {}


class DataError(ValueError):
    """A data set is not as it was delivered.

    Args:
        path: the file or folder that is missing or damaged.
        problem: what is wrong with it, as a clause that follows its name.
        tree: the expected tree, shown below the message; "" for none.
    """

    def __init__(self, path: Path | str, problem: str, tree: str = "") -> None:
        shown = f"\n\nExpected:\n{tree.rstrip()}" if tree else ""
        super().__init__(f"{path} {problem}{shown}")
        self.path = Path(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One labelled picture, or one labelled frame of a video.

    Samples with equal labels may share their mappings: never change one.

    Attributes:
        path: of the picture, or of the video if there is a `frame`.
        frame: number of the video's frame, 0 for the first; None for a picture.
        subject: who is seen; "" where the set does not say.
        sequence: task, trial or clip, unique within its subject; "" where there is none.
        presence: unit -> 1 present or 0 absent, of the units that were coded. Units are named as
            in `norface.facs`, with two digits; sets also code some that norface does not read.
        intensity: unit -> 0 (absent) to 5 (maximum), of the units that were coded.
        emotion: one of `norface.facs.EMOTIONS`.
        emotion_distribution: emotion -> share of the votes, summing to 1.
        valence, arousal: -1 to 1.
        split: one of `SPLITS`.
        box: left, top, right, bottom of the face in pixels, where the set has it.
        landmarks: (P, 2) x and y in pixels, where the set has them.

    Raises:
        ValueError: a label is out of its range or has an unknown name.
    """

    path: Path
    frame: int | None = None
    subject: str = ""
    sequence: str = ""
    presence: Mapping[str, int] = field(default_factory=dict)
    intensity: Mapping[str, float] = field(default_factory=dict)
    emotion: str | None = None
    emotion_distribution: Mapping[str, float] | None = None
    valence: float | None = None
    arousal: float | None = None
    split: str = ""
    box: tuple[float, float, float, float] | None = None
    landmarks: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for unit, present in self.presence.items():
            if present not in (0, 1) or not _UNIT.fullmatch(unit):
                raise ValueError(f"presence of {unit} must be 0 or 1, not {present!r}")
        for unit, intensity in self.intensity.items():
            if not 0.0 <= intensity <= MAXIMUM_INTENSITY or not _UNIT.fullmatch(unit):
                raise ValueError(f"intensity of {unit} must lie in 0..5, not {intensity!r}")
        if self.emotion is not None and self.emotion not in EMOTIONS:
            raise ValueError(f"emotion {self.emotion!r} is none of {', '.join(EMOTIONS)}")
        if self.emotion_distribution is not None:
            shares = self.emotion_distribution
            if not set(shares) <= set(EMOTIONS) or min(shares.values(), default=-1) < 0:
                raise ValueError(f"not a distribution over emotions: {dict(shares)}")
            if not math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6):
                raise ValueError(f"the shares of the emotions must sum to 1: {dict(shares)}")
        for name in ("valence", "arousal"):
            value = getattr(self, name)
            if value is not None and not -1.0 <= value <= 1.0:
                raise ValueError(f"{name} must lie in -1..1, not {value!r}")
        if self.split not in SPLITS:
            raise ValueError(f"split {self.split!r} is none of {', '.join(SPLITS[:-1])}")

    @property
    def labelled(self) -> bool:
        """Whether any label is known."""
        return bool(
            self.presence
            or self.intensity
            or self.emotion is not None
            or self.emotion_distribution is not None
            or self.valence is not None
            or self.arousal is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """What an adapter found.

    Attributes:
        name: as in `norface.data.catalog.ADAPTERS`.
        variant: which of the adapter's; "" where it has none.
        face_crops: whether each picture is a crop of one face, so that there is a face even where
            none is found.
        root: the folder that was read.
        samples: in the order of the subjects, sequences and frames.
        skipped: reason -> how many frames or pictures were left out for it.
        notes: what a reader of the results should know.
    """

    name: str
    root: Path
    samples: tuple[Sample, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    variant: str = ""
    face_crops: bool = False

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everyone who is seen, sorted; empty where the set does not say."""
        return tuple(sorted({s.subject for s in self.samples} - {""}))

    @property
    def units(self) -> tuple[str, ...]:
        """The units of which presence or intensity is known anywhere, sorted."""
        found: set[str] = set()
        for sample in self.samples:
            found.update(sample.presence, sample.intensity)
        return tuple(sorted(found))

    def presence_counts(self) -> dict[str, Counter[int]]:
        """Unit -> how many samples have it absent (0) and present (1)."""
        counts: dict[str, Counter[int]] = {}
        for sample in self.samples:
            for unit, present in sample.presence.items():
                counts.setdefault(unit, Counter())[present] += 1
        return dict(sorted(counts.items()))

    def intensity_counts(self) -> dict[str, Counter[int]]:
        """Unit -> how many samples have which intensity, rounded to the nearest level."""
        counts: dict[str, Counter[int]] = {}
        for sample in self.samples:
            for unit, intensity in sample.intensity.items():
                counts.setdefault(unit, Counter())[round(intensity)] += 1
        return dict(sorted(counts.items()))

    def emotion_counts(self) -> Counter[str]:
        """How many samples show which emotion."""
        return Counter(s.emotion for s in self.samples if s.emotion is not None)

    def fingerprint(self) -> str:
        """SHA-256 over all labels and relative paths, in order; the pixels are not read."""
        digest = hashlib.sha256()
        for s in self.samples:
            path = s.path.relative_to(self.root) if s.path.is_relative_to(self.root) else s.path
            row = (
                path.as_posix(), s.frame, s.subject, s.sequence, sorted(s.presence.items()),
                sorted(s.intensity.items()), s.emotion,
                sorted((s.emotion_distribution or _EMPTY).items()), s.valence, s.arousal, s.split,
            )  # fmt: skip
            digest.update(repr(row).encode())
        return digest.hexdigest()
