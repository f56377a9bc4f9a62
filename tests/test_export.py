from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from norface import export
from norface.facs import ACTION_UNIT_NAMES, ACTION_UNITS
from norface.models import presets
from norface.models.checkpoint import Recipe, save_network
from norface.models.classification import ClassificationNetwork
from norface.models.normalization import NormalizationNetwork

A = len(ACTION_UNITS)
Networks = tuple[NormalizationNetwork, ClassificationNetwork, ClassificationNetwork]


@pytest.fixture(scope="module")
def networks() -> Networks:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        normalization = presets.normalization("test", pretrained=False).eval()
        torch.nn.init.normal_(normalization.decoder.head.weight, std=0.05)
        action_units = presets.classification("test").eval()
        emotions = presets.emotions("test", pretrained=False).eval()
    return normalization, action_units, emotions


@pytest.fixture(scope="module")
def face() -> NDArray[np.uint8]:
    ramp = np.linspace(0, 255, 256).astype(np.uint8)
    return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), -1)


@pytest.fixture(scope="module")
def folder(
    networks: Networks, face: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("weights") / "new"
    card = {"trained_on": "nothing"}
    path = export.export_networks(
        *networks, out, common_face=face, card=card, thresholds={"AU12": 0.3}, name="t", version="9"
    )
    assert path == out / "manifest.json"
    return out


def _run(folder: Path, name: str, **inputs: torch.Tensor) -> dict[str, NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])
    outputs = [o.name for o in session.get_outputs()]
    results = session.run(outputs, {key: value.numpy() for key, value in inputs.items()})
    return dict(zip(outputs, results, strict=True))


def test_the_manifest_tells_all(folder: Path, face: NDArray[np.uint8]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["format"] == 1
    assert (manifest["name"], manifest["version"]) == ("t", "9")
    assert (manifest["crop_size"], manifest["normalized_size"]) == (128, 256)
    assert manifest["card"] == {"trained_on": "nothing"}
    assert list(manifest["thresholds"]) == list(ACTION_UNIT_NAMES)
    assert manifest["thresholds"]["AU12"] == 0.3
    assert manifest["thresholds"]["AU01"] == 0.5
    assert set(manifest["files"]) | {"manifest.json"} == {p.name for p in folder.iterdir()}
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    with Image.open(folder / "common_face.png") as picture:
        assert np.array_equal(np.asarray(picture), face)


@pytest.mark.parametrize("count", [1, 5])
def test_results_equal_those_of_pytorch(folder: Path, networks: Networks, count: int) -> None:
    normalization, action_units, emotions = networks
    image, geometry = torch.rand(count, 3, 128, 128), torch.randn(count, 478, 3)
    target = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), size=256, mode="bilinear")
    with torch.no_grad():
        tokens = normalization.encoder(image)
        got = _run(folder, "encoder.onnx", image=image)
        assert got.keys() == {"tokens"}
        np.testing.assert_allclose(got["tokens"], tokens, atol=0.03, rtol=0)

        target_tokens = normalization.encoder(normalization.shrink(target))
        index = torch.zeros(count, dtype=torch.long)
        wanted = normalization(image, geometry, target, index).image
        assert (wanted - target).abs().mean() > 0.01
        got = _run(
            folder,
            "normalizer.onnx",
            original=tokens,
            geometry=geometry,
            target=target_tokens,
            target_image=target,
        )
        np.testing.assert_allclose(got["normalized"], wanted, atol=0.01, rtol=0)

        small = normalization.shrink(wanted)
        normalized = normalization.encoder(small)
        units = action_units(tokens, normalized, geometry)
        got = _run(
            folder, "action_units.onnx", original=tokens, normalized=normalized, geometry=geometry
        )
        assert got["intensity"].shape == (count, A, 3)
        np.testing.assert_allclose(got["intensity"], units.intensity, atol=0.015, rtol=0)
        np.testing.assert_allclose(got["probability"], units.presence.sigmoid(), atol=3e-3, rtol=0)

        felt = emotions(image, small, geometry).emotion.softmax(-1)
        got = _run(folder, "emotions.onnx", image=image, normalized_image=small, geometry=geometry)
        np.testing.assert_allclose(got["probability"], felt, atol=3e-3, rtol=0)
        np.testing.assert_allclose(got["probability"].sum(-1), 1.0, atol=1e-5)


def test_the_runtime_can_open_it(folder: Path) -> None:
    sessions = pytest.importorskip("norface.runtime.sessions")
    weights = sessions.Weights(folder)
    tokens = weights.session("encoder.onnx").run(image=np.zeros((2, 3, 128, 128), np.float32))
    assert tokens["tokens"].shape == (2, 64, 32)


def test_computation_is_plain_float32(folder: Path) -> None:
    """What is stored in 16 bits is widened before anything else reads it."""
    for path in folder.glob("*.onnx"):
        model = onnx.load(path)
        assert all(opset.domain in ("", "ai.onnx") for opset in model.opset_import)
        halves = {
            w.name for w in model.graph.initializer if w.data_type == onnx.TensorProto.FLOAT16
        }
        assert halves, path.name
        for node in model.graph.node:
            if halves & set(node.input):
                assert node.op_type == "Cast"
                assert node.attribute[0].i == onnx.TensorProto.FLOAT
        assert onnx.TensorProto.DOUBLE not in {w.data_type for w in model.graph.initializer}
        large = [w for w in model.graph.initializer if w.data_type == onnx.TensorProto.FLOAT]
        assert all(np.prod(w.dims) < export.LARGE for w in large)


def test_from_checkpoints_and_without_emotions(
    tmp_path: Path, networks: Networks, face: NDArray[np.uint8], folder: Path
) -> None:
    normalization, action_units, _ = networks
    save_network(tmp_path / "n.safetensors", normalization, Recipe("normalization", "test"))
    save_network(tmp_path / "a.safetensors", action_units, Recipe("classification", "test"))
    out = tmp_path / "out"
    export.export(
        tmp_path / "n.safetensors",
        tmp_path / "a.safetensors",
        None,
        out,
        common_face=face,
        card={},
    )
    assert not (out / "emotions.onnx").exists()
    assert "emotions.onnx" not in json.loads((out / "manifest.json").read_text())["files"]
    image = torch.rand(2, 3, 128, 128)
    np.testing.assert_array_equal(
        _run(out, "encoder.onnx", image=image)["tokens"],
        _run(folder, "encoder.onnx", image=image)["tokens"],
    )


def test_an_ablation_is_called_like_the_whole(
    tmp_path: Path, networks: Networks, face: NDArray[np.uint8]
) -> None:
    plain = presets.classification("test", use_normalized=False)
    export.export_networks(networks[0], plain, None, tmp_path, common_face=face, card={})
    tokens, other = torch.randn(2, 64, 32), torch.randn(2, 64, 32)
    geometry = torch.randn(2, 478, 3)
    first, second = (
        _run(tmp_path, "action_units.onnx", original=tokens, normalized=n, geometry=geometry)
        for n in (tokens, other)
    )
    np.testing.assert_array_equal(first["intensity"], second["intensity"])


def test_a_wrong_result_is_refused(networks: Networks) -> None:
    encoder = networks[0].encoder
    inputs = [export._Input("image", torch.rand(3, 3, 128, 128))]
    outputs = [export._Output("tokens", 1e-3)]
    content = export.to_onnx(encoder, inputs, outputs)
    other = presets.normalization("test", pretrained=False).eval().encoder
    with pytest.raises(export.ParityError, match="tokens of 3 faces: ONNX Runtime differs"):
        export.check_parity(other, content, inputs, outputs)


def test_unusable_arguments(tmp_path: Path, networks: Networks, face: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"common face must be \(256, 256, 3\)"):
        export.export_networks(*networks, tmp_path, common_face=face[:128], card={})
    with pytest.raises(ValueError, match="unknown action units: AU99"):
        export.export_networks(
            *networks, tmp_path, common_face=face, card={}, thresholds={"AU99": 0.1}
        )
    assert list(tmp_path.iterdir()) == []
