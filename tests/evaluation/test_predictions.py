from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from norface.data.protocols import Protocol
from norface.data.sample import Sample
from norface.evaluation.prediction_files import read_csv, read_npz, write_csv, write_npz
from norface.evaluation.predictions import Predictions, PredictionsError

NAN = float("nan")


def _of(**changes: Any) -> Predictions:
    values: dict[str, Any] = {
        "truth": [[1, 0], [0, NAN], [NAN, NAN]],
        "score": [[0.9, 0.1], [NAN, NAN], [0.5, 0.5]],
        "path": ["a.png", "b.mp4", "b.mp4"],
        "frame": [-1, 0, 1],
        "subject": ["F001", "F002", "F002"],
        "sequence": "T1",
        "threshold": [0.5, 0.4],
        "neutral": [False, True, False],
        "fold": [0, 1, 1],
    }
    return Predictions.of("presence", ["AU01", "AU12"], **{**values, **changes})


def _equal(a: Predictions, b: Predictions) -> None:
    assert (a.task, a.labels) == (b.task, b.labels)
    for name in ("truth", "score", "threshold", "frame", "fold", "neutral"):
        assert np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True), name
    for name in ("subject", "sequence", "path"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist()


def test_files_keep_everything(tmp_path: Path) -> None:
    written = _of(subject=["F001", "", 'ä,"b"'])
    write_npz(written, tmp_path / "p.npz")
    _equal(read_npz(tmp_path / "p.npz"), written)
    write_csv(written, tmp_path / "p.csv")
    _equal(read_csv(tmp_path / "p.csv", "presence", threshold=[0.5, 0.4]), written)


def test_a_small_table_of_another_tool(tmp_path: Path) -> None:
    table = tmp_path / "p.csv"
    table.write_text("path,AU12_truth,AU12_score,other\na.png,3,2.5,x\nb.png,,nan,y\n")
    read = read_csv(table, "intensity")
    assert read.labels == ("AU12",)
    assert np.array_equal(read.truth, [[3], [NAN]], equal_nan=True)
    assert not read.has_subjects
    assert read.frame.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,AU12_truth,AU12_score\na,1,1\n", "lacks a column 'path'"),
        ("path,AU12_truth\na,1\n", "no label"),
        ("path,AU12_truth,AU12_score\na,1\n", "line 2: not as many"),
        ("path,AU12_truth,AU12_score\na,1,1\nb,x,1\n", "line 3: AU12_truth is no number: 'x'"),
        ("path,AU12_truth,AU12_score\na,1,1.5\n", "a: score of AU12 must lie in 0..1, not 1.5"),
        ("path,AU12_truth,AU12_score\na,1,1\na,1,1\n", "a occurs more than once"),
        ("", "lacks"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    table = tmp_path / "p.csv"
    table.write_text(text)
    with pytest.raises(PredictionsError, match=said) as error:
        read_csv(table, "presence")
    assert "p.csv" in str(error.value)


def test_a_wrong_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="cannot be read"):
        read_npz(tmp_path / "none.npz")
    with pytest.raises(PredictionsError, match="cannot be read"):
        read_csv(tmp_path / "none.csv", "presence")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(PredictionsError, match="cannot be read"):
        read_npz(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", truth=np.zeros(3))
    with pytest.raises(PredictionsError, match="no predictions of norface"):
        read_npz(tmp_path / "other.npz")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"truth": [[1, 0.5], [0, 0], [0, 0]]}, "a.png: truth of AU12 must be 0 or 1, not 0.5"),
        ({"score": [[0, 0], [0, 0], [-0.1, 0]]}, "b.mp4, frame 1: score of AU01 must lie in 0..1"),
        ({"score": [[0, 0], [0, np.inf], [0, 0]]}, "b.mp4, frame 0: score of AU12"),
        ({"truth": [[1, 0]]}, r"truth has the shape \(1, 2\) in place of \(3, 2\)"),
        ({"subject": ["a"]}, "subject has the shape"),
        ({"threshold": [0.5, 0.4, 0.3]}, "threshold has the shape"),
        ({"frame": [-1, 1, 1]}, "b.mp4, frame 1 occurs more than once"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PredictionsError, match=said):
        _of(**changes)


def test_tasks_have_their_ranges() -> None:
    one: dict[str, Any] = {"path": ["a"]}
    with pytest.raises(PredictionsError, match="different names"):
        Predictions.of("presence", ["AU01", "AU01"], truth=[[1, 1]], score=[[1, 1]], **one)
    with pytest.raises(PredictionsError, match=r"truth of AU01 must lie in 0\.\.5"):
        Predictions.of("intensity", ["AU01"], truth=[[6]], score=[[1]], **one)
    Predictions.of("intensity", ["AU01"], truth=[[5]], score=[[5.7]], **one)
    with pytest.raises(PredictionsError, match="one class"):
        Predictions.of("emotion", ["a", "b"], truth=[[1, 1]], score=[[0.5, 0.5]], **one)
    with pytest.raises(PredictionsError, match="sum to 1"):
        Predictions.of("emotion", ["a", "b"], truth=[[1, 0]], score=[[0.5, 0.2]], **one)
    with pytest.raises(PredictionsError, match="task"):
        Predictions.of("smile", ["a"], truth=[[1]], score=[[1]], **one)  # type: ignore[arg-type]


def test_missing_frames_have_a_truth_and_no_score() -> None:
    assert _of().missing.tolist() == [False, True, False]
    assert _of().chosen(np.array([2, 0])).path.tolist() == ["b.mp4", "a.png"]


def test_truth_of_a_protocol() -> None:
    samples = [
        Sample(path=Path("a"), presence={"AU01": 1}, intensity={"AU12": 1.0}, emotion="fear"),
        Sample(path=Path("b"), frame=4, subject="S", intensity={"AU12": 2.0}, valence=-0.5),
    ]
    units = ("AU01", "AU12")
    for task, labels, active_from, expected in (
        ("presence", units, None, [[1, NAN], [NAN, NAN]]),
        ("presence", units, 2, [[1, 0], [NAN, 1]]),
        ("intensity", units, None, [[NAN, 1], [NAN, 2]]),
        ("emotion", ("fear", "anger"), None, [[1, 0], [NAN, NAN]]),
        ("affect", ("valence", "arousal"), None, [[NAN, NAN], [-0.5, NAN]]),
    ):
        protocol = Protocol(
            name="x", title="x", data_set="table", source="x",
            task=task, labels=labels, active_from=active_from,
        )  # fmt: skip
        made = Predictions.of_protocol(protocol, samples, score=np.full((2, 2), 0.5), fold=[0, 1])
        assert np.array_equal(made.truth, expected, equal_nan=True)
        assert (made.task, made.labels) == (task, labels)
        assert (made.frame.tolist(), made.subject.tolist()) == ([-1, 4], ["", "S"])
