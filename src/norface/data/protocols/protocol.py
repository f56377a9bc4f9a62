"""What a protocol says, and how it divides a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from norface.data.protocols.division import Division
from norface.data.sample import DataError, DataSet, Sample
from norface.facs import EMOTIONS

Task: TypeAlias = Literal["presence", "intensity", "emotion", "affect"]
TASKS: Final = get_args(Task)

_AFFECT: Final = ("valence", "arousal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Labels, threshold and division of a data set, or of a pair of them.

    Attributes:
        name: e.g. ``"disfa-detection"``.
        title: for people.
        data_set: what is trained on, a name of `norface.data.catalog.ADAPTERS`.
        variant: of the data set; None for the adapter's default.
        task: which labels count.
        labels: units, emotions (those of other emotions are left out), or valence and arousal.
        active_from: intensity from which a unit counts as present where only its intensity was
            coded; None where presence is coded.
        folds: the people tested in each fold; the others are trained on. Empty for other divisions.
        folds_source: where the lists of people come from.
        splits: role (train, validation, test) -> delivered split. Without folds and splits all of
            the set is the test part.
        test_set: another data set to test on, all of it or its split for ``test``; "" for none.
        test_variant: of the test set.
        test_split: delivered split of the test set to test on; "" for all of it.
        shared_people: whether equal names in both sets are the same people.
        source: where the protocol comes from, and what of it is ours.
        instead: a protocol for those who lack one of the delivered splits; "" for none.

    Raises:
        ValueError: the fields contradict each other.
    """

    name: str
    title: str
    data_set: str
    task: Task
    labels: tuple[str, ...]
    source: str
    variant: str | None = None
    active_from: float | None = None
    folds: tuple[tuple[str, ...], ...] = ()
    folds_source: str = ""
    splits: Mapping[str, str] = field(default_factory=dict)
    test_set: str = ""
    test_variant: str | None = None
    test_split: str = ""
    shared_people: bool = False
    instead: str = ""

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"{self.name}: task {self.task!r} is none of {', '.join(TASKS)}")
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"{self.name}: labels must be different names")
        if self.task == "emotion" and not set(self.labels) <= set(EMOTIONS):
            raise ValueError(f"{self.name}: labels must be emotions")
        if self.task == "affect" and not set(self.labels) <= set(_AFFECT):
            raise ValueError(f"{self.name}: labels must be valence or arousal")
        if bool(self.folds) + bool(self.splits) > 1:
            raise ValueError(f"{self.name}: folds or splits, not both")
        people = [person for fold in self.folds for person in fold]
        if len(set(people)) != len(people):
            raise ValueError(f"{self.name}: a person is tested in two folds")
        if self.splits and not {"test"} <= set(self.splits) <= {"train", "validation", "test"}:
            raise ValueError(f"{self.name}: splits must say at least what the test part is")

    def truth(self, sample: Sample) -> dict[str, float]:
        """The known labels of a sample that count here.

        Returns:
            Unit -> 0 or 1; unit -> 0 to 5; each emotion of `labels` -> 1 for the one that is shown
            and 0; or valence and arousal, -1 to 1. Empty when none is known, and for an emotion
            that does not count.
        """
        if self.task == "intensity":
            return {u: float(sample.intensity[u]) for u in self.labels if u in sample.intensity}
        if self.task == "emotion":
            if sample.emotion not in self.labels:
                return {}
            return {emotion: float(emotion == sample.emotion) for emotion in self.labels}
        if self.task == "affect":
            values = {"valence": sample.valence, "arousal": sample.arousal}
            return {n: v for n in self.labels if (v := values[n]) is not None}
        return {u: float(p) for u in self.labels if (p := self._presence(sample, u)) is not None}

    def _presence(self, sample: Sample, unit: str) -> bool | None:
        if unit in sample.presence:
            return bool(sample.presence[unit])
        if self.active_from is None or unit not in sample.intensity:
            return None
        return sample.intensity[unit] >= self.active_from

    def divide(
        self, data: DataSet, test: DataSet | None = None, *, partial: bool = False
    ) -> tuple[Division, ...]:
        """Divide a data set; samples without any label that counts are left out.

        Args:
            data: what was read of `data_set`.
            test: what was read of `test_set`, for protocols that have one.
            partial: go on when people of the lists are missing in the data.

        Returns:
            One division for each fold, or a single one.

        Raises:
            DataError: the data are of another set; people are missing, or are in no fold; a part is
                empty.
            LeakError: a person or a frame is in two parts.
        """
        self._check_set(data, self.data_set, self.variant)
        used = [sample for sample in data.samples if self.truth(sample)]
        if self.test_set:
            return (self._crossed(data, used, test),)
        if self.folds:
            return self._folded(data, used, partial=partial)
        parts = {role: _of_split(used, split) for role, split in self.splits.items()}
        if not self.splits:
            parts = {"test": tuple(used)}
        for role, part in parts.items():
            if not part:
                raise self._no_part(data, used, role)
        tested = parts["test"]
        return (
            Division(
                name="test",
                train=parts.get("train", ()),
                validation=parts.get("validation", ()),
                test=tested,
                held_out=_people(tested),
            ),
        )

    def _no_part(self, data: DataSet, used: list[Sample], role: str) -> DataError:
        split = self.splits.get(role)
        delivered = Counter(s.split for s in used if s.split)
        said = ", ".join(f"{count} of {name}" for name, count in sorted(delivered.items()))
        problem = f"has no sample for the part {role} of {self.name}"
        if split:
            problem += f", the delivered split {split}; there are {said or 'none of any split'}"
        if self.instead:
            problem += f". The protocol {self.instead} needs fewer parts"
        return DataError(data.root, problem)

    def _folded(self, data: DataSet, used: list[Sample], *, partial: bool) -> tuple[Division, ...]:
        listed = {person for fold in self.folds for person in fold}
        missing = listed - set(data.subjects)
        if missing and not partial:
            raise DataError(
                data.root,
                f"lacks people that {self.name} tests on: {', '.join(sorted(missing))}. Complete "
                "the set, or divide what there is with partial",
            )
        # A single fold tests some people once; several test everybody once.
        unlisted = set(data.subjects) - listed if len(self.folds) > 1 else set()
        if unlisted:
            raise DataError(
                data.root,
                f"holds people who are in no fold of {self.name}: {', '.join(sorted(unlisted))}",
            )
        divisions = []
        for number, fold in enumerate(self.folds, start=1):
            held_out = frozenset(fold)
            tested = tuple(s for s in used if s.subject in held_out)
            if not tested:
                if partial:
                    continue
                raise DataError(
                    data.root, f"has no sample with a label of {self.name} in fold {number}"
                )
            divisions.append(
                Division(
                    name=f"fold {number}" if len(self.folds) > 1 else "test",
                    train=tuple(s for s in used if s.subject not in held_out),
                    validation=(),
                    test=tested,
                    held_out=held_out,
                )
            )
        return tuple(divisions)

    def _crossed(self, data: DataSet, used: list[Sample], test: DataSet | None) -> Division:
        if test is None:
            raise DataError(data.root, f"is what {self.name} trains on; give {self.test_set} too")
        self._check_set(test, self.test_set, self.test_variant)
        tested = tuple(
            s
            for s in test.samples
            if self.truth(s) and (not self.test_split or s.split == self.test_split)
        )
        held_out = _people(tested) if self.shared_people else frozenset()
        kept = [s for s in used if s.subject not in held_out]
        splits = self.splits or {"train": ""}
        train, validation = (
            _of_split(kept, splits[role]) if role in splits else ()
            for role in ("train", "validation")
        )
        if not train or not tested:
            which = data if not train else test
            raise DataError(which.root, f"has no sample with a label of {self.name}")
        return Division(
            name="test", train=train, validation=validation, test=tested, held_out=held_out
        )

    def _check_set(self, data: DataSet, name: str, variant: str | None) -> None:
        # A table may be anybody's copy of any set.
        if data.name == "table":
            return
        if data.name != name or variant not in (None, data.variant):
            wanted, got = f"{name} {variant or ''}", f"{data.name} {data.variant}"
            raise DataError(
                data.root, f"was read as {got.strip()}; {self.name} is for {wanted.strip()}"
            )


def _of_split(samples: Iterable[Sample], split: str) -> tuple[Sample, ...]:
    return tuple(s for s in samples if not split or s.split == split)


def _people(samples: Iterable[Sample]) -> frozenset[str]:
    return frozenset(s.subject for s in samples) - {""}
