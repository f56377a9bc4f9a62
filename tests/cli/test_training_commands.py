"""The commands that need the extra `train`: how they start and what they say when they cannot."""

from __future__ import annotations

import builtins
import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from norface import Norface
from norface.cli import main


def test_synth_writes_pictures_and_their_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["synth", "--count", "2", "--seed", "5", "--size", "64", "--out", str(tmp_path)]
    assert main(words) == 0
    with (tmp_path / "truth.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2
    assert len(list(tmp_path.glob("*.png"))) == 2
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


def test_synth_hands_skins_to_the_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from norface.cli import synth

    given: dict[str, Any] = {}

    def record(*_: object, **named: object) -> int:
        given.update(named)
        return 2

    monkeypatch.setattr(synth, "write_training_shards", record)
    skins = tmp_path / "skins.npz"
    skins.touch()
    words = ["synth", "--count", "3", "--shards", "--skins", str(skins), "--out", str(tmp_path)]
    assert main(words) == 0
    assert given["skins"] == skins
    assert given["crop"] == 128
    assert "2 faces" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["train"],
        ["train", "anything"],
        ["train", "normalization", "--out", "{out}", "--data", "{out}"],
        ["train", "normalization", "--out", "{out}", "--data", "{out}", "--steps", "3"],
        ["train", "prepare-photos", "{out}", "--renders", "{out}", "--out", "{out}"],
        ["train", "emotions", "--out", "{out}", "--steps", "3"],
        ["synth", "--count", "0", "--out", "{out}"],
        ["synth", "--count", "many", "--out", "{out}"],
        ["synth", "--sequences", "1", "--shards", "--out", "{out}"],
        ["synth", "--count", "1", "--skins", __file__, "--out", "{out}"],
        ["synth", "--count", "1", "--shards", "--skins", "{out}", "--out", "{out}"],
        ["export", "--normalization", "{out}", "--classification", "{out}", "--out", "{out}"],
    ],
)
def test_a_wrong_command_line_is_exit_code_2(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main([word.format(out=tmp_path / "out") for word in words])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize("command", ["normalization", "classification", "emotions"])
def test_help_names_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["train", command, "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert "--learning-rate" in shown
    assert "--config" not in shown


@pytest.mark.parametrize("words", [["synth"], ["train", "normalization"], ["export"]])
def test_without_the_extra_the_remedy_is_told(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] in ("torch", "numba"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    for module in list(sys.modules):
        if module.startswith("norface."):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    assert main([*words, "--help"]) == 1
    assert 'pip install "norface[train]"' in capsys.readouterr().err


def test_exported_weights_can_be_used(tmp_path: Path, person: Path) -> None:
    from norface.models.checkpoint import Recipe, save_network

    checkpoints = {}
    for kind in ("normalization", "classification"):
        recipe = Recipe(kind=kind, preset="test")
        checkpoints[kind] = tmp_path / f"{kind}.safetensors"
        notes = {"thresholds": {"AU12": 0.0}} if kind == "classification" else {}
        save_network(checkpoints[kind], recipe.build(), recipe, notes=notes)
    (tmp_path / "card.json").write_text(json.dumps({"trained_on": "nothing"}))
    words = [
        "export",
        "--normalization", str(checkpoints["normalization"]),
        "--classification", str(checkpoints["classification"]),
        "--card", str(tmp_path / "card.json"),
        "--out", str(tmp_path / "weights"),
        "--name", "tried",
    ]  # fmt: skip
    assert main(words) == 0
    manifest = json.loads((tmp_path / "weights" / "manifest.json").read_text())
    assert (manifest["name"], manifest["card"]) == ("tried", {"trained_on": "nothing"})
    with Norface.load(weights=tmp_path / "weights") as norface:
        (face,) = norface.analyze(person)
    assert face.emotion is None
    assert face.action_units["AU12"].present
    assert face.normalized.dtype == np.uint8
