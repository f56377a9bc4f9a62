from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from norface import facs
from norface.data.shards import ShardError, load_shards, load_targets, write_shard


def rows(count: int) -> dict[str, NDArray[np.generic]]:
    rng = np.random.default_rng(count)
    return {
        "original": rng.integers(0, 256, (count, 160, 160, 3)),
        "geometry": rng.normal(size=(count, 478, 3)),
        "actions": rng.random((count, len(facs.FACIAL_ACTIONS))),
        "intensity": rng.random((count, len(facs.ACTION_UNITS), 3)),
        "emotion": np.arange(count) % 8,
        "identity": np.arange(count),
        "yaw": rng.normal(size=count),
        "pitch": rng.normal(size=count),
        "roll": rng.normal(size=count),
        "target": rng.integers(0, 256, (count, 128, 128, 3)),
        "target_id": np.zeros(count),
    }


def targets(folder: Path, value: int = 7) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    np.savez(folder / "targets.npz", image=np.full((2, 256, 256, 3), value, np.uint8))


def test_folders_are_joined(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    write_shard(a / "shard_0000.npz", **rows(3))
    write_shard(a / "shard_0001.npz", **rows(2))
    write_shard(b / "shard_0000.npz", **rows(4), action_mask=np.arange(52) < 5)
    targets(a)
    shards = load_shards([a, b])
    assert len(shards) == 9
    assert shards.real.tolist() == [False] * 5 + [True] * 4
    assert shards.action_mask[:5].all()
    assert shards.action_mask[5:].sum() == 20
    assert shards.folder.tolist() == [0] * 5 + [1] * 4
    assert np.array_equal(shards.original[3:5], rows(2)["original"])
    assert len(load_shards([a, b], limit=4)) == 8


def test_faults_are_named(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="holds no shard"):
        load_shards([tmp_path])
    folder = tmp_path / "a"
    write_shard(folder / "shard_0000.npz", **rows(2))
    with pytest.raises(ShardError, match=r"no targets\.npz"):
        load_shards([folder])
    targets(folder)
    targets(tmp_path / "b", value=8)
    with pytest.raises(ShardError, match="other target faces"):
        load_targets([folder, tmp_path / "b"])
    (folder / "shard_0000.npz").write_bytes(b"no archive")
    with pytest.raises(ShardError, match="cannot be read"):
        load_shards([folder])
    with pytest.raises(ShardError, match="yaw must have shape"):
        write_shard(folder / "x.npz", **{**rows(2), "yaw": np.zeros(3)})
    bad = rows(2) | {"target_id": np.array([0, 9])}
    write_shard(folder / "shard_0000.npz", **bad)
    with pytest.raises(ShardError, match="target_id"):
        load_shards([folder])
