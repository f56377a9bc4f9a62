"""The protocols that come with norface: the JSON files beside this one.

``NAME.json`` holds the fields of `Protocol`; its ``folds`` name a file in ``folds/`` with lists of
people, which several protocols share. ``cross/pairs.json`` holds the pairs of protocols that are
crossed, and the sets that have people in common.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from norface.data.protocols.protocol import Protocol

_FOLDER = Path(__file__).parent


def protocol_names() -> tuple[str, ...]:
    """All protocols within one data set, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


@cache
def protocol(name: str) -> Protocol:
    """A protocol by its name; ``"A:B"`` trains as A does and tests as B does, see `cross`.

    Raises:
        ValueError: there is none.
    """
    if ":" in name:
        train, _, test = name.partition(":")
        return cross(protocol(train), protocol(test))
    if name not in protocol_names():
        raise ValueError(f"{name!r} is no protocol. There are {', '.join(protocol_names())}")
    fields = _read(_FOLDER / f"{name}.json")
    if "folds" in fields:
        lists = _read(_FOLDER / "folds" / f"{fields['folds']}.json")
        fields["folds"] = tuple(tuple(people) for people in lists["folds"])
        fields["folds_source"] = lists["source"]
    fields["labels"] = tuple(fields["labels"])
    return Protocol(name=name, **fields)


def cross_pairs() -> tuple[str, ...]:
    """The names of the runs across data sets, ``"TRAINED:TESTED"``."""
    pairs = _read(_FOLDER / "cross" / "pairs.json")["pairs"]
    return tuple(f"{train}:{test}" for train, test in pairs)


def cross(train: Protocol, test: Protocol) -> Protocol:
    """Train on one data set and test on another, over the labels that both have.

    Trained is on the whole set, or on its training split; tested on the whole set, or on its test
    split. People who are in both sets under one name are left out of the training.

    Raises:
        ValueError: they have different tasks, thresholds or no label in common, or are of one set.
    """
    name = f"{train.name}:{test.name}"
    labels = tuple(label for label in train.labels if label in test.labels)
    if train.task != test.task or not labels:
        raise ValueError(f"{name}: there is no label in common")
    if train.data_set == test.data_set:
        raise ValueError(f"{name}: both are of {train.data_set}")
    thresholds = {p.active_from for p in (train, test)} - {None}
    if len(thresholds) > 1:
        raise ValueError(f"{name}: units count as present from different intensities on")
    crossing = _read(_FOLDER / "cross" / "pairs.json")
    return Protocol(
        name=name,
        title=f"{train.title}; tested on {test.title}",
        data_set=train.data_set,
        variant=train.variant,
        task=train.task,
        labels=labels,
        active_from=next(iter(thresholds), None),
        splits=train.splits,
        test_set=test.data_set,
        test_variant=test.variant,
        test_split=test.splits.get("test", ""),
        shared_people={train.data_set, test.data_set} in map(set, crossing["shared_people"]),
        source=crossing["source"],
    )


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
