"""Light on a face: kinds of light as photos have them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.picture.rasterize import Lights

KINDS: Final = ("even", "side", "overhead", "coloured", "dim", "back")
"""Kinds of light: frontal or overcast, window at the side, sun or ceiling lamp from above, mixed
colours, low light (lamps, screens), and light from behind."""

_SHARES = (0.5, 0.18, 0.13, 0.04, 0.07, 0.08)


def random_lights(random: np.random.Generator, kind: str | None = None) -> Lights:
    """One to three lights and an uneven glow around.

    Args:
        random: source of chance.
        kind: one of ``KINDS``; drawn by chance when None.
    """
    name = kind or str(random.choice(KINDS, p=_SHARES))
    side = 1.0 if random.random() < 0.5 else -1.0
    warmth = float(random.normal(0, 0.1))
    if name == "even":
        keys = [
            ((random.normal(0, 0.6), random.normal(0.4, 0.35), 1.0),
             random.uniform(0.25, 0.8) * _warm(warmth)),
        ]  # fmt: skip
        if random.random() < 0.5:
            keys.append((
                (-side * random.uniform(0.3, 1), random.normal(0.2, 0.3), 0.8),
                random.uniform(0.1, 0.35) * _warm(-warmth),
            ))  # fmt: skip
        glow, softness = random.uniform(0.4, 0.95), random.uniform(0.08, 0.25)
    elif name == "side":
        keys = [
            ((side, random.uniform(-0.05, 0.5), random.uniform(0.05, 0.6)),
             random.uniform(0.7, 1.4) * _warm(warmth)),
        ]  # fmt: skip
        glow, softness = random.uniform(0.08, 0.35), random.uniform(0.02, 0.12)
    elif name == "overhead":
        keys = [
            ((random.normal(0, 0.25), 1.0, random.uniform(0.15, 0.6)),
             random.uniform(0.8, 1.6) * _warm(0.5 * warmth + 0.05)),
        ]  # fmt: skip
        glow, softness = random.uniform(0.15, 0.45), random.uniform(0.012, 0.05)
    elif name == "coloured":
        keys = [
            ((side * random.uniform(0.3, 1), random.normal(0.3, 0.3), random.uniform(0.3, 1)),
             random.uniform(0.6, 1.0) * _hue(random)),
            ((-side * random.uniform(0.4, 1), random.normal(0.2, 0.3), random.uniform(0, 0.8)),
             random.uniform(0.3, 0.9) * _hue(random)),
        ]  # fmt: skip
        glow, softness = random.uniform(0.08, 0.3), random.uniform(0.03, 0.15)
    elif name == "dim":
        screen = random.random() < 0.35
        height = random.uniform(-0.6, 0) if screen else random.uniform(0.1, 0.9)
        keys = [
            ((random.normal(0, 0.5), height, 0.8),
             random.uniform(0.3, 0.9) * _warm(-0.25 if screen else random.uniform(0.05, 0.4))),
        ]  # fmt: skip
        glow, softness = random.uniform(0.05, 0.25), random.uniform(0.03, 0.15)
    elif name == "back":
        keys = [
            ((side * random.uniform(0.2, 1), random.uniform(0.1, 0.8), -random.uniform(0.4, 1)),
             random.uniform(1.2, 3.0) * _warm(warmth)),
            ((random.normal(0, 0.5), random.normal(0.2, 0.3), 1.0),
             random.uniform(0.05, 0.3) * _warm(-warmth)),
        ]  # fmt: skip
        glow, softness = random.uniform(0.2, 0.5), random.uniform(0.03, 0.15)
    else:
        raise ValueError(f"unknown kind of light {name!r}: one of {', '.join(KINDS)}")
    directions = np.array([key[0] for key in keys], np.float64)
    directions /= np.sqrt((directions * directions).sum(axis=1, keepdims=True))
    tint = 1 + random.normal(0, 0.07, 3)
    if name == "overhead":
        tint = tint * (0.92, 1.0, 1.12)
    return Lights(
        directions.astype(np.float32),
        np.array([key[1] for key in keys], np.float32),
        (glow * tint).astype(np.float32),
        (glow * random.uniform(0.35, 0.8) * tint[::-1] * _warm(0.04)).astype(np.float32),
        name,
        float(softness),
    )


def _warm(amount: float) -> NDArray[np.float64]:
    """RGB of white light made warmer, or cooler for negative amounts."""
    return np.array((1 + amount, 1.0, 1 - amount)).clip(0.3, 1.7)


def _hue(random: np.random.Generator) -> NDArray[np.float64]:
    """RGB of a coloured lamp, from faint to strong."""
    pure = np.zeros(3)
    pure[int(random.integers(3))] = 1.0
    pure[int(random.integers(3))] += random.uniform(0.2, 0.9)
    strength = random.uniform(0.2, 0.6)
    mixed = (1 - strength) + strength * pure
    return np.asarray(mixed / mixed.mean() * 0.9)
