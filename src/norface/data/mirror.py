"""Faces seen in a mirror: landmarks and labels change sides with the picture."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from norface import facs
from norface.faces.bundle import canonical_face


@cache
def mirrored_landmarks() -> NDArray[np.int64]:
    """(478,): the landmark that takes each one's place in the mirror image."""
    face = canonical_face()
    mirrored = face * (-1.0, 1.0, 1.0)
    distance = np.linalg.norm(face[:, None] - mirrored[None], axis=2)
    return np.asarray(distance.argmin(axis=0), np.int64)


def mirror_geometry(geometry: NDArray[np.floating]) -> NDArray[np.float32]:
    """Geometry (..., 478, 3) of the mirror image."""
    return np.asarray(geometry[..., mirrored_landmarks(), :] * np.array([-1, 1, 1]), np.float32)


@cache
def mirrored_units(units: tuple[str, ...] = facs.ACTION_UNIT_NAMES) -> NDArray[np.int64]:
    """(A,): the unit that takes each one's place: eyes that turn left turn right.

    Raises:
        ValueError: of two units that change places only one is there.
    """
    swapped = {"AU61": "AU62", "AU62": "AU61"}
    return np.array([units.index(swapped.get(name, name)) for name in units])


def mirror_intensity(
    intensity: NDArray[np.floating], units: tuple[str, ...] = facs.ACTION_UNIT_NAMES
) -> NDArray[np.floating]:
    """Intensity (..., A, 3: whole, left, right) of the mirror image."""
    return intensity[..., mirrored_units(units), :][..., [0, 2, 1]]
