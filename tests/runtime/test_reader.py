"""Weights of every structure, exported and used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from norface import Norface, WeightsError
from norface.cli import main
from norface.export import export_networks
from norface.export.faces import noise_faces
from norface.facs import ACTION_UNIT_NAMES, EMOTIONS
from norface.media.images import read_image
from norface.models import presets
from norface.models.sizes import PRESETS
from norface.runtime.normalizer import Normalizer
from norface.runtime.places import DEFAULT_WEIGHTS
from norface.runtime.reader import FaceViews, load_readers, read_all
from norface.runtime.sessions import Weights

BOTH = ("action_units", "emotions")


def write(out: Path, preset: str | None, *classification: Any, precision: str = "fp16") -> Path:
    normalization = None if preset is None else presets.normalization(preset, pretrained=False)
    export_networks(
        out,
        normalization=normalization,
        classification=classification,
        common_face=read_image(DEFAULT_WEIGHTS / "common_face.png"),
        faces=noise_faces(3),
        precision=precision,
    )
    return out


def read(weights: Path, faces: int) -> tuple[FaceViews, Any]:
    opened = Weights(weights)
    noise = noise_faces(4)
    views = FaceViews(Normalizer.load(opened), noise.images[:faces], noise.geometry[:faces])
    return views, read_all(load_readers(opened), views)


@pytest.mark.parametrize(
    ("preset", "precision", "options"),
    [
        ("test", "fp16", {"heads": BOTH}),
        ("test-vit", "fp32", {"heads": ("emotions",), "use_original": False}),
        ("test-vit", "int8", {"heads": BOTH, "reads": "images"}),
    ],
)
def test_batch_and_single_are_equal(
    preset: str, precision: str, options: Any, tmp_path: Path
) -> None:
    network = presets.classification(preset, pretrained=False, **options)
    folder = write(tmp_path / "w", preset, network, precision=precision)
    _, many = read(folder, 3)
    _, single = read(folder, 1)
    heads = options.get("heads", ("action_units",))
    assert (many.intensity is not None) == (many.probability is not None) == (BOTH[0] in heads)
    assert (many.emotion is not None) == (BOTH[1] in heads)
    for together, alone in zip(many, single, strict=True):
        if together is not None:
            np.testing.assert_allclose(together[:1], alone, atol=1e-4, rtol=0)
    if many.emotion is not None:
        assert many.emotion.shape == (3, len(EMOTIONS))
        np.testing.assert_allclose(many.emotion.sum(-1), 1.0, atol=1e-5)


def test_what_no_network_reads_is_not_computed(tmp_path: Path) -> None:
    original = presets.classification("test", use_normalized=False)
    views, scores = read(write(tmp_path / "o", "test", original), 1)
    assert scores.intensity is not None
    assert "normalized_faces" not in vars(views)
    normalized = presets.classification("test", use_original=False)
    views, _ = read(write(tmp_path / "n", "test", normalized), 1)
    assert {"normalized_faces", "normalized"} <= set(vars(views))


def test_crops_of_256_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, person: Path) -> None:
    large = replace(PRESETS["test-vit"], image_size=256, decoder_widths=(8, 8, 8))
    monkeypatch.setitem(PRESETS, "test-large", large)
    network = presets.classification("test-large", heads=BOTH, reads="images")
    with Norface.load(weights=write(tmp_path / "w", "test-large", network)) as norface:
        assert norface._networks._normalizer.crop_size == 256
        (face,) = norface.analyze(person)
    assert tuple(face.action_units) == ACTION_UNIT_NAMES
    assert tuple(face.emotions) == EMOTIONS
    # Untrained, the network gives the target face itself.
    difference = np.abs(face.normalized.astype(int) - norface.target)
    assert difference.mean() < 1


def test_a_normalization_network_alone_normalizes(
    tmp_path: Path, person: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "w", "test-vit")
    words = ["analyze", str(person), "--weights", str(folder), "--out", str(tmp_path / "out")]
    assert main([*words, "--pictures"]) == 0
    captured = capsys.readouterr()
    assert "no network for action units and emotions" in captured.err
    assert "not read" in captured.out
    assert (tmp_path / "out" / "normalized" / "person_1_face0.png").is_file()


def test_a_classification_network_alone_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path / "w", None, presets.classification("test-vit", reads="images"))
    with pytest.raises(WeightsError, match=r"no normalization network .*action_units\.onnx"):
        Norface.load(weights=folder)
