from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from norface.data.sample import DataSet, Sample

ROOT = Path("/set")


@pytest.mark.parametrize(
    "labels",
    [
        {"presence": {"AU06": 2}},
        {"presence": {"AU6": 1}},
        {"intensity": {"AU06": 5.5}},
        {"intensity": {"AU06": float("nan")}},
        {"emotion": "joy"},
        {"emotion_distribution": {"fear": 0.5}},
        {"emotion_distribution": {"fear": 1.5, "anger": -0.5}},
        {"valence": -2.0},
        {"arousal": 1.1},
        {"split": "training"},
    ],
)
def test_labels_out_of_range(labels: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|none of|distribution"):
        Sample(path=ROOT / "a.jpg", **labels)


def test_what_counts_as_a_label() -> None:
    assert not Sample(path=ROOT, subject="a", split="train").labelled
    for labels in ({"presence": {"AU06": 0}}, {"valence": 0.0}, {"emotion": "fear"}):
        assert Sample(path=ROOT, **labels).labelled


def test_counts_and_the_fingerprint() -> None:
    samples = (
        Sample(path=ROOT / "a.jpg", subject="b", presence={"AU06": 1}, intensity={"AU12": 2.4}),
        Sample(path=ROOT / "b.jpg", subject="a", presence={"AU06": 0}, emotion="fear"),
        Sample(path=ROOT / "c.jpg", presence={"AU04": 1}),
    )
    data = DataSet(name="table", root=ROOT, samples=samples)
    assert data.subjects == ("a", "b")
    assert data.units == ("AU04", "AU06", "AU12")
    assert data.presence_counts() == {"AU04": {1: 1}, "AU06": {0: 1, 1: 1}}
    assert data.intensity_counts() == {"AU12": {2: 1}}
    assert data.emotion_counts() == {"fear": 1}
    moved = replace(
        data,
        root=Path("/other"),
        samples=tuple(replace(s, path=Path("/other") / s.path.name) for s in samples),
    )
    assert moved.fingerprint() == data.fingerprint()
    other = replace(samples[0], presence={"AU06": 0})
    assert replace(data, samples=(other, *samples[1:])).fingerprint() != data.fingerprint()
