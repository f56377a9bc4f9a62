"""A protocol of folds on a data set in miniature: the report, and who may read whom."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from norface.cli import main
from norface.evaluation.prediction_files import read_npz
from norface.runtime.places import DEFAULT_WEIGHTS


def evaluate(disfa: tuple[Path, Path], out: Path, *options: Any) -> int:
    root, faces = disfa
    common = ("--root", root, "--faces", faces, "--out", out, "--partial", *options)
    return main(["evaluate", *map(str, common)])


def weights_like_the_embedded(folder: Path, **said: Any) -> Path:
    """The networks that come with norface, with another manifest."""
    folder.mkdir()
    for path in DEFAULT_WEIGHTS.iterdir():
        if path.suffix in (".onnx", ".png"):
            (folder / path.name).symlink_to(path)
    manifest = json.loads((DEFAULT_WEIGHTS / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | said))
    return folder


def test_all_folds(
    disfa: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    assert evaluate(disfa, out, "--protocol", "disfa-detection") == 0
    said = capsys.readouterr().out
    assert "f1" in said
    assert "0.727" in said
    assert "1 of 18 frames have no reading" in said
    results = json.loads((out / "results.json").read_text())
    assert results["folds"] == [1, 2, 3]
    assert results["frames"]["all"] == 18
    assert results["frames"]["without_reading"] == 1
    assert (out / "report.html").exists()
    assert "published" in (out / "report.md").read_text()
    table = read_npz(out / "predictions.npz")
    assert [set(table.subject[table.fold == f].tolist()) for f in (1, 2, 3)] == [
        {"SN001", "SN002"},
        {"SN006", "SN011"},
        {"SN003", "SN004"},
    ]
    truth = {(s, f): t for s, f, t in zip(table.subject, table.frame, table.truth, strict=True)}
    # The first person's intensities in the first frame are (unit % 5), present from 2 on.
    assert truth["SN001", 0].tolist() == [0, 1, 1, 0, 1, 1, 0, 0]


def test_one_fold_and_a_few_samples(disfa: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "report"
    options = ("--protocol", "disfa-intensity", "--fold", 2, "--dry-run")
    assert evaluate(disfa, out, *options) == 0
    with (out / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert {row["subject"] for row in rows} == {"SN006", "SN011"}
    assert all(0 <= float(row["AU12_score"]) <= 5 for row in rows)


def test_weights_never_read_whom_they_learned_from(
    disfa: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learned = {"disfa": ["SN003", "SN001"]}
    weights = weights_like_the_embedded(tmp_path / "weights", learned_from=learned)
    options = ("--protocol", "disfa-detection", "--model", weights, "--dry-run")
    assert evaluate(disfa, tmp_path / "a", *options) == 2
    assert "learned from SN001 of disfa, tested on in fold 1" in capsys.readouterr().err
    assert evaluate(disfa, tmp_path / "b", *options, "--fold", 2) == 0


def test_people_in_the_readings_of_weights_beside_each_other(
    disfa: tuple[Path, Path], tmp_path: Path
) -> None:
    weights = weights_like_the_embedded(tmp_path / "weights", name="beside", version="9")
    out = tmp_path / "report"
    options = ("--protocol", "disfa-intensity", "--beside", weights, "--baseline", "mode")
    assert evaluate(disfa, out, *options) == 0
    results = json.loads((out / "results.json").read_text())
    people = results["people"]
    assert results["people_mean"]["change"]["beside 9"]["value"] == 0
    assert list(people) == [
        "as read", "as read, mode baseline", "beside 9", "beside 9, mode baseline",
    ]  # fmt: skip
    assert people["as read"] == people["beside 9"]
    assert people["as read"] != people["as read, mode baseline"]
    report = (out / "report.md").read_text()
    assert "| AU12 |" in report
    assert "without any label" in report
    assert "beside 9, mode baseline: person" in report


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--protocol", "nothing"), "is no protocol"),
        (("--protocol", "disfa-detection", "--fold", "7"), "has no fold 7"),
        (("--protocol", "disfa-detection", "--model", "a", "b"), "one for each of the 3 folds"),
        (("--protocol", "affectnet-affect"), "does not read"),
        (("--protocol", "rafdb-7", "--baseline", "mode"), "is about emotions"),
        (("--protocol", "disfa-detection", "--split", "train"), "--split is for synfacs-v1"),
        (("--protocol", "disfa-detection:bp4d-detection"), "needs --test-root"),
        (("--fold", "1"), "for data sets, not for synfacs-v1"),
    ],
)
def test_faults(
    disfa: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    said: str,
) -> None:
    assert evaluate(disfa, tmp_path, *options) == 2
    assert said in " ".join(capsys.readouterr().err.split())
