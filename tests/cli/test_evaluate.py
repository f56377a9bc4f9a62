"""``norface synth --benchmark`` and ``norface evaluate``, on a benchmark in miniature."""

from __future__ import annotations

import csv
import functools
import json
from pathlib import Path

import numpy as np
import pytest

import norface.cli.synth as synth
from norface.cli import main
from norface.evaluation.synfacs.predict import TABLE
from norface.facs import ACTION_UNIT_NAMES
from norface.synthesis.benchmark.build import build
from norface.synthesis.benchmark.design import Design, Split

TINY = Design(
    name="synfacs-v1",
    size=96,
    splits=(Split("test", 903, people=2, wild=1, factors=True),),
    pose=(0, 30),
    light=("even",),
    occlusion=("none",),
    resolution=(96,),
    few=1,
)
PICTURES = 14


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench")
    build(TINY, out, manifest=None, workers=1)
    return out


def truth_of(root: Path) -> list[dict[str, str]]:
    with (root / "test" / "truth.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def said(path: Path, rows: list[dict[str, str]], units: tuple[str, ...]) -> Path:
    """A table that says what the truth says."""
    with path.open("w", newline="") as file:
        columns = ["input", *(f"{unit}_{kind}" for unit in units for kind in "rc")]
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            line = {"input": row["input"]}
            for unit in units:
                line[f"{unit}_r"] = row[f"{unit}_r"]
                line[f"{unit}_c"] = str(int(float(row[f"{unit}_r"]) >= 2))
            writer.writerow(line)
    return path


def test_the_benchmark_is_rendered_and_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    _, made = build(TINY, root, manifest=None, workers=1)
    monkeypatch.setattr(synth, "DESIGNS", {"synfacs-v1": TINY})
    monkeypatch.setattr(synth, "build", functools.partial(build, workers=1))
    monkeypatch.setattr(synth, "packaged_manifest", lambda name: made)
    words = ["synth", "--benchmark", "synfacs-v1", "--out", str(tmp_path)]
    assert main(words) == 0
    assert f"identical: All {PICTURES} pictures" in capsys.readouterr().out
    made.hashes[0] ^= 1
    made.prints[0] ^= 255
    assert main(words) == 1
    shown = capsys.readouterr().out
    assert "different: 1 of" in shown
    assert "test/p000_e0_base.png" in shown


@pytest.mark.parametrize(
    "words",
    [
        ["--benchmark", "synfacs-v1", "--count", "2"],
        ["--benchmark", "synfacs-v1", "--shards"],
        ["--benchmark", "other"],
        ["--count", "2", "--seed", "1003"],
        [],
    ],
)
def test_wrong_wishes_render_nothing(words: list[str], tmp_path: Path) -> None:
    try:
        code = main(["synth", *words, "--out", str(tmp_path / "out")])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert not (tmp_path / "out").exists()


def test_norface_is_scored_and_goes_on(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--protocol", "synfacs-v1", "--root", str(root), "--out", str(tmp_path)]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "mean of the units" in shown
    assert "pose 30" in shown
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["all"]["pictures"] == PICTURES
    assert results["all"]["detection_rate"] > 0.5
    assert results["strata"]["pose"]["30"]["pictures"] == 4
    report = (tmp_path / "report.md").read_text()
    assert "| AU12 |" in report
    assert "## By tone" in report
    # A killed run leaves a part, cut off anywhere: all but its last picture count.
    table = tmp_path / TABLE
    text = table.read_text()
    marked = text.replace(",1,0.", ",1,0.1234", 1)
    table.with_name(TABLE + ".part").write_text(marked[: int(len(marked) * 0.7)])
    table.unlink()
    assert main(words) == 0
    assert table.read_text().count("0.1234") == 1
    assert len(table.read_text().splitlines()) == len(text.splitlines())
    # Predictions of something else are not taken for these.
    (tmp_path / "predictions.json").write_text("{}")
    assert main(words) == 2
    assert "--out" in capsys.readouterr().err


def test_another_tools_table_is_scored(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = truth_of(root)
    table = said(tmp_path / "said.csv", rows, ACTION_UNIT_NAMES)
    words = ["evaluate", "--root", str(root), "--out", str(tmp_path), "--predictions"]
    assert main([*words, str(table)]) == 0
    perfect = json.loads((tmp_path / "results.json").read_text())["all"]["mean"]
    assert perfect["f1"]["value"] == perfect["icc"]["value"] == 1
    assert perfect["mae"]["value"] == 0

    mixed = [dict(row) for row in rows]
    order = np.random.default_rng(0).permutation(len(rows))
    for row, other in zip(mixed, order, strict=True):
        row["input"] = rows[other]["input"]
    assert main([*words, str(said(tmp_path / "mixed.csv", mixed, ACTION_UNIT_NAMES))]) == 0
    worse = json.loads((tmp_path / "results.json").read_text())["all"]["mean"]
    assert worse["f1"]["value"] < 0.9
    assert worse["icc"]["value"] < 0.9
    capsys.readouterr()

    few = said(tmp_path / "few.csv", rows, ("AU01", "AU12"))
    assert main([*words, str(few)]) == 0
    said_of_it = capsys.readouterr()
    assert "No presence (column _c) of AU02" in said_of_it.err
    units = json.loads((tmp_path / "results.json").read_text())["all"]["units"]
    assert units["AU02"]["f1"] is None
    assert units["AU12"]["icc"] is not None


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--split", "train"], "no split 'train'"),
        (["--predictions", "{out}/none.csv"], "cannot be read"),
        (["--model", "x", "--predictions", "y"], "not both"),
        (["--workers", "0"], "at least 1"),
        (["--dry-run"], "--dry-run: for data sets"),
        (["--partial", "--pictures"], "--partial, --pictures: for data sets"),
        (["--skip-missing"], "--skip-missing: for data sets"),
        (["--beside", "default", "--baseline", "mode"], "--beside, --baseline: for data sets"),
    ],
)
def test_what_cannot_be_scored_is_told(
    extra: list[str], message: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--root", str(root), "--out", str(tmp_path)]
    assert main([*words, *(word.format(out=tmp_path) for word in extra)]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
