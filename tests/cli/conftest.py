"""Small videos for the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def noise_film(film: Callable[..., Path]) -> Callable[[Path, int], Path]:
    """Write a film of so many frames, each of which is lighter or darker than the last."""

    def write(path: Path, count: int) -> Path:
        stripes = np.zeros((48, 64, 3), np.int16) + 120 * (np.arange(64) // 8 % 2)[None, :, None]
        return film(path, [(stripes + i * 37 % 130).astype(np.uint8) for i in range(count)])

    return write
