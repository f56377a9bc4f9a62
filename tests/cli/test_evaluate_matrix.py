"""``norface evaluate matrix`` on a data set in miniature: figures, refusals, faults, resuming."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from norface.cli import main
from norface.evaluation.prediction_files import read_npz
from norface.runtime.places import DEFAULT_WEIGHTS

Weights = Callable[..., Path]


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    """Make a folder of the embedded weights, with another manifest or without some networks."""

    def make(name: str, *, without: tuple[str, ...] = (), **said: Any) -> Path:
        folder = tmp_path / "weights" / name
        folder.mkdir(parents=True)
        manifest = json.loads((DEFAULT_WEIGHTS / "manifest.json").read_text())
        for file in without:
            del manifest["files"][file]
        for path in DEFAULT_WEIGHTS.iterdir():
            if path.name in manifest["files"]:
                (folder / path.name).symlink_to(path)
        (folder / "manifest.json").write_text(json.dumps(manifest | {"name": name} | said))
        return folder

    return make


def run(plan: dict[str, Any], out: Path, *options: str) -> int:
    file = out.parent / "plan.json"
    file.write_text(json.dumps(plan))
    return main(["evaluate", "matrix", "--plan", str(file), "--out", str(out), *options])


def test_a_matrix(
    disfa: tuple[Path, Path], weights: Weights, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads((DEFAULT_WEIGHTS / "manifest.json").read_text())
    units = [*manifest.get("units", [])] or [*manifest["thresholds"]]
    renamed = ["AU23" if unit == "AU12" else unit for unit in units]
    root, faces = map(str, disfa)
    test = {"root": root, "faces": faces}
    plan = {
        "models": [
            {"name": "tiny", "weights": "default"},
            {"name": "other", "weights": str(weights("other", units=renamed))},
            {
                "name": "leaky",
                "weights": str(weights("leaky", learned_from={"disfa": ["SN003"]})),
            },
            {"name": "folds", "weights": ["default"] * 3, "trained_on": ["disfa"]},
            {"name": "vague", "weights": "default", "trained_on": ["disfa"]},
            {"name": "emotions", "weights": str(weights("e", without=("action_units.onnx",)))},
            {"name": "lost", "weights": str(tmp_path / "nowhere")},
        ],
        "tests": [
            {"name": "DISFA", "protocol": "disfa-intensity", **test},
            {"name": "none here", "protocol": "rafdb-7", "root": str(tmp_path)},
        ],
    }
    out = tmp_path / "matrix"
    assert run(plan, out, "--partial") == 3
    said = capsys.readouterr()
    assert "DISFA" in said.out
    assert "8 of 14 pairs failed" in said.err
    results = json.loads((out / "results.json").read_text())
    pairs = {(pair["model"], pair["test"]): pair for pair in results["pairs"]}
    assert {name: pairs[name, "DISFA"]["state"] for name in results["models"]} == {
        "tiny": "done", "other": "done", "leaky": "refused", "folds": "done",
        "vague": "refused", "emotions": "none", "lost": "failed",
    }  # fmt: skip
    assert "learned from SN003" in pairs["leaky", "DISFA"]["reason"]
    assert "does not say from whom" in pairs["vague", "DISFA"]["reason"]
    assert all(pairs[name, "none here"]["state"] == "failed" for name in results["models"])
    tiny, other = (pairs[name, "DISFA"]["results"][0] for name in ("tiny", "other"))
    assert (len(tiny["labels"]), tiny["lacking"]) == (12, [])
    assert (len(other["labels"]), other["lacking"]) == (11, ["AU12"])
    assert tiny["by_label"]["AU25"] == other["by_label"]["AU25"]
    assert tiny["overall"]["icc_3_1"]["low"] < tiny["overall"]["icc_3_1"]["value"]
    assert pairs["folds", "DISFA"]["own"]
    # All models over the labels of all: those of one network are equal.
    figures = results["columns"][0]["comparison"]["figures"]
    assert figures["tiny"]["mae"] == figures["other"]["mae"]
    assert figures["tiny"]["mae"]["value"] != tiny["overall"]["mae"]["value"]
    people = results["columns"][0]["comparison"]["people"]
    assert {"tiny", "tiny, quantile baseline"} <= set(people["shares"])
    assert people["change"]["folds"]["value"] == 0
    table = read_npz(out / other["folder"] / "predictions.npz")
    assert table.labels == tuple(other["labels"])
    assert (out / tiny["folder"] / "report.html").is_file()
    report = (out / "report.html").read_text()
    assert "no label shared" in report
    assert "refused" in report
    assert report.count("<svg") >= 4
    assert "http" not in report.replace("http://www.w3.org", "")
    shown = (out / "report.md").read_text()
    assert "11 of 12 units without AU12" in shown
    assert "a guess" in shown


def test_a_pair_is_done_once(
    disfa: tuple[Path, Path], weights: Weights, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, faces = disfa
    folder = weights("mine")
    words = ["evaluate", "matrix", "--model", "default", f"mine={folder}", "--test",
             f"disfa-detection={root}", "--faces", f"disfa-detection={faces}", "--out",
             str(tmp_path / "m"), "--partial", "--dry-run"]  # fmt: skip
    assert main(words) == 0
    first = capsys.readouterr().out
    assert "done before" not in first
    place = tmp_path / "m" / "dry-run"
    assert "A dry run" in (place / "report.md").read_text()
    before = (place / "results.json").read_bytes()
    assert main(words) == 0
    assert capsys.readouterr().out.count("done before") == 2
    assert (place / "results.json").read_bytes() == before
    # Other weights, or lost predictions: that pair alone is done again.
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    assert main(words) == 0
    assert "default on disfa-detection: done before" in capsys.readouterr().out
    assert (place / "results.json").read_bytes() != before
    (
        place / "pairs" / "default" / "disfa-detection" / "disfa-detection" / "predictions.npz"
    ).unlink()
    assert main(words) == 0
    assert "mine on disfa-detection: done before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "there is no test"),
        (["--test", "nothing=x"], "is no protocol"),
        (["--plan", "p.json", "--model", "default"], "not both"),
        (["--plan", "p.json"], "cannot be read"),
        (["--test", "rafdb-7=x", "--workers", "0"], "at least 1"),
    ],
)
def test_wrong_commands(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "matrix", *words, "--out", str(tmp_path / "m")]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "m").exists()
