from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from norface import facs
from norface.data.shards import Shards
from norface.evaluation import ablation
from norface.evaluation.evaluate import Networks, unit_scores
from norface.evaluation.face_embedding import fit_similarity
from norface.evaluation.judge import ActionReader, read_back
from norface.models.checkpoint import CheckpointError
from norface.runtime.places import DEFAULT_WEIGHTS, WeightsError

UNITS = len(facs.ACTION_UNITS)
SMILE = facs.ACTION_INDEX["mouthSmileLeft"]


def renders(count: int, seed: int) -> Shards:
    """Common faces whose brightness at one place is the smile."""
    rng = np.random.default_rng(seed)
    actions = np.zeros((count, 52), np.float16)
    actions[:, SMILE] = rng.random(count)
    target = rng.integers(100, 104, (count, 128, 128, 3)).astype(np.uint8)
    target[:, 80:100, 40:60] += (100 * actions[:, SMILE, None, None, None]).astype(np.uint8)
    zero = np.zeros(count)
    return Shards(
        original=np.zeros((count, 160, 160, 3), np.uint8),
        geometry=np.zeros((count, 478, 3), np.float16),
        actions=actions,
        intensity=np.zeros((count, UNITS, 3), np.float16),
        emotion=zero.astype(np.int8),
        identity=np.arange(count, dtype=np.int32),
        yaw=zero.astype(np.float16),
        pitch=zero.astype(np.float16),
        roll=zero.astype(np.float16),
        target=target,
        target_id=zero.astype(np.int16),
        action_mask=np.ones((count, 52), bool),
        real=zero.astype(bool),
        folder=zero.astype(np.int16),
        targets=np.zeros((1, 256, 256, 3), np.uint8),
    )


@pytest.mark.filterwarnings("default")
def test_the_judge_reads_what_is_on_the_face() -> None:
    judge = ActionReader(renders(60, 0), components=10)
    new = renders(40, 1)
    scores = read_back(judge, new.target, new.actions)
    assert scores["mouthSmileLeft"] > 0.98
    assert np.isnan(scores["jawOpen"])
    assert scores["mean"] == scores["mouthSmileLeft"]
    assert abs(read_back(judge, new.target[::-1], new.actions)["mean"]) < 0.6


def test_scores_of_a_perfect_reading() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((50, UNITS)) * 5
    intensity = np.repeat(truth[..., None], 3, axis=2).astype(np.float32)
    probability = (truth >= facs.PRESENCE_INTENSITY).astype(np.float32)
    scores = unit_scores(truth, intensity, probability, np.full(UNITS, 0.5))
    assert scores["mean"]["f1"] == 1.0
    assert scores["mean"]["icc"] == pytest.approx(1.0)
    assert set(scores) == {*facs.ACTION_UNIT_NAMES, "mean"}


def test_similarity_maps_points_onto_points() -> None:
    points = np.random.default_rng(0).normal(size=(5, 2))
    angle, scale = 0.3, 1.7
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    goal = points @ turn.T + (3.0, -2.0)
    assert np.allclose(fit_similarity(points, goal), np.column_stack([turn, (3.0, -2.0)]))


def test_figures_are_of_the_usual_units(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    for path in DEFAULT_WEIGHTS.glob("*.*n*"):
        (weights / path.name).symlink_to(path)
    manifest = json.loads((DEFAULT_WEIGHTS / "manifest.json").read_text())
    (weights / "manifest.json").unlink(missing_ok=True)
    (weights / "manifest.json").write_text(json.dumps(manifest | {"units": ["AU01", "AU23"]}))
    with pytest.raises(WeightsError, match=r"AU01, AU23, not the \d+ usual units"):
        Networks.load(weights)


def test_an_ablation_is_of_the_usual_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "load_normalization", lambda path: (None, {}))
    other = SimpleNamespace(units=("AU12",))
    monkeypatch.setattr(ablation, "load_classification", lambda path: (other, {}))
    with pytest.raises(CheckpointError, match=r"mine.safetensors reads AU12, not the \d+ units"):
        ablation.score_checkpoint(tmp_path / "n", tmp_path / "mine.safetensors", renders(2, 0))
