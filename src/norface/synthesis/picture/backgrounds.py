"""What stands behind a face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def random_background(random: np.random.Generator, size: int) -> Array:
    """(size, size, 3) linear RGB: a wall with a gradient, and often blurred clutter."""
    corners = random.uniform(0.02, 0.6) * (1 + random.normal(0, 0.2, (2, 2, 3)))
    small = cv2.resize(np.clip(corners, 0, 1).astype(np.float32), (64, 64))
    if random.random() < 0.6:
        for _ in range(int(random.integers(3, 14))):
            grey = random.uniform(0.02, 0.7)
            colour = tuple(float(c) for c in grey * (1 + random.normal(0, 0.3, 3)).clip(0.2, 1.8))
            x, y = (int(v) for v in random.integers(-8, 72, 2))
            if random.random() < 0.6:
                w, h = (int(v) for v in random.integers(3, 30, 2))
                cv2.rectangle(small, (x, y), (x + w, y + h), colour, -1)
            else:
                cv2.circle(small, (x, y), int(random.integers(2, 14)), colour, -1)
        small = cv2.GaussianBlur(small, (0, 0), float(random.uniform(0.3, 3.0)))
    picture = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    grain = random.standard_normal((size, size, 1)).astype(np.float32) * random.uniform(0, 0.02)
    return np.clip(picture + grain, 0, 1)
