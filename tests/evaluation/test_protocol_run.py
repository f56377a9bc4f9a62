"""Weights on the test part of a fold: the same readings as elsewhere, and what is not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from norface.data import face_folder
from norface.data.catalog import read_data_set
from norface.data.prepared import prepare_set, read_prepared
from norface.data.protocols import Protocol
from norface.evaluation.predictions import PredictionsError
from norface.evaluation.protocol_run import FoldReading, read_protocol, read_rows
from norface.runtime.sessions import Weights

LABELS = ("AU06", "AU12", "AU25", "AU23")


def plan(task: Any, labels: tuple[str, ...]) -> Protocol:
    return Protocol(
        name="x", title="x", data_set="table", task=task, labels=labels, source="", folds=(("a",),)
    )


@pytest.fixture
def table(tmp_path: Path, people: list[Path], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A set of two people, and its faces."""
    monkeypatch.setattr(face_folder, "in_processes", lambda work, jobs, *_: map(work, jobs))
    rows = [f"{people[2]},a,3,1,0,2,happiness", f"{people[3]},b,1,0,1,1,neutral"]
    header = "path,subject,AU12_r,AU25_r,AU06_r,AU23_r,emotion"
    (tmp_path / "table.csv").write_text("\n".join([header, *rows]) + "\n")
    data = read_data_set("table", tmp_path / "table.csv")
    prepare_set(data, tmp_path / "faces", say=lambda _: None)
    return data, read_prepared(tmp_path / "faces", data)


def test_readings_are_those_of_the_analyzer(table: Any, people: list[Path], norface: Any) -> None:
    data, faces = table
    said: list[str] = []
    protocol = plan("intensity", LABELS)
    tested = [FoldReading(protocol.divide(data)[0], 0, None)]
    predictions, unread = read_protocol(protocol, tested, faces, data, threads=1, say=said.append)
    assert unread == {"AU23": 1}
    assert predictions.subject.tolist() == ["a"]
    assert predictions.truth.tolist() == [[0.0, 3.0, 1.0, 2.0]]
    units = norface.analyze(people[2])[0].action_units
    expected = [units[label].intensity for label in LABELS[:3]]
    # The cache resamples the face once more.
    np.testing.assert_allclose(predictions.score[0, :3], expected, atol=0.3)
    assert np.isnan(predictions.score[0, 3])


def test_emotions_that_do_not_count_are_no_answer(
    table: Any, people: list[Path], norface: Any
) -> None:
    data, faces = table
    protocol = plan("emotion", ("neutral", "happiness"))
    tested = [FoldReading(protocol.divide(data)[0], 0, None)]
    predictions, _ = read_protocol(protocol, tested, faces, data, threads=1, say=lambda _: None)
    emotions = norface.analyze(people[2])[0].emotions
    share = emotions["happiness"] / (emotions["happiness"] + emotions["neutral"])
    assert predictions.score[0] == pytest.approx([1 - share, share], abs=0.05)


def test_nothing_in_common(table: Any) -> None:
    data, faces = table
    protocol = plan("intensity", ("AU23",))
    tested = [FoldReading(protocol.divide(data)[0], 0, None)]
    with pytest.raises(PredictionsError, match="read none of the labels"):
        read_protocol(protocol, tested, faces, data, threads=1, say=lambda _: None)


def test_a_task_is_read_by_its_networks_alone(table: Any) -> None:
    _, faces = table
    rows = np.array([0, 1])
    read = read_rows(Weights(), faces, rows, tasks=("emotion",), threads=1)
    assert read.intensity is None
    assert read.probability is None
    assert read.emotion is not None
    assert read.emotion.shape == (2, 8)
    assert read_rows(Weights(), faces, rows, tasks=("presence",), threads=1).emotion is None
