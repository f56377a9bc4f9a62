"""Learning from one fold of a data set: nobody of its test part is ever read."""

from __future__ import annotations

import dataclasses
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from norface.data.augment import centre
from norface.data.face_finding import FaceFolderError
from norface.data.labelled_samples import ChosenRows
from norface.data.prepared import StoredRows
from norface.data.protocols import Division, LeakError
from norface.data.sample import DataError, Sample
from norface.models.checkpoint import Recipe, load_classification, save_network
from norface.training import fold as module
from norface.training.classification import train_classification
from norface.training.classification_config import ClassificationConfig
from norface.training.classification_faces import ImageFaces
from norface.training.fold import open_fold
from norface.training.fold_config import FoldConfig
from norface.training.normalized_faces import kept_normalized, normalize_prepared
from norface.training.run import TrainingError

QUIET = Console(file=io.StringIO())
UNITS = ("AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU25", "AU26")


def of(disfa: tuple[Path, Path], **options: Any) -> FoldConfig:
    root, faces = disfa
    return FoldConfig(
        **{"protocol": "disfa-detection", "root": root, "faces": faces, "partial": True, **options}
    )


def config(out: Path, fold: FoldConfig, **options: Any) -> ClassificationConfig:
    return ClassificationConfig(
        **{
            "out": out,
            "fold": fold,
            "preset": "test-vit",
            "reads": "images",
            "use_normalized": False,
            "steps": 2,
            "batch": 4,
            "threads": 1,
            "copies": 1,
            **options,
        }
    )


@pytest.mark.parametrize("number", [1, 2, 3])
def test_people_are_kept_apart(disfa: tuple[Path, Path], number: int) -> None:
    fold = open_fold(of(disfa, number=number), held_out=0.25, seed=0)
    tested = {s.subject for s in fold.division.test}
    learned, chosen = (
        {fold.samples[i].subject for i in part} for part in (fold.training, fold.validation)
    )
    assert len(tested) == 2
    assert len(learned) == 3
    assert len(chosen) == 1
    assert not tested & (learned | chosen)
    assert not learned & chosen
    assert fold.without_face == (number != 2)


def test_labels(disfa: tuple[Path, Path]) -> None:
    fold = open_fold(of(disfa, number=2), held_out=0.25, seed=0)
    found = fold.labelled()
    assert found.units == UNITS
    sample = fold.samples[0]
    assert found.intensity[0, :, 0].tolist() == [sample.intensity[unit] for unit in UNITS]
    assert np.isnan(found.intensity[0, :, 1:]).all()
    assert found.present[0].tolist() == [int(sample.intensity[unit] >= 2) for unit in UNITS]
    assert (found.emotion == -1).all()
    np.testing.assert_array_equal(found.original[0], fold.faces.image[int(fold.rows[0])])
    thinned = open_fold(of(disfa, number=2, every=2), held_out=0.25, seed=0)
    assert {s.frame for s in thinned.samples} == {0, 2}


def test_only_faces_of_the_fold_are_read(
    disfa: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training reads pixels of nobody who is tested on."""
    read: set[int] = set()
    row = StoredRows.__getitem__

    def watched(self: StoredRows, index: int) -> Any:
        read.add(int(index))
        return row(self, index)

    monkeypatch.setattr(StoredRows, "__getitem__", watched)
    path = train_classification(config(tmp_path / "run", of(disfa)), QUIET)
    fold = open_fold(of(disfa), held_out=0.08, seed=0)
    tested = {
        place
        for name, place in fold.faces.row.items()
        if any(person in name for person in fold.division.held_out)
    }
    assert len(tested) == 6
    assert read == set(fold.rows.tolist())
    assert not read & tested
    network, notes = load_classification(path)
    assert network.units == UNITS
    assert set(notes["thresholds"]) == set(UNITS)
    assert notes["fold"]["protocol"] == "disfa-detection"
    assert not set(notes["learned_from"]["disfa"]) & fold.division.held_out
    with pytest.raises(LeakError, match="learned from SN006, SN011"):
        open_fold(of(disfa, number=2), held_out=0.08, seed=0).learned_from(path)


def test_a_leak_is_refused(disfa: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def leaking(self: Division, people: int) -> Division:
        object.__setattr__(self, "train", (*self.train, self.test[0]))
        object.__setattr__(self, "validation", self.train[:1])
        return self

    monkeypatch.setattr(Division, "with_validation", leaking)
    with pytest.raises(LeakError, match="SN001"):
        open_fold(of(disfa), held_out=0.25, seed=0)


def test_intensity_alone(disfa: tuple[Path, Path], tmp_path: Path) -> None:
    options = config(
        tmp_path / "run",
        of(disfa, protocol="disfa-intensity"),
        presence_weight=0.0,
        mirror=0.5,
    )
    network, notes = load_classification(train_classification(options, QUIET))
    assert len(network.units) == 12
    assert (tmp_path / "run" / "best_classification.safetensors").exists()
    assert np.isfinite(notes["validation"]["icc"])


def test_normalized_faces_are_kept(disfa: tuple[Path, Path], tmp_path: Path) -> None:
    root, prepared = disfa
    faces = tmp_path / "faces"
    shutil.copytree(prepared, faces)
    checkpoint = tmp_path / "normalization.safetensors"
    recipe = Recipe(kind="normalization", preset="test")
    torch.manual_seed(0)
    save_network(checkpoint, recipe.build(), recipe)
    fold = of((root, faces), normalized=True)
    options = config(
        tmp_path / "run", fold, use_normalized=True, normalization=checkpoint, mirror=0.5
    )
    with pytest.raises(FaceFolderError, match="norface data prepare"):
        train_classification(options, QUIET)
    said: list[str] = []
    normalize_prepared(faces, checkpoint, say=said.append)
    assert len(said) > 0
    normalize_prepared(faces, checkpoint, say=said.append)
    assert len(said) == len(list(faces.glob("faces_*.npz")))
    assert len(kept_normalized(faces, checkpoint)) == 17
    assert train_classification(options, QUIET).exists()
    # Read in place where the size is right, resized elsewhere; mirrored with the original.
    rows = kept_normalized(faces, checkpoint)
    side = rows.shape[1]
    found = open_fold(fold, held_out=0.08, seed=0)
    chosen = ChosenRows(rows, found.rows)
    for size, mirror in ((side, 0.0), (side, 1.0), (64, 1.0)):
        source = ImageFaces(
            found.labelled(), size=size, normalizer=None, normalized=chosen,
            augmentation=options.augmentation, mirror=mirror, views=1, seed=0,
        )  # fmt: skip
        batch = source.varied(np.array([1]), [np.random.default_rng(0)])
        assert batch.normalized is not None
        expected = centre(chosen[1], size)
        expected = expected[:, ::-1] if mirror else expected
        np.testing.assert_array_equal(batch.normalized[0].numpy(), expected)
        completed = source.completed(batch)
        assert completed.original.shape == completed.normalized.shape == (1, 3, size, size)


def test_faults(disfa: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"needs fold\.faces"):
        FoldConfig(protocol="disfa-detection", root=tmp_path)
    with pytest.raises(ValueError, match=r"fold\.root needs fold\.protocol"):
        FoldConfig(root=tmp_path)
    with pytest.raises(ValueError, match="test_root"):
        of(disfa, protocol="disfa-detection:bp4d-detection")
    with pytest.raises(DataError, match="has no fold 4"):
        open_fold(of(disfa, number=4), held_out=0.1, seed=0)
    with pytest.raises(DataError, match="lacks people"):
        open_fold(of(disfa, partial=False), held_out=0.1, seed=0)
    with pytest.raises(FaceFolderError, match="norface data prepare disfa"):
        open_fold(of(disfa, faces=tmp_path), held_out=0.1, seed=0)
    with pytest.raises(TrainingError, match="--heads action_units"):
        train_classification(config(tmp_path / "run", of(disfa), heads=("emotions",)), QUIET)
    with pytest.raises(ValueError, match="fold of a data set"):
        dataclasses.replace(config(tmp_path / "run", of(disfa)), data=(tmp_path,))


def test_sets_without_people_are_split_by_sequence() -> None:
    samples = tuple(
        Sample(path=Path(f"{clip}/{i}.jpg"), sequence=clip, emotion="anger")
        for clip in "abcd"
        for i in range(3)
    )
    assert [s.path.name for s in module._thinned(samples, 2)] == ["0.jpg", "2.jpg"] * 4
