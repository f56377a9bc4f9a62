"""A miniature of the benchmark: two people, one picture without a face."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from norface import facs
from norface.data.sample import DataError
from norface.data.synfacs import SynfacsFaces, load_synfacs, prepare, to_shards
from norface.media.images import read_image, write_image

PICTURES = (("p000_a.png", "train_000", "1"), ("p000_b.png", "train_000", "1"),
            ("p001_a.png", "train_001", "0"))  # fmt: skip
FACELESS = "p000_b.png"


@pytest.fixture
def root(tmp_path: Path, person: Path) -> Path:
    folder = tmp_path / "bench" / "train"
    folder.mkdir(parents=True)
    face = read_image(person)
    rows = []
    for number, (name, who, few) in enumerate(PICTURES):
        write_image(folder / name, np.full_like(face, 90) if name == FACELESS else face)
        row: dict[str, object] = {"input": name, "person": who, "track_few": few}
        row |= {"stratum_pose": ("0", "15", "45")[number], "stratum_tone": "1-2"}
        row |= {"pitch": 1.5, "yaw": -40.0, "roll": 0.25}
        row |= dict.fromkeys(facs.FACIAL_ACTIONS, 0.0) | {"jawOpen": 0.5}
        for unit in facs.ACTION_UNITS:
            row[f"{unit.name}_r"] = number
            if unit.has_sides:
                row |= {f"{unit.name}_left_r": number + 0.5, f"{unit.name}_right_r": 0.25}
        rows.append(row)
    write_table(folder / "truth.csv", rows)
    return folder.parent


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_labels_stay_with_their_faces(root: Path) -> None:
    faces = prepare(root, "train", say=lambda _: None)
    assert faces.input.tolist() == ["p000_a.png", "p001_a.png"]
    assert faces.missed.tolist() == [FACELESS]
    assert faces.person.tolist() == [0, 1]
    assert faces.few.tolist() == [True, False]
    assert faces.original.shape == (2, 160, 160, 3)
    assert faces.original.std() > 10
    assert faces.geometry.shape == (2, 478, 3)
    assert faces.strata["pose"].tolist() == ["0", "45"]
    assert faces.pose[0].tolist() == [1.5, -40.0, 0.25]
    jaw = facs.ACTION_INDEX["jawOpen"]
    assert faces.actions[:, jaw].tolist() == [0.5, 0.5]
    assert faces.actions.sum() == 1.0
    smile = facs.ACTION_UNIT_NAMES.index("AU12")
    lips = facs.ACTION_UNIT_NAMES.index("AU25")
    assert faces.intensity[1, smile].tolist() == [2.0, 2.5, 0.25]
    assert faces.intensity[1, lips].tolist() == [2.0, 2.0, 2.0]  # no sides


def test_kept_in_a_file_and_cut_by_track(root: Path, tmp_path: Path) -> None:
    faces = load_synfacs(root, "train", tmp_path / "cache", say=lambda _: None)
    (root / "train" / "truth.csv").unlink()
    again = load_synfacs(root, "train", tmp_path / "cache")
    assert np.array_equal(again.original, faces.original)
    few = again.chosen(again.few)
    assert len(few) == 1
    assert few.strata["pose"].tolist() == ["0"]
    (tmp_path / "cache" / "synfacs_train.npz").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"synfacs_train\.npz.*delete it"):
        SynfacsFaces.load(tmp_path / "cache" / "synfacs_train.npz")


def test_as_shards(root: Path) -> None:
    faces = prepare(root, "train", say=lambda _: None)
    targets = np.full((1, 256, 256, 3), 40, np.uint8)
    shards = to_shards(faces, targets)
    assert len(shards) == 2
    assert not shards.real.any()
    assert shards.identity.tolist() == [0, 1]
    assert shards.yaw.tolist() == [-40.0, -40.0]
    assert (shards.target == 40).all()
    painted = to_shards(
        faces,
        targets,
        paint=lambda actions: np.full((128, 128, 3), int(10 * actions.sum()), np.uint8),
    )
    assert (painted.target == 5).all()


def test_what_is_missing_is_named(root: Path) -> None:
    with pytest.raises(ValueError, match="no split 'dev'"):
        prepare(root, "dev")
    with pytest.raises(DataError, match=r"(?s)validation.*norface synth --benchmark"):
        prepare(root, "validation")
    write_table(root / "train" / "truth.csv", [{"input": "p000_a.png", "person": "train_000"}])
    with pytest.raises(DataError, match="lacks AU01_r"):
        prepare(root, "train")
