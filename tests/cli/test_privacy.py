"""``norface privacy``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from norface import Norface
from norface.cli import main, privacy
from norface.evaluation.face_embedding import EmbeddingError, OnnxEmbedder, fit_similarity
from norface.evaluation.privacy import another_view
from norface.media.images import read_image, write_image

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file that embeds a face as its own colours, 8 x 8 of them."""
    from onnx import TensorProto, helper

    path = tmp_path_factory.mktemp("network") / "colours.onnx"
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[14, 14], strides=[14, 14]),
            helper.make_node("Flatten", ["p"], ["y"]),
        ],
        "colours",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 192])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


@pytest.fixture(scope="module")
def folders(
    people: list[Path], norface: Norface, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Three people, two pictures each, and the same normalized."""
    root = tmp_path_factory.mktemp("people")
    for number, path in enumerate((people[0], people[2], people[3])):
        image = read_image(path)
        face = norface.analyze(image)[0]
        for shot in range(2):
            before = root / "before" / f"p{number}" / f"{shot}.jpg"
            after = root / "after" / f"p{number}" / f"{shot}.jpg"
            view = another_view(image, face, seed=shot)
            for file, picture in (
                (before, view),
                (after, norface.analyze(view)[0].normalized),
            ):
                file.parent.mkdir(parents=True, exist_ok=True)
                write_image(file, picture)
    return root / "before", root / "after"


@pytest.fixture(autouse=True)
def _shared(norface: Norface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy.Norface, "load", lambda **_: norface)
    monkeypatch.setattr(privacy.Norface, "close", lambda _: None)


def run(*words: object) -> int:
    return main(["privacy", *map(str, words)])


def test_several_pictures_of_each_person(
    folders: tuple[Path, Path],
    network: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [*folders, "--identity", network, "--subjects", "folder", "--out", tmp_path / "r"]
    assert run(*words) == 0
    found = json.loads((tmp_path / "r" / "privacy.json").read_text())
    assert (found["pictures"], found["people"], found["without_face"]) == (6, 3, 0)
    assert found["several_pictures_of_a_person"] is True
    names = [attempt["name"] for attempt in found["attempts"]]
    assert names == ["original", "normalized", "both normalized"]
    assert found["attempts"][0]["first"]["value"] == 1
    assert [attempt["probes"] for attempt in found["attempts"]] == [3, 3, 3]
    assert found["fidelity"]["faces"] == 6
    assert "AU12" in found["fidelity"]["units"]
    said = capsys.readouterr().out
    assert "found first, original: 1.000" in said
    text = (tmp_path / "r" / "privacy.md").read_text()
    assert "| both normalized |" in text
    assert "| AU12 |" in text
    assert "Of each person one picture is known" in text

    assert run(*words) == 2
    assert "exists" in capsys.readouterr().err
    assert run(*words, "--overwrite") == 0


def test_one_picture_of_each_person(
    folders: tuple[Path, Path], network: Path, tmp_path: Path
) -> None:
    before, after = folders
    (tmp_path / "before").mkdir()
    for number in range(3):
        with Image.open(before / f"p{number}" / "0.jpg") as image:
            image.save(tmp_path / "before" / f"p{number}.png")
    (tmp_path / "after").mkdir()
    for number in range(3):
        with Image.open(after / f"p{number}" / "0.jpg") as image:
            image.save(tmp_path / "after" / f"p{number}.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "before" / "nobody.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "after" / "nobody.png")
    out = tmp_path / "r"
    assert run(tmp_path / "before", tmp_path / "after", "--identity", network, "--out", out) == 0
    found = json.loads((out / "privacy.json").read_text())
    assert (found["people"], found["without_face"]) == (3, 1)
    assert found["several_pictures_of_a_person"] is False
    assert found["attempts"][0]["first"]["value"] == 1
    assert "worst case" in (out / "privacy.md").read_text()


def test_wrong_commands(
    folders: tuple[Path, Path],
    network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, after = folders
    assert run(before, tmp_path, "--identity", network, "--out", tmp_path / "r") == 2
    assert "norface normalize" in capsys.readouterr().err
    assert run(before, after, "--identity", tmp_path / "no.onnx", "--out", tmp_path / "r") == 2
    assert "does not exist" in capsys.readouterr().err
    (tmp_path / "bad.onnx").write_bytes(b"bad")
    assert run(before, after, "--identity", tmp_path / "bad.onnx", "--out", tmp_path / "r") == 2
    assert "cannot be loaded" in capsys.readouterr().err

    def missing() -> None:
        raise privacy.MissingExtraError("missing")

    monkeypatch.setattr(privacy, "IdentityEmbedder", missing)
    assert run(before, after, "--out", tmp_path / "r") == 2
    assert "--identity" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_the_embedder_sees_the_face_in_its_frame(
    person: Path, norface: Norface, network: Path
) -> None:
    image = read_image(person)
    points = norface.analyze(image)[0].landmarks
    embed = OnnxEmbedder(network)
    found = embed(image, points)
    assert found.shape == (192,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    # A picture that is shifted and half as large shows the same face.
    smaller = np.asarray(Image.fromarray(image[50:, 30:]).reduce(2))
    moved = (points - (30, 50, 0)) / 2
    assert found @ embed(smaller, moved.astype(np.float32)) > 0.995
    swapped = OnnxEmbedder(network, bgr=True)(image, points)
    assert np.allclose(swapped.reshape(3, 64), found.reshape(3, 64)[::-1], atol=1e-6)


def test_another_kind_of_network_is_refused(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "words",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
    )
    path = tmp_path / "words.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
        str(path),
    )
    with pytest.raises(EmbeddingError, match="shape"):
        OnnxEmbedder(path)
    with pytest.raises(EmbeddingError, match="above 0"):
        OnnxEmbedder(path, std=(0.0, 1.0, 1.0))


def test_a_similarity_keeps_shapes() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    assert np.allclose(fit_similarity(points, points * 3 + 1), [[3, 0, 1], [0, 3, 1]])
