from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from norface import facs
from norface.data.shards import ShardError, load_shards, load_targets, write_shard


def rows(count: int, crop: int = 128) -> dict[str, NDArray[np.generic]]:
    rng = np.random.default_rng(count)
    return {
        "original": rng.integers(0, 256, (count, crop * 5 // 4, crop * 5 // 4, 3)),
        "geometry": rng.normal(size=(count, 478, 3)),
        "actions": rng.random((count, len(facs.FACIAL_ACTIONS))),
        "intensity": rng.random((count, len(facs.ACTION_UNITS), 3)),
        "emotion": np.arange(count) % 8,
        "identity": np.arange(count),
        "yaw": rng.normal(size=count),
        "pitch": rng.normal(size=count),
        "roll": rng.normal(size=count),
        "target": rng.integers(0, 256, (count, crop, crop, 3)),
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


def test_crops_are_read_resized_or_refused(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    write_shard(small / "shard_0000.npz", **rows(2))
    write_shard(large / "shard_0000.npz", **rows(3, crop=256))
    targets(large)
    shards = load_shards([large])
    assert shards.crop == 256
    assert shards.original.shape == (3, 320, 320, 3)
    with pytest.raises(ShardError, match="crops 128, 256"):
        load_shards([small, large])
    said: list[str] = []
    both = load_shards([small, large], crop=256, say=said.append)
    assert both.original.shape == (5, 320, 320, 3)
    assert np.array_equal(both.target[2:], shards.target)
    assert abs(both.target[0].mean() - rows(2)["target"][0].mean()) < 2
    assert len(said) == 1
    assert "small" in said[0]
    assert "--crop 256" in said[0]
    assert load_shards([large], crop=128, say=said.append).original.shape == (3, 160, 160, 3)


def test_shards_of_no_possible_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="multiple of 4"):
        write_shard(tmp_path / "shard_0000.npz", **rows(1, crop=30))
    one = rows(1)
    one["original"] = one["original"][:, :144, :144]
    np.savez(tmp_path / "shard_0000.npz", **one)
    with pytest.raises(ShardError, match="does not go with target"):
        load_shards([tmp_path])
