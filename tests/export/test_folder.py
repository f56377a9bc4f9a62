from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from norface.export import export as export_checkpoints
from norface.facs import ACTION_UNIT_NAMES
from norface.models.checkpoint import CheckpointError, Recipe, save_network


def test_the_manifest_tells_all(export: Any, networks: Any, face: NDArray[np.uint8]) -> None:
    exported = export(
        networks["normalization"](),
        networks["classification"](),
        card={"trained_on": "nothing"},
        thresholds={"AU12": 0.3},
        name="t",
        version="9",
    )
    folder = exported.folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["format"] == 1
    assert (manifest["name"], manifest["version"]) == ("t", "9")
    assert (manifest["crop_size"], manifest["normalized_size"]) == (128, 256)
    assert manifest["card"] == {"trained_on": "nothing"}
    assert list(manifest["thresholds"]) == list(ACTION_UNIT_NAMES)
    assert (manifest["thresholds"]["AU12"], manifest["thresholds"]["AU01"]) == (0.3, 0.5)
    assert set(manifest["files"]) | {"manifest.json"} == {p.name for p in folder.iterdir()}
    assert set(manifest["files"]) == {
        "encoder.onnx", "normalizer.onnx", "action_units.onnx", "common_face.png",
    }  # fmt: skip
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["bytes"] == len(content)
    said = manifest["files"]["action_units.onnx"]["parity"]
    assert [(each["output"], each["faces"]) for each in said] == [
        ("intensity", 8), ("probability", 8), ("intensity", 1), ("probability", 1),
    ]  # fmt: skip
    assert all(0 < each["mean"] <= each["max"] < 0.01 for each in said)
    with Image.open(folder / "common_face.png") as picture:
        assert np.array_equal(np.asarray(picture), face)


def test_from_checkpoints(tmp_path: Path, networks: Any, face: NDArray[np.uint8]) -> None:
    saved = {
        "n": (networks["normalization"](), Recipe("normalization", "test")),
        "c": (networks["classification"](), Recipe("classification", "test")),
        "e": (networks["emotions"](), Recipe("emotions", "test")),
    }
    paths = {key: tmp_path / f"{key}.safetensors" for key in saved}
    for key, (network, recipe) in saved.items():
        save_network(paths[key], network, recipe, notes={"thresholds": {"AU04": 0.25}})
    exported = export_checkpoints(
        tmp_path / "mine",
        normalization=paths["n"],
        classification=paths["c"],
        emotions=paths["e"],
        common_face=face,
    )
    assert [network.precision for network in exported.networks] == ["fp16"] * 4
    assert exported.faces == "noise"
    manifest = json.loads((exported.folder / "manifest.json").read_text())
    assert manifest["name"] == "mine"
    assert manifest["thresholds"]["AU04"] == 0.25
    with pytest.raises(CheckpointError, match=r"c\.safetensors reads no emotions"):
        export_checkpoints(tmp_path / "x", emotions=paths["c"], common_face=face)
    with pytest.raises(CheckpointError, match=r"n\.safetensors holds no classification"):
        export_checkpoints(tmp_path / "x", classification=paths["n"], common_face=face)


def test_networks_that_do_not_go_together(export: Any, networks: Any, tmp_path: Path) -> None:
    units, both = (
        networks["classification"](),
        networks["classification"](heads=("action_units", "emotions")),
    )
    with pytest.raises(ValueError, match="nothing to export"):
        export(None)
    with pytest.raises(ValueError, match="several networks read action_units"):
        export(networks["normalization"](), units, both)
    with pytest.raises(ValueError, match=r"action units reads tokens .* give that network's"):
        export(None, units)
    with pytest.raises(ValueError, match=r"tokens of width 32, .* gives 16: they were not trained"):
        export(networks["normalization"]("test-vit"), units)
    assert list(tmp_path.iterdir()) == []


def test_unusable_arguments(export: Any, networks: Any, tmp_path: Path) -> None:
    units = networks["classification"](reads="images")
    with pytest.raises(ValueError, match="unknown action units: AU99"):
        export(None, units, thresholds={"AU99": 0.1})
    with pytest.raises(ValueError, match="precision must be one of fp32, fp16, int8, auto"):
        export(None, units, precision="int4")
    with pytest.raises(ValueError, match=r"common face must be \(256, 256, 3\)"):
        export_checkpoints(tmp_path / "x", common_face=np.zeros((128, 128, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_network_with_an_encoder_of_its_own_goes_alone(export: Any, networks: Any) -> None:
    exported = export(None, networks["classification"]("test-vit", reads="images"))
    manifest = json.loads((exported.folder / "manifest.json").read_text())
    assert list(manifest["files"]) == ["action_units.onnx"]
    assert manifest["crop_size"] == 64
