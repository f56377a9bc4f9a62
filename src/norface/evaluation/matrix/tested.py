"""A column of the matrix, opened: its samples, and the protocols that they are scored by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from norface.data.catalog import read_data_set
from norface.data.protocols import Division, Protocol, cross, protocol, protocol_names
from norface.data.sample import DataSet
from norface.evaluation.matrix.plan import PlanError, Test
from norface.evaluation.matrix.synfacs import SYNFACS, read_synfacs, synfacs_protocols

TRIED: Final = 4
"""Samples of each fold in a dry run."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A test set.

    Attributes:
        test: what the plan says.
        data: the set, with the tested samples alone.
        parts: each protocol with its divisions; one, but for the benchmark.
        delivered: whether the set itself says which samples are not to be learned from.
    """

    test: Test
    data: DataSet
    parts: tuple[tuple[Protocol, tuple[Division, ...]], ...]
    delivered: bool


def plans_of(test: Test) -> tuple[Protocol, ...]:
    """The protocols that a test comes to, one for each task.

    Raises:
        PlanError: there is none of that name, or it cannot be a column.
    """
    if test.protocol == SYNFACS:
        return synfacs_protocols()
    if ":" in test.protocol:
        raise PlanError(
            f"{test.protocol} crosses two sets, which the matrix does itself: name the one that is "
            "tested on"
        )
    try:
        plan = protocol(test.protocol)
    except ValueError as error:
        raise PlanError(f"{error}, {SYNFACS}") from error
    if plan.task == "affect":
        raise PlanError(f"{plan.name} is about valence and arousal, which norface does not read")
    if test.part == "test":
        return (plan,)
    if test.part not in plan.splits:
        there = ", ".join(plan.splits) or "test"
        raise PlanError(f"{plan.name} has no part {test.part}; there is {there}")
    return (
        replace(
            plan,
            name=f"{plan.name}@{test.part}",
            title=f"{plan.title}, {test.part} part",
            splits={"test": plan.splits[test.part]},
        ),
    )


def open_test(
    test: Test, *, partial: bool = False, skip_missing: bool = False, few: bool = False
) -> Tested:
    """Read the labels of a test set.

    Args:
        test: which.
        partial: go on when people of the protocol's lists are missing.
        skip_missing: leave labelled pictures out that are missing.
        few: only a few samples of each fold.

    Raises:
        PlanError: see `plans_of`.
        DataError: the set is not as it was delivered.
        BenchmarkError: the benchmark is not there or not finished.
    """
    plans = plans_of(test)
    if test.protocol == SYNFACS:
        data = read_synfacs(test.root, test.part)
    else:
        first = plans[0]
        data = read_data_set(first.data_set, test.root, first.variant, skip_missing=skip_missing)
    parts = []
    for plan in plans:
        divisions = plan.divide(data, partial=partial)
        if few:
            divisions = tuple(replace(d, test=d.test[:TRIED]) for d in divisions)
        parts.append((plan, divisions))
    tested = {
        (sample.path, sample.frame): sample
        for _, divisions in parts
        for division in divisions
        for sample in division.test
    }
    delivered = test.protocol == SYNFACS or bool(plans[0].splits)
    return Tested(test, replace(data, samples=tuple(tested.values())), tuple(parts), delivered)


def same_people(one: str, other: str) -> bool:
    """Whether equal names in two data sets are the same people."""
    if one == other:
        return True
    plans = [protocol(name) for name in protocol_names()]
    for a in (p for p in plans if p.data_set == one):
        for b in (p for p in plans if p.data_set == other):
            try:
                return cross(a, b).shared_people
            except ValueError:
                continue
    return False
