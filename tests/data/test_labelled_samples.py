"""Labels of a protocol's samples as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from norface.data.labelled_samples import LabelledSamples, label_samples
from norface.data.prepared import PreparedFaces, StoredRows
from norface.data.protocols import protocol
from norface.data.sample import Sample
from norface.facs import EMOTIONS
from norface.media.arrays import write_arrays


@pytest.fixture
def faces(tmp_path: Path) -> PreparedFaces:
    """Three faces of a cache."""
    pixels = np.arange(3, dtype=np.uint8).repeat(12).reshape(3, 2, 2, 3)
    write_arrays(tmp_path / "faces.npz", {"face": pixels})
    return PreparedFaces(
        folder=tmp_path,
        crop=64,
        row={},
        image=StoredRows([tmp_path / "faces.npz"], "face"),
        geometry=np.zeros((3, 478, 3), np.float16),
        pose=np.zeros((3, 3), np.float16),
        found=np.ones(3, bool),
    )


def labelled(name: str, samples: list[Sample], faces: PreparedFaces) -> LabelledSamples:
    rows = np.arange(len(samples))[::-1].astype(np.int64)
    return label_samples(
        protocol(name), samples, faces, rows, targets=np.zeros((1, 256, 256, 3), np.uint8)
    )


VOTED = Sample(
    path=Path("a"),
    emotion="fear",
    emotion_distribution={"fear": 0.5, "contempt": 0.2, "surprise": 0.3},
)
SINGLE = Sample(path=Path("b"), emotion="fear")


def test_votes_are_kept_beside_the_majority(faces: PreparedFaces) -> None:
    found = labelled("ferplus-8", [SINGLE, VOTED], faces)
    assert found.emotion.tolist() == [EMOTIONS.index("fear")] * 2
    assert np.isnan(found.emotion_distribution[0]).all()
    shares = dict(zip(EMOTIONS, found.distribution(np.array([1]))[0].tolist(), strict=True))
    votes = dict(VOTED.emotion_distribution or {})
    assert shares == pytest.approx(dict.fromkeys(EMOTIONS, 0.0) | votes)
    assert found.original[0].max() == 1


def test_votes_for_emotions_that_do_not_count_are_left_out(faces: PreparedFaces) -> None:
    (row,) = labelled("affectnet-7", [VOTED], faces).emotion_distribution
    assert row.sum() == pytest.approx(1.0)
    assert row[EMOTIONS.index("contempt")] == 0
    assert row[EMOTIONS.index("fear")] == pytest.approx(0.5 / 0.8)


def test_units_have_no_votes(faces: PreparedFaces) -> None:
    found = labelled("ck-plus-detection", [Sample(path=Path("a"), presence={"AU12": 1})], faces)
    assert np.isnan(found.emotion_distribution).all()
