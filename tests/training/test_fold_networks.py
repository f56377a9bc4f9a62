"""F_nor and the encoder on one fold: they read its training part alone, and say whom they read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from norface.data.face_pictures import FacePictures
from norface.data.protocols import LeakError
from norface.data.shards import load_shards
from norface.models.checkpoint import learned_from
from norface.training.fold import open_fold
from norface.training.fold_config import FoldConfig
from norface.training.fold_shards import join_fold
from norface.training.normalization import train_normalization
from norface.training.normalization_config import NormalizationConfig, UnpairedConfig
from norface.training.pretraining import train_encoder
from norface.training.pretraining_config import PretrainingConfig

QUIET = Console(file=io.StringIO())
ALONE = UnpairedConfig(expression_weight=0.0, identity_weight=0.0, held_out=2, ramp=1)


def fold_of(disfa: tuple[Path, Path], number: int = 1) -> FoldConfig:
    root, faces = disfa
    return FoldConfig(
        protocol="disfa-detection", root=root, faces=faces, partial=True, number=number
    )


def normalization(out: Path, fold: FoldConfig, **options: Any) -> NormalizationConfig:
    return NormalizationConfig(
        **{
            "out": out, "fold": fold, "unpaired_share": 1.0, "unpaired": ALONE, "steps": 1,
            "preset": "test", "batch": 4, "threads": 1, "held_out": 2, **options,
        }
    )  # fmt: skip


def test_both_networks_say_whom_they_learned_from(disfa: tuple[Path, Path], tmp_path: Path) -> None:
    fold = fold_of(disfa)
    encoder = train_encoder(
        PretrainingConfig(
            out=tmp_path / "encoder", fold=fold, steps=1, preset="test-vit", batch=4, threads=1
        ),
        QUIET,
    )
    network = train_normalization(normalization(tmp_path / "normalization", fold), QUIET)
    people = {"disfa": ["SN003", "SN004", "SN006", "SN011"]}
    assert learned_from(encoder) == learned_from(network) == people
    # What learned from people of the second fold's test part must not be built on there.
    other = normalization(tmp_path / "other", fold_of(disfa, 2), start=network)
    with pytest.raises(LeakError, match="SN006, SN011"):
        train_normalization(other, QUIET)
    # What it was built on stays known without a fold of its own.
    assert learned_from(tmp_path / "missing", None) == {}


def test_renders_and_a_fold_in_one_batch(
    disfa: tuple[Path, Path], shard_folder: Path, tmp_path: Path
) -> None:
    options = normalization(
        tmp_path / "run", fold_of(disfa), data=(shard_folder,), unpaired_share=0.5
    )
    assert train_normalization(options, QUIET).exists()


def test_joined_samples(disfa: tuple[Path, Path], shard_folder: Path) -> None:
    shards = load_shards([shard_folder], limit=4)
    fold = open_fold(fold_of(disfa), held_out=0.25, seed=0)
    joined = join_fold(shards, fold, folder=1, size=128)
    assert len(joined) == 4 + len(fold.samples)
    np.testing.assert_array_equal(joined.original[1], shards.original[1])
    np.testing.assert_array_equal(joined.original[4], fold.faces.image[int(fold.rows[0])])
    assert not set(joined.identity[4:]) & set(shards.identity)
    assert joined.folder.tolist() == [0] * 4 + [1] * len(fold.samples)
    assert not joined.action_mask[4:].any()
    pictures = FacePictures(caches=[disfa[1]], chosen=fold.rows)
    assert len(pictures) == len(fold.samples)
    np.testing.assert_array_equal(pictures[0].image, joined.original[4])
    np.testing.assert_array_equal(
        pictures[len(pictures) - 1].image, joined.original[-1 + len(joined)]
    )


def test_faults(disfa: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give unpaired_share"):
        normalization(tmp_path, fold_of(disfa), unpaired_share=0.0, data=(tmp_path,))
    with pytest.raises(ValueError, match="learned from alone"):
        PretrainingConfig(out=tmp_path, fold=fold_of(disfa), shards=(tmp_path,), steps=1)
