"""Light on a face."""

from __future__ import annotations

import numpy as np

from norface.synthesis.picture.rasterize import Lights


def random_lights(random: np.random.Generator) -> Lights:
    """One to three lights in front and an uneven glow around."""
    count = int(random.integers(1, 4))
    directions, colours = [], []
    for i in range(count):
        direction = np.array(
            (random.normal(0, 0.8), random.normal(0.45, 0.5), abs(random.normal(0.8, 0.5)) + 0.1)
        )
        if i == 2:
            direction[2] *= -1
        warmth = random.normal(0, 0.12)
        strength = random.uniform(0.4, 1.0) * (1.0, 0.5, 0.6)[i]
        directions.append(direction / np.linalg.norm(direction))
        colours.append(np.array((1 + warmth, 1, 1 - warmth)) * strength)
    glow = random.uniform(0.2, 0.9)
    tint = 1 + random.normal(0, 0.08, 3)
    return Lights(
        np.array(directions, np.float32),
        np.array(colours, np.float32),
        (glow * tint).astype(np.float32),
        (glow * random.uniform(0.3, 0.8) * tint[::-1]).astype(np.float32),
    )
