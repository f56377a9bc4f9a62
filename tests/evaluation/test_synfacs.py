"""The protocol's tables and scores, on a made-up benchmark without pictures."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from norface.evaluation.metrics import f1, icc_3_1, mean_squared_error
from norface.evaluation.synfacs import scores as scoring
from norface.evaluation.synfacs.report import markdown, write_results
from norface.evaluation.synfacs.scores import score
from norface.evaluation.synfacs.tables import (
    BenchmarkError,
    Predictions,
    Truth,
    read_predictions,
    read_truth,
)
from norface.facs import ACTION_UNIT_NAMES

PEOPLE, EACH = 8, 12
POSES = ("0", "30", "45")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A benchmark of 8 people with 12 pictures each; 9 of them compare poses."""
    random = np.random.default_rng(0)
    folder = tmp_path / "bench" / "test"
    folder.mkdir(parents=True)
    rows = []
    for person in range(PEOPLE):
        for i in range(EACH):
            values = np.where(random.random(len(ACTION_UNIT_NAMES)) < 0.4,
                              random.uniform(0, 5, len(ACTION_UNIT_NAMES)), 0)  # fmt: skip
            rows.append({
                "input": f"p{person:03d}_{i}.png", "person": f"test_{person:03d}",
                "stratum_pose": POSES[i % 3] if i < 9 else "",
                "stratum_gender": ("female", "male")[person % 2],
                **{f"{n}_r": round(v, 3) for n, v in zip(ACTION_UNIT_NAMES, values, strict=True)},
            })  # fmt: skip
    write(folder / "truth.csv", rows)
    about = {
        "name": "synfacs-v1",
        "design": {
            "digest": "0", "splits": {"test": {"people": PEOPLE, "pictures": len(rows)}},
            "strata": {"pose": POSES, "gender": ["female", "male"]},
        },
    }  # fmt: skip
    (folder.parent / "synfacs.json").write_text(json.dumps(about))
    return folder.parent


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def said_of(truth: Truth, intensity: np.ndarray) -> list[dict[str, object]]:
    """A tool's table."""
    rows = []
    for name, values in zip(truth.inputs, intensity, strict=True):
        row: dict[str, object] = {"input": name}
        for unit, value in zip(ACTION_UNIT_NAMES, values, strict=True):
            row |= {f"{unit}_r": value, f"{unit}_c": float(value >= 2)}
        rows.append(row)
    return rows


def perfect(truth: Truth) -> Predictions:
    said = truth.intensity.copy()
    return Predictions(said, (said >= 2).astype(float), np.ones(len(said), bool))


def test_perfect_predictions_are_perfect(root: Path, tmp_path: Path) -> None:
    truth = read_truth(root, "test")
    table = write(tmp_path / "said.csv", said_of(truth, truth.intensity))
    scores = score(truth, read_predictions(table, truth))
    for group in (scores.whole, *scores.strata["pose"].values(), *scores.strata["gender"].values()):
        for metric, ideal in (("f1", 1), ("f1_all", 1), ("icc", 1), ("mae", 0), ("mse", 0)):
            mean = group.means[metric]
            assert (mean.value, mean.low, mean.high) == pytest.approx((ideal,) * 3, abs=1e-7)
    assert scores.notes == ()


def test_shuffled_predictions_are_not(root: Path) -> None:
    truth = read_truth(root, "test")
    mixed = np.random.default_rng(1).permutation(truth.intensity)
    said = Predictions(mixed, (mixed >= 2).astype(float), np.ones(len(mixed), bool))
    means = score(truth, said).whole.means
    assert means["f1"].value < 0.5
    assert abs(means["icc"].value) < 0.2
    assert means["f1"].low < means["f1"].value < means["f1"].high


def test_strata_hold_their_pictures(root: Path) -> None:
    truth = read_truth(root, "test")
    strata = score(truth, perfect(truth)).strata
    assert {level: group.pictures for level, group in strata["pose"].items()} == {
        "0": 24, "30": 24, "45": 24,
    }  # fmt: skip
    assert list(strata["pose"]) == list(POSES)
    assert [group.people for group in strata["gender"].values()] == [4, 4]
    assert [group.pictures for group in strata["gender"].values()] == [48, 48]


def test_a_missed_face_counts_as_missing_and_as_nothing_shown(root: Path, tmp_path: Path) -> None:
    truth = read_truth(root, "test")
    rows = said_of(truth, truth.intensity)
    missed = truth.strata["pose"] == "45"
    for row, gone in zip(rows, missed, strict=True):
        if gone:
            row.update({key: "" for key in row if key != "input"})
    rows.pop(0)
    said = read_predictions(write(tmp_path / "said.csv", rows), truth)
    scores = score(truth, said)
    assert scores.whole.found == (~missed).sum() - 1
    assert scores.strata["pose"]["45"].detection_rate == 0
    assert math.isnan(scores.strata["pose"]["45"].means["f1"].value)
    assert scores.strata["pose"]["45"].means["f1_all"].value == 0
    assert scores.whole.means["f1"].value == 1
    assert scores.whole.means["f1_all"].value < 0.9
    assert "0.0%" in markdown(scores, about={})


def test_a_table_without_some_units_says_so(root: Path, tmp_path: Path) -> None:
    truth = read_truth(root, "test")
    rows = [
        {key: value for key, value in row.items() if key not in ("AU12_c", "AU26_r", "AU26_c")}
        for row in said_of(truth, truth.intensity)
    ]
    scores = score(truth, read_predictions(write(tmp_path / "said.csv", rows), truth))
    units = scores.whole.units
    assert math.isnan(units["AU12"]["f1"])
    assert math.isnan(units["AU12"]["f1_all"])
    assert units["AU12"]["icc"] == pytest.approx(1)
    assert scores.whole.means["f1"].undefined == 2
    assert scores.whole.means["icc"].undefined == 1
    assert any("presence" in note and "AU12" in note for note in scores.notes)
    write_results(scores, tmp_path, about={"tool": "other"})
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["all"]["units"]["AU12"]["f1"] is None
    assert "AU26" in "".join(results["notes"])
    assert "| AU12 |" in (tmp_path / "report.md").read_text()


def test_other_tools_tables_are_understood(root: Path, tmp_path: Path) -> None:
    truth = read_truth(root, "test")
    rows = []
    for row in said_of(truth, truth.intensity):
        named = {" " + key: value for key, value in row.items() if key != "input"}
        name = str(row["input"])
        rows.append({"input": f"C:\\data\\{name[:-4]}.csv", " width": 50, " height": 50, **named})
        # A smaller face that is somebody else's.
        other = {**dict.fromkeys(named, 0), "input": name, " width": 20, " height": 20}
        rows.append({key: other[key] for key in rows[0]})
    rows.append({**rows[0], "input": "holiday.jpg"})
    said = read_predictions(write(tmp_path / "said.csv", rows), truth)
    np.testing.assert_allclose(said.intensity, truth.intensity)
    assert any(note.startswith("1 rows name no picture") for note in said.notes)
    assert any(note.startswith(f"{PEOPLE * EACH} further faces") for note in said.notes)


def test_resampled_sums_give_the_metrics(root: Path) -> None:
    truth = read_truth(root, "test")
    random = np.random.default_rng(3)
    read = np.clip(truth.intensity + random.normal(0, 1, truth.intensity.shape), 0, 5)
    read[random.random(len(read)) < 0.1] = np.nan
    called = np.where(np.isnan(read), np.nan, read > 1.5)
    missed = np.isnan(read)
    who = np.unique(truth.person, return_inverse=True)[1]
    sums = scoring.sums_by_person(truth.intensity, read, called, missed, who, PEOPLE)
    whole = {name: values.sum(axis=0) for name, values in sums.items()}
    for a in range(len(ACTION_UNIT_NAMES)):
        ok = ~missed[:, a]
        true = truth.intensity[:, a]
        one = {name: values[a] for name, values in whole.items()}
        hits = 2 * one["hits"] / (one["present"] + one["called"])
        assert hits == pytest.approx(f1(true[ok] >= 2, called[ok, a] > 0.5))
        every = 2 * one["hits"] / (one["present_all"] + one["called"])
        assert every == pytest.approx(f1(true >= 2, np.nan_to_num(called[:, a]) > 0.5))
        spread = one["xx"] + one["yy"] - (one["x"] ** 2 + one["y"] ** 2) / one["n"]
        icc = 2 * (one["xy"] - one["x"] * one["y"] / one["n"]) / spread
        assert icc == pytest.approx(icc_3_1(true[ok], read[ok, a]))
        mse = (one["xx"] - 2 * one["xy"] + one["yy"]) / one["n"]
        assert mse == pytest.approx(mean_squared_error(true[ok], read[ok, a]))


def test_intervals_are_over_people(root: Path) -> None:
    truth = read_truth(root, "test")
    said = perfect(truth)
    wrong = truth.person == "test_000"
    said.intensity[:] = np.where(wrong[:, None], 5 - truth.intensity, truth.intensity)
    means = score(truth, said).whole.means["mae"]
    # One of eight people is always wrong: not in a third of the resamples, in many twice.
    assert means.low == 0
    assert means.high > 2.5 * means.value


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("synfacs.json", "holds no benchmark"),
        ("test/truth.csv", "unfinished"),
    ],
)
def test_an_unfinished_benchmark_is_told(root: Path, damage: str, said: str) -> None:
    (root / damage).unlink()
    with pytest.raises(BenchmarkError, match=said):
        read_truth(root, "test")


def test_useless_tables_are_told(root: Path, tmp_path: Path) -> None:
    truth = read_truth(root, "test")
    with pytest.raises(BenchmarkError, match="no column 'input'"):
        read_predictions(write(tmp_path / "a.csv", [{"file": "x", "AU01_r": 1}]), truth)
    with pytest.raises(BenchmarkError, match="AU01_r"):
        read_predictions(write(tmp_path / "b.csv", [{"input": "x", "AU1": 1}]), truth)
    with pytest.raises(BenchmarkError, match="cannot be read"):
        read_predictions(tmp_path / "none.csv", truth)
    with pytest.raises(BenchmarkError, match="no split 'tset'"):
        read_truth(root, "tset")
