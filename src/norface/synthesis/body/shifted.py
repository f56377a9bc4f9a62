"""Where a texel lies in the noise, which each person's paint starts at another place."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, error_model="numpy", inline="always")
def shifted(row: int, column: int, start: NDArray[np.int64], size: int) -> tuple[int, int]:
    """Row and column in the tileable (size, size) noise that begins at ``start``."""
    from_row, from_column = row + start[0], column + start[1]
    from_row = from_row - size if from_row >= size else from_row
    from_column = from_column - size if from_column >= size else from_column
    return from_row, from_column
