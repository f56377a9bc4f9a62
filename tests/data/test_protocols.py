from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from norface.data.catalog import ADAPTERS
from norface.data.protocols import (
    Division,
    LeakError,
    Protocol,
    cross,
    cross_pairs,
    protocol,
    protocol_names,
)
from norface.data.sample import DataError, DataSet, Sample

ROOT = Path("/set")


def labelled(one: Protocol, number: int, subject: str = "", split: str = "") -> Sample:
    """A sample with every label that a protocol counts."""
    labels = one.labels
    return Sample(
        path=ROOT / one.data_set / f"{subject}{split}{number}.jpg",
        subject=subject,
        split=split,
        presence=dict.fromkeys(labels, number % 2) if one.task == "presence" else {},
        intensity={u: float(number % 6) for u in labels} if one.task == "intensity" else {},
        emotion=labels[number % len(labels)] if one.task == "emotion" else None,
        valence=0.5 if one.task == "affect" else None,
        arousal=0.5 if one.task == "affect" else None,
    )


def made_for(one: Protocol) -> DataSet:
    people = sorted({person for fold in one.folds for person in fold})
    if len(one.folds) == 1:
        people += ["X001", "X002"]
    places = [(p, "") for p in people] or [("", s) for s in ("train", "validation", "test")]
    samples = tuple(labelled(one, n, p, s) for p, s in places for n in range(3))
    return DataSet(name=one.data_set, root=ROOT, samples=samples, variant=one.variant or "")


@pytest.mark.parametrize("name", protocol_names())
def test_nothing_of_the_test_part_is_in_the_training(name: str) -> None:
    one = protocol(name)
    data = made_for(one)
    divisions = one.divide(data)
    assert len(divisions) == max(len(one.folds), 1)
    for division in divisions:
        assert division.test
        learned = {s.subject for s in (*division.train, *division.validation)}
        assert not learned & division.held_out
        assert {s.subject for s in division.test} - {""} == division.held_out
        places = [s.path for part in (division.train, division.validation, division.test)
                  for s in part]  # fmt: skip
        assert len(set(places)) == len(places)
        if one.folds:
            assert len(division.train) + len(division.test) == len(data)
            sample = division.test[-1]
            with pytest.raises(LeakError):
                division.refuse([sample])
            # Another frame of the same person, from another camera, another task.
            with pytest.raises(LeakError, match=sample.subject):
                division.refuse([replace(sample, path=ROOT / "other.avi", frame=7)])
    if len(one.folds) > 1:
        tested = [s.path for d in divisions for s in d.test]
        assert sorted(tested) == sorted(s.path for s in data.samples)


@pytest.mark.parametrize("name", [*protocol_names(), *cross_pairs()])
def test_every_protocol_is_of_a_set_that_is_read(name: str) -> None:
    one = protocol(name)
    for data_set, variant in ((one.data_set, one.variant), (one.test_set, one.test_variant)):
        if data_set:
            assert data_set in ADAPTERS
            assert variant is None or variant in ADAPTERS[data_set].variants
    assert one.source
    assert bool(one.folds) == bool(one.folds_source)


def test_the_lists_of_people() -> None:
    bp4d, disfa = protocol("bp4d-detection"), protocol("disfa-detection")
    assert [len(fold) for fold in bp4d.folds] == [14, 14, 13]
    assert {p for fold in bp4d.folds for p in fold} == {
        *(f"F{n:03d}" for n in range(1, 24)),
        *(f"M{n:03d}" for n in range(1, 19)),
    }
    assert [len(fold) for fold in disfa.folds] == [9, 9, 9]
    for name in ("bp4d-plus-detection", "bp4d-plus-detection-4fold"):
        people = {p for fold in protocol(name).folds for p in fold}
        women = {f"F{n:03d}" for n in range(1, 83)}
        assert people == women | {f"M{n:03d}" for n in range(1, 59)}
    (tested,) = protocol("bp4d-intensity-fera2015").folds
    assert all(int(person[1:]) % 2 == 0 for person in tested)


def test_the_threshold_of_disfa() -> None:
    one = protocol("disfa-detection")
    sample = Sample(path=ROOT, intensity={"AU01": 1.0, "AU02": 2.0, "AU05": 5.0})
    assert one.truth(sample) == {"AU01": 0.0, "AU02": 1.0}


def test_truths() -> None:
    seven, eight = protocol("affectnet-7"), protocol("affectnet-8")
    contempt = Sample(path=ROOT, emotion="contempt")
    assert seven.truth(contempt) == {}
    assert eight.truth(contempt)["contempt"] == 1.0
    assert sum(eight.truth(contempt).values()) == 1.0
    affect = protocol("affectnet-affect")
    assert affect.truth(Sample(path=ROOT, valence=0.0)) == {"valence": 0.0}
    # BP4D codes presence: an intensity says nothing about it.
    bp4d = protocol("bp4d-detection")
    assert bp4d.truth(Sample(path=ROOT, intensity={"AU12": 3.0})) == {}


def test_people_that_are_missing_or_unknown() -> None:
    one = protocol("disfa-detection")
    data = replace(made_for(protocol("disfa-intensity")), name="disfa")
    fewer = replace(data, samples=tuple(s for s in data.samples if s.subject != "SN001"))
    with pytest.raises(DataError, match="SN001"):
        one.divide(fewer)
    assert len(one.divide(fewer, partial=True)) == 3
    more = replace(data.samples[0], subject="SN099")
    with pytest.raises(DataError, match="SN099"):
        one.divide(replace(data, samples=(*data.samples, more)))


def test_another_set_or_variant() -> None:
    data = made_for(protocol("fer2013-7"))
    with pytest.raises(DataError, match="is for fer2013 ferplus"):
        protocol("ferplus-8").divide(data)
    with pytest.raises(DataError, match="is for rafdb"):
        protocol("rafdb-7").divide(data)
    protocol("rafdb-7").divide(replace(data, name="table"))


def test_a_copy_without_the_last_test_part() -> None:
    data = made_for(protocol("fer2013-7"))
    public = replace(data, samples=tuple(s for s in data.samples if s.split != "test"))
    with pytest.raises(DataError, match=r"delivered split test; there are .*fer2013-7-public"):
        protocol("fer2013-7").divide(public)
    (division,) = protocol("fer2013-7-public").divide(public)
    assert {s.split for s in division.test} == {"validation"}
    assert {s.split for s in division.train} == {"train"}
    assert not division.validation


@pytest.mark.parametrize("name", [p for p in protocol_names() if protocol(p).instead])
def test_what_is_named_instead(name: str) -> None:
    own, other = protocol(name), protocol(protocol(name).instead)
    assert (own.data_set, own.variant, own.labels) == (other.data_set, other.variant, other.labels)
    assert set(other.splits.values()) < set(own.splits.values())


@pytest.mark.parametrize("name", cross_pairs())
def test_runs_across_sets(name: str) -> None:
    train_name, _, test_name = name.partition(":")
    train, test = protocol(train_name), protocol(test_name)
    one = protocol(name)
    assert set(one.labels) == set(train.labels) & set(test.labels)
    (division,) = one.divide(made_for(train), made_for(test))
    assert division.train
    assert all(s.path.parent.name == train.data_set for s in division.train)
    assert all(s.path.parent.name == test.data_set for s in division.test)


def test_crossing_sets_with_the_same_people() -> None:
    # Presence is given here, so the threshold does not matter.
    disfa, plus = protocol("disfa-detection"), protocol("disfa-plus-detection")
    one = cross(disfa, plus)
    seen = DataSet(name="disfa-plus", root=ROOT, samples=(labelled(plus, 0, "SN001"),))
    (division,) = one.divide(made_for(disfa), seen)
    assert division.held_out == {"SN001"}
    assert "SN001" not in {s.subject for s in division.train}
    # BP4D and BP4D+ give the same names to other people.
    bp4d, bp4d_plus = protocol("bp4d-detection"), protocol("bp4d-plus-detection")
    (division,) = cross(bp4d, bp4d_plus).divide(made_for(bp4d), made_for(bp4d_plus))
    assert len(division.train) == len(made_for(bp4d))


def test_what_cannot_be_crossed() -> None:
    for train, test in (
        ("bp4d-detection", "bp4d-intensity"),
        ("bp4d-detection", "bp4d-detection"),
        ("rafdb-7", "disfa-intensity"),
    ):
        with pytest.raises(ValueError, match=r"label in common|both are of"):
            cross(protocol(train), protocol(test))
    with pytest.raises(ValueError, match="no protocol"):
        protocol("bp5d")


def test_a_leak_is_refused() -> None:
    one = Sample(path=ROOT / "a.jpg", subject="p1", emotion="fear")
    other = Sample(path=ROOT / "b.jpg", subject="p2", emotion="fear")
    with pytest.raises(LeakError, match="p1"):
        Division(name="f", train=(one, other), validation=(), test=(one,),
                 held_out=frozenset({"p1"}))  # fmt: skip
    with pytest.raises(LeakError, match="tested on"):
        Division(name="f", train=(one,), validation=(), test=(one,), held_out=frozenset())
    with pytest.raises(LeakError, match="choose by"):
        Division(name="f", train=(one,), validation=(one,), test=(other,), held_out=frozenset())


def test_a_person_in_two_folds() -> None:
    with pytest.raises(ValueError, match="two folds"):
        replace(protocol("disfa-detection"), folds=(("SN001",), ("SN001", "SN002")))


def test_people_to_choose_by_are_of_the_training_part() -> None:
    data = made_for(protocol("disfa-intensity"))
    for fold in protocol("disfa-intensity").divide(data):
        chosen = fold.with_validation(3)
        people = {s.subject for s in chosen.validation}
        assert len(people) == 3
        assert not people & (fold.held_out | {s.subject for s in chosen.train})
        assert len(chosen.train) + len(chosen.validation) == len(fold.train)
        assert chosen.test == fold.test
        for wrong in (0, 18):
            with pytest.raises(ValueError, match="to choose by"):
                fold.with_validation(wrong)
        with pytest.raises(ValueError, match="to choose by"):
            chosen.with_validation(1)


def test_labels_that_are_not_there() -> None:
    detection = made_for(protocol("bp4d-detection"))
    for name in ("bp4d-intensity", "bp4d-intensity-fera2015"):
        with pytest.raises(DataError, match="no sample with a label"):
            protocol(name).divide(detection)
