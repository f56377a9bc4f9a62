from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from norface.media.arrays import ArrayFileError, StoredArray, write_arrays


def test_rows_are_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.npz"
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 6, 3), np.uint8)
    write_arrays(path, {"first": np.arange(3), "image": image, "name": np.array(["a", "bcd"])})
    stored = StoredArray.find(path, "image")
    assert len(stored) == 5
    assert all(np.array_equal(stored.row(i), image[i]) for i in range(5))
    assert StoredArray.find(path, "name").row(1) == "bcd"
    with pytest.raises(IndexError):
        stored.row(5)
    with np.load(path) as content:
        assert np.array_equal(content["image"], image)


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"a": np.arange(3)})

    class Fails:
        def __array__(self, *_: object, **__: object) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_arrays(path, {"a": np.arange(9), "b": Fails()})
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]
    assert len(StoredArray.find(path, "a")) == 3


def test_faults_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(ArrayFileError, match="cannot be read"):
        StoredArray.find(path, "a")
    write_arrays(path, {"a": np.arange(300)}, compressed=True)
    with pytest.raises(ArrayFileError, match="is compressed"):
        StoredArray.find(path, "a")
    write_arrays(path, {"a": np.arange(300)})
    with pytest.raises(ArrayFileError, match="no array 'b'"):
        StoredArray.find(path, "b")
    stored = StoredArray.find(path, "a")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ArrayFileError, match="cut short"):
        stored.row(299)


def test_a_row_is_read_into_memory_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    values = np.arange(24, dtype=np.int16).reshape(4, 2, 3)
    write_arrays(path, {"values": values})
    stored = StoredArray.find(path, "values")
    out = np.zeros((3, 2, 3), np.int16)
    stored.read_into(2, out[1])
    np.testing.assert_array_equal(out[1], values[2])
    assert not out[[0, 2]].any()
    with pytest.raises(ValueError, match="contiguous"):
        stored.read_into(2, out[1].T)
    with pytest.raises(IndexError):
        stored.read_into(4, out[1])
    path.write_bytes(path.read_bytes()[: stored.offset + 20])
    with pytest.raises(ArrayFileError, match="lacks row 2"):
        stored.read_into(2, out[1])
