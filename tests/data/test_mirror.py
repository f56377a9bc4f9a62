"""Landmarks and labels of mirrored faces."""

from __future__ import annotations

import numpy as np

from norface import facs
from norface.data.mirror import mirror_geometry, mirror_intensity, mirrored_landmarks


def test_landmarks_swap_sides() -> None:
    swap = mirrored_landmarks()
    assert (swap[swap] == np.arange(478)).all()
    assert swap[33] == 263
    assert swap[61] == 291
    assert swap[1] == 1
    shape = np.random.default_rng(0).normal(size=(2, 478, 3)).astype(np.float32)
    assert np.allclose(mirror_geometry(mirror_geometry(shape)), shape)
    assert np.allclose(mirror_geometry(shape)[0, 33], shape[0, 263] * (-1, 1, 1))


def test_units_swap_sides() -> None:
    names = facs.ACTION_UNIT_NAMES
    intensity = np.zeros((1, len(names), 3), np.float32)
    intensity[0, names.index("AU12")] = (2.0, 3.0, 1.0)
    intensity[0, names.index("AU61")] = 4.0
    mirrored = mirror_intensity(intensity)
    assert mirrored[0, names.index("AU12")].tolist() == [2.0, 1.0, 3.0]
    assert mirrored[0, names.index("AU61")].tolist() == [0.0, 0.0, 0.0]
    assert mirrored[0, names.index("AU62")].tolist() == [4.0, 4.0, 4.0]
    assert np.array_equal(mirror_intensity(mirrored), intensity)
