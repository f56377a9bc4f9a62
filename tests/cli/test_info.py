from __future__ import annotations

import json
from pathlib import Path

import pytest

from norface.cli import main
from norface.runtime.places import DEFAULT_WEIGHTS


def test_the_card_is_printed_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    manifest = json.loads((DEFAULT_WEIGHTS / "manifest.json").read_text())
    manifest["card"] = {
        "trained_on": "word " * 40 + "[end]",
        "licences": ["one", "two"],
        "figures": {"f1": 0.5, "deep": {"er": ["down"]}},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert main(["info", "--weights", str(tmp_path)]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    for line in ("Trained on", "Licences", "  - one", "  - two", "  F1: 0.5", "      - down"):
        assert line in lines
    assert any("[end]" in line for line in lines)
    assert all(len(line) <= 100 for line in lines)
    assert any("encoder.onnx" in line and "not installed" in line for line in lines)


def test_the_card_of_the_default_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    assert "emotions.onnx" in capsys.readouterr().out


def test_missing_weights_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--weights", str(tmp_path)]) == 1
    assert "no weights" in capsys.readouterr().err


def test_the_cost_of_a_preset_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    assert main(["info", "--preset", "base"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    encoder = next(line for line in lines if line.startswith("  encoder"))
    # ViT-B/16 at 256: 16 * 16 patches.
    assert encoder.split() == ["encoder", "85,844,736", "46.393"]
    assert sum(line.startswith("  all") for line in lines) == 3


def test_an_unknown_preset_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    assert main(["info", "--preset", "huge"]) == 2
    assert "there are base, large, small, test, test-vit, tiny" in capsys.readouterr().err
