from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from norface import WeightsError
from norface.runtime.places import DEFAULT_WEIGHTS
from norface.runtime.sessions import Weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_WEIGHTS, tmp_path / "weights"))


def change(folder: Path, **entries: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_the_embedded_weights_are_whole_and_small() -> None:
    weights = Weights()
    for name in weights.manifest.files:
        weights.read(name)
    assert sum(file.size for file in weights.manifest.files.values()) <= 40_000_000


def test_a_damaged_file_is_refused(folder: Path) -> None:
    content = bytearray((folder / "encoder.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "encoder.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match=r"encoder\.onnx is damaged"):
        Weights(folder).session("encoder.onnx")


def test_a_missing_file_is_told(folder: Path) -> None:
    (folder / "encoder.onnx").unlink()
    weights = Weights(folder)
    assert "encoder.onnx" not in weights
    with pytest.raises(WeightsError, match=r"encoder\.onnx cannot be read"):
        weights.read("encoder.onnx")


def test_a_file_that_is_not_listed_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsError, match="does not list"):
        Weights(folder).read("manifest.json")


def test_a_file_that_is_no_network_is_told() -> None:
    with pytest.raises(WeightsError, match="ONNX Runtime"):
        Weights().session("common_face.png")


def test_another_format_is_told(folder: Path) -> None:
    change(folder, format=2)
    with pytest.raises(WeightsError, match="format 2"):
        Weights(folder)


@pytest.mark.parametrize("entries", [{"files": None}, {"thresholds": {"AU12": "high"}}])
def test_a_wrong_entry_is_told(folder: Path, entries: dict[str, Any]) -> None:
    change(folder, **entries)
    with pytest.raises(WeightsError, match="wrong"):
        Weights(folder)


@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_an_unusable_manifest_is_told(folder: Path, content: str | None) -> None:
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_text(content)
    with pytest.raises(WeightsError):
        Weights(folder)


@pytest.mark.parametrize("name", ["action_units.onnx", "emotions.onnx"])
def test_a_face_is_read_alone_as_among_others(name: str) -> None:
    session = Weights().session(name, threads=1, paired=True)
    random = np.random.default_rng(0)
    sizes = {"original": (64, 192), "normalized": (64, 192), "geometry": (478, 3)}
    faces = {
        name: random.random((5, *sizes.get(name, (3, 128, 128))), np.float32)
        for name in session.inputs
    }
    if "image" in faces:
        side = session.side("image")
        faces["image"] = faces["image"][..., :side, :side]
    together = session.run(**faces)
    for count in (1, 2, 3):
        some = session.run(**{name: values[:count] for name, values in faces.items()})
        for output, values in some.items():
            np.testing.assert_array_equal(values, together[output][:count])
