"""Nothing is printed as published that is not in this list."""

from __future__ import annotations

import numpy as np
import pytest

from norface.data.protocols import protocol, protocol_names
from norface.evaluation.published import (
    MEAN,
    SYSTEM,
    _content,
    published,
    published_caution,
    published_figure,
    published_source,
)

KNOWN = {
    ("bp4d-detection", "f1"): {
        ("Norface", MEAN): 69.3, ("FMAE-IAT", MEAN): 67.1, ("MDHR", MEAN): 66.6,
        ("FMAE", MEAN): 66.6, ("ME-GraphAU", MEAN): 65.5,
    },
    ("bp4d-plus-detection", "f1"): {
        ("Norface", MEAN): 66.7, ("FMAE-IAT", MEAN): 66.8, ("FMAE", MEAN): 66.2,
    },
    ("disfa-detection", "f1"): {
        ("Norface", MEAN): 72.7, ("Norface", "AU01"): 76.4, ("Norface", "AU02"): 66.1,
        ("Norface", "AU04"): 74.2, ("Norface", "AU06"): 58.5, ("Norface", "AU09"): 57.2,
        ("Norface", "AU12"): 81.7, ("Norface", "AU25"): 97.6, ("Norface", "AU26"): 69.6,
        ("FMAE-IAT", MEAN): 70.1, ("FMAE", MEAN): 68.7, ("MGRR-Net", MEAN): 68.2,
        ("AUFormer", MEAN): 66.4,
    },
    ("disfa-intensity", "icc_3_1"): {("Norface", MEAN): 0.67},
    ("disfa-intensity", "mse"): {("Norface", MEAN): 0.22},
    ("disfa-intensity", "mae"): {("Norface", MEAN): 0.17},
    ("rafdb-7", "accuracy"): {
        ("Norface", MEAN): 92.97, ("FMAE", MEAN): 93.09, ("QCS", MEAN): 93.02,
    },
    ("affectnet-8", "accuracy"): {("FMAE", MEAN): 65.00, ("QCS", MEAN): 64.40},
}  # fmt: skip


def test_every_figure_is_known_and_every_known_figure_is_there() -> None:
    expected = {(*key, *who): value for key, rows in KNOWN.items() for who, value in rows.items()}
    rows = _content()["figures"]
    found = {(r["protocol"], r["metric"], r["system"], r["label"]): r["value"] for r in rows}
    assert found == expected
    assert len(rows) == len(expected)


def test_they_belong_to_protocols_and_their_labels() -> None:
    names = set(protocol_names())
    for row in _content()["figures"]:
        assert row["protocol"] in names
        assert row["label"] in (MEAN, *protocol(row["protocol"]).labels)
        assert row["scale"] == (100 if row["metric"] in ("f1", "accuracy") else 1)


def test_the_papers_mean_is_that_of_its_units() -> None:
    rows = [r for r in published("disfa-detection") if r.system == SYSTEM and r.label != MEAN]
    mean = published_figure("disfa-detection", "f1")
    assert mean is not None
    assert mean.comparable == pytest.approx(np.mean([r.comparable for r in rows]), abs=5e-4)


def test_look_up() -> None:
    assert published_figure("affectnet-8", "accuracy") is None
    assert published_figure("bp4d-detection", "f1", "AU12") is None
    assert published("synfacs-v1") == ()
    assert "not measured here" in published_source()
    assert "0.065" in published_caution("bp4d-plus-detection")
    assert published_caution("rafdb-7") == ""
    own = [r.note for r in published("bp4d-plus-detection") if r.system == "FMAE-IAT"]
    assert own == ["its own split in four folds"]
