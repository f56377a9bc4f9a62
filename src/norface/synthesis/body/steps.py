"""Smooth steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def smooth_step(low: float, high: float, value: NDArray[Any]) -> NDArray[Any]:
    """0 at ``low``, 1 at ``high``, smooth between, flat beyond; ``low`` may be the larger one."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
