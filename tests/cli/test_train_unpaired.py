"""From shards of photos to a normalization network without a rendered truth, by commands alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from norface import facs
from norface.cli import main
from norface.data.shards import write_shard
from norface.faces.align import geometry
from norface.faces.bundle import canonical_face

ACTIONS, UNITS = len(facs.FACIAL_ACTIONS), len(facs.ACTION_UNITS)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Eight noise pictures with the landmarks of a face."""
    rng, count = np.random.default_rng(0), 8
    write_shard(
        tmp_path / "photos" / "shard_0000.npz",
        original=rng.integers(0, 255, (count, 160, 160, 3)),
        geometry=np.tile(geometry(canonical_face()), (count, 1, 1)),
        actions=np.eye(count, ACTIONS),
        intensity=np.zeros((count, UNITS, 3)),
        emotion=np.full(count, -1),
        identity=np.arange(count),
        yaw=np.zeros(count),
        pitch=np.zeros(count),
        roll=np.zeros(count),
        target=rng.integers(0, 255, (count, 128, 128, 3)),
        target_id=np.zeros(count),
        action_mask=np.ones(ACTIONS, bool),
    )
    np.savez(
        tmp_path / "photos" / "targets.npz",
        image=rng.integers(0, 255, (1, 256, 256, 3)).astype(np.uint8),
    )
    return tmp_path / "photos"


def test_expression_then_unpaired_normalization(photos: Path, tmp_path: Path) -> None:
    common = ["--preset", "test-vit", "--steps", "1", "--batch", "4", "--threads", "1"]
    encoders = {}
    for subject in ("actions", "identity"):
        words = ["train", "expression", "--data", str(photos), "--subject", subject]
        assert main([*words, *common, "--out", str(tmp_path / subject), "--held-out", "2"]) == 0
        encoders[subject] = str(tmp_path / subject / "expression_embedding.safetensors")
    out = tmp_path / "unpaired"
    words = ["train", "normalization", "--unpaired-share", "1", "--unpaired-data", str(photos)]
    words += ["--unpaired.expression.path", encoders["actions"], "--unpaired.held-out", "2"]
    words += ["--unpaired.identity.path", encoders["identity"], *common, "--out", str(out)]
    assert main(words) == 0
    assert (out / "normalization.safetensors").exists()


def test_a_missing_encoder_is_named(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "normalization", "--unpaired-share", "1", "--unpaired-data", str(photos)]
    assert main([*words, "--steps", "1", "--out", str(tmp_path / "out")]) == 2
    assert "unpaired.expression.path" in "".join(capsys.readouterr().err.split())
