from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from norface import facs
from norface.data.portraits import TRUSTED, calibrate, write_portrait_shards
from norface.data.shards import ShardError, load_shards
from norface.media.images import write_image


def write_renders(folder: Path, *, answers: bool = True) -> None:
    """A teacher that says 0.1 + 0.5 x the truth."""
    rng = np.random.default_rng(0)
    count = 400
    actions = rng.random((count, 52)) * (rng.random((count, 52)) < 0.6)
    intensity = np.zeros((count, len(facs.ACTION_UNITS), 3))
    intensity[:, facs.ACTION_UNIT_NAMES.index("AU25")] = 5 * actions[:, :1]
    geometry = np.zeros((count, 478, 3))
    geometry[:, 14, 1] = 0.3 * actions[:, 0]
    extra = {"blendshapes": 0.1 + 0.5 * actions} if answers else {}
    np.savez(
        folder / "shard_0000.npz", actions=actions, intensity=intensity, geometry=geometry, **extra
    )


def test_scale_of_the_teacher_is_undone(tmp_path: Path) -> None:
    write_renders(tmp_path)
    calibration = calibrate([tmp_path])
    smile = facs.ACTION_INDEX["mouthSmileLeft"]
    for true in (0.0, 0.3, 0.7, 1.0):
        said = np.full(52, 0.1 + 0.5 * true)
        assert calibration.actions(said)[smile] == pytest.approx(true, abs=0.1)
    assert calibration.mask().sum() == len(TRUSTED)


def test_intensity_is_nan_where_the_teacher_is_blind(tmp_path: Path) -> None:
    write_renders(tmp_path)
    calibration = calibrate([tmp_path])
    actions = np.zeros(52, np.float32)
    actions[facs.ACTION_INDEX["mouthSmileLeft"]] = 0.8
    shape = np.zeros((478, 3))
    shape[14, 1] = 0.3
    units = calibration.intensity(actions, shape)
    by_name = dict(zip(facs.ACTION_UNIT_NAMES, units, strict=True))
    assert by_name["AU12"] == pytest.approx([2.0, 4.0, 0.0])
    assert np.isnan(by_name["AU09"]).all()
    assert np.isnan(by_name["AU06"]).all()
    assert by_name["AU25"][0] > 4
    calibration.save(tmp_path / "calibration.json")
    assert "mouthSmileLeft" in (tmp_path / "calibration.json").read_text()


def test_renders_without_answers_are_refused(tmp_path: Path) -> None:
    write_renders(tmp_path, answers=False)
    with pytest.raises(ShardError, match="blendshapes"):
        calibrate([tmp_path])


def test_photos_become_shards_of_the_crop_asked_for(tmp_path: Path, person: Path) -> None:
    write_renders(tmp_path)
    calibration, out = calibrate([tmp_path]), tmp_path / "photos"
    blank = tmp_path / "blank.png"
    write_image(blank, np.zeros((64, 64, 3), np.uint8))
    said: list[str] = []
    used = write_portrait_shards([person, blank], out, calibration, crop=64, say=said.append)
    assert used == 1
    assert "blank.png: no face found" in said[0]
    shards = load_shards([out])
    assert shards.crop == 64
    assert shards.original.shape == (2, 80, 80, 3)
    assert shards.real.all()
    assert shards.action_mask[0].sum() == len(TRUSTED)
