"""What stands behind a face: rooms, streets, greenery, walls, out of focus as in photos."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.picture.filters import blur, enlarge

Array = NDArray[np.float32]

KINDS = ("wall", "room", "outdoors", "bokeh", "clutter", "texture")
_SHARES = (0.2, 0.27, 0.23, 0.08, 0.12, 0.1)
_SMALL = 112


def random_background(random: np.random.Generator, size: int, kind: str | None = None) -> Array:
    """What is behind the face.

    Args:
        random: source of chance.
        size: side of the picture in pixels.
        kind: one of ``KINDS``; drawn by chance when None.

    Returns:
        (size, size, 3) linear RGB.
    """
    name = kind or str(random.choice(KINDS, p=_SHARES))
    draw = {
        "wall": _wall, "room": _room, "outdoors": _outdoors, "bokeh": _bokeh,
        "clutter": _clutter, "texture": _texture,
    }[name]  # fmt: skip
    drawn = draw(random)
    # Portraits blur what is far behind, snapshots hardly.
    sigma = float(random.uniform(0.3, 1.2) if random.random() < 0.4 else random.uniform(1.2, 5))
    if name in ("wall", "texture"):
        sigma *= 0.3
    elif name == "bokeh":
        sigma = max(0.4 * sigma, 0.85)
    if random.random() < 0.5:
        drawn = np.ascontiguousarray(drawn[:, ::-1])
    return np.clip(enlarge(blur(drawn, sigma), size, size), 0, 4)


def _colour(random: np.random.Generator, spread: float = 0.25) -> NDArray[np.float64]:
    """RGB of a thing: mostly greys and browns, seldom bright."""
    grey = 0.02 + 0.75 * random.random() ** 1.7
    warm = random.normal(0.08, spread * 0.7)
    return np.asarray(
        np.clip(grey * (1 + np.array((warm, random.normal(0, spread * 0.35), -warm))), 0.005, 1.2)
    )


def _noise(random: np.random.Generator, fall: float, first: int = 3) -> Array:
    """(112, 112, 1) noise of unit spread: the finer, the weaker by ``fall`` an octave."""
    total = np.zeros((_SMALL, _SMALL, 1), np.float32)
    weight, cells = 1.0, first
    while cells <= _SMALL:
        grid = random.standard_normal((cells, cells, 1)).astype(np.float32)
        total += np.float32(weight) * enlarge(grid, _SMALL, _SMALL)
        weight *= fall
        cells *= 2
    spread = np.sqrt((total.astype(np.float64) ** 2).mean())
    return (total / np.float32(spread)).astype(np.float32)


def _rectangle(
    picture: Array, x: float, y: float, w: float, h: float, colour: NDArray[np.float64]
) -> None:
    left, top = max(round(x), 0), max(round(y), 0)
    picture[top : max(round(y + h), 0), left : max(round(x + w), 0)] = colour


def _disc(picture: Array, x: float, y: float, radius: float, colour: NDArray[np.float64]) -> None:
    cv2.circle(
        picture, (round(x), round(y)), max(round(radius), 1), tuple(float(c) for c in colour), -1
    )


def _flat(colour: NDArray[np.float64]) -> Array:
    return np.broadcast_to(colour, (_SMALL, _SMALL, 3)).astype(np.float32)


def _wall(random: np.random.Generator) -> Array:
    base = _colour(random, 0.18)
    corners = base * random.uniform(0.6, 1.3, (2, 2, 1))
    drawn = enlarge(corners.astype(np.float32), _SMALL, _SMALL)
    return drawn * (1 + np.float32(random.uniform(0, 0.08)) * _noise(random, 0.8))


def _texture(random: np.random.Generator) -> Array:
    """Bricks, panels, curtains, plaster."""
    drawn = _wall(random)
    rows = np.arange(_SMALL)
    if random.random() < 0.5:
        period = int(random.integers(6, 22))
        mortar = np.float32(random.uniform(0.5, 1.4))
        brick = random.random() < 0.5
        for row, y in enumerate(range(0, _SMALL, period)):
            if brick:
                drawn[y : y + max(period // 7, 1)] *= mortar
            start = (row % 2) * period if brick else 0
            for x in range(start, _SMALL, 2 * period):
                drawn[y : y + period, x : x + max(period // 7, 1)] *= mortar
    else:
        folds = np.zeros(_SMALL)
        for _ in range(3):
            wave = np.abs((rows / random.uniform(5, 30) + random.random()) % 1 * 2 - 1)
            folds += random.uniform(0.05, 0.3) * (wave - 0.5)
        drawn *= (1 + folds).astype(np.float32)[None, :, None].clip(0.2, 2)
    grain = 1 + np.float32(random.uniform(0.02, 0.2)) * _noise(random, 0.9, 7)
    return np.asarray(drawn * np.clip(grain, 0.2, 2), np.float32)


def _room(random: np.random.Generator) -> Array:
    """A wall with a window, door, shelves, pictures and lamps."""
    drawn = _wall(random)
    if random.random() < 0.4:
        corner = int(random.integers(10, 100))
        drawn[:, corner:] *= np.float32(random.uniform(0.5, 0.9))
    if random.random() < 0.5:
        x, y, w, h = random.uniform((-20, 5, 20, 30), (90, 40, 50, 80))
        _rectangle(drawn, x - 2, y - 2, w + 4, h + 4, _colour(random, 0.1))
        light = random.uniform(0.6, 2.2) * np.array((0.95, 1.0, 1.08))
        _rectangle(drawn, x, y, w, h, light)
        for k in range(1, int(random.integers(1, 4))):
            _rectangle(drawn, x + k * w / 3, y, 2, h, _colour(random, 0.1))
    if random.random() < 0.45:
        x, w = random.uniform(-20, 100), random.uniform(20, 60)
        step, wood = random.uniform(12, 28), _colour(random)
        for y in np.arange(random.uniform(-5, 40), 112, step):
            _rectangle(drawn, x, y, w, step, wood * 0.5)
            place = x
            while place < x + w - 2:
                thick, tall = random.uniform(1.5, 7), step * random.uniform(0.4, 0.85)
                _rectangle(drawn, place, y + step - tall, thick, tall, _colour(random, 0.45))
                place += thick + (random.uniform(0, 8) if random.random() < 0.3 else 0)
            _rectangle(drawn, x, y + step - 2, w, 2.5, wood)
    for _ in range(int(random.integers(0, 4))):
        x, y, w, h = random.uniform((-10, 0, 8, 8), (100, 60, 36, 36))
        _rectangle(drawn, x, y, w, h, _colour(random, 0.1))
        _rectangle(drawn, x + 1.5, y + 1.5, w - 3, h - 3, _colour(random, 0.4))
    if random.random() < 0.35:
        x, w = random.uniform(-20, 100), random.uniform(25, 45)
        _rectangle(drawn, x, random.uniform(10, 40), w, 112, _colour(random, 0.15))
    if random.random() < 0.4:
        x, y, r = random.uniform((0, 0, 3), (112, 60, 9))
        _disc(drawn, x, y, r, random.uniform(1, 4) * np.array((1.1, 1.0, 0.8)))
    for _ in range(int(random.integers(0, 5))):
        x, w, h = random.uniform((-20, 10, 10), (110, 60, 50))
        _rectangle(drawn, x, 112 - h, w, h, _colour(random))
    return drawn


def _outdoors(random: np.random.Generator) -> Array:
    """Sky, buildings, trees and ground."""
    bright = random.uniform(0.4, 1.6)
    grey = random.random()
    top = bright * (np.array((0.35, 0.55, 1.0)) * (1 - grey) + grey * np.array((0.85, 0.9, 0.95)))
    low = bright * np.array((0.85, 0.92, 1.0))
    horizon = int(random.integers(15, 95))
    drawn = enlarge(np.stack([[top], [low]]).astype(np.float32), _SMALL, _SMALL)
    drawn *= (1 + np.float32(0.08) * _noise(random, 0.55)).clip(0.5, 1.5)
    ground = _flat(_colour(random) * np.array((0.9, 1.0, 0.75)))
    ground *= (1 + np.float32(0.2) * _noise(random, 0.7, 7)).clip(0.3, 2)
    drawn[horizon:] = ground[horizon:]
    if random.random() < 0.5:
        x = random.uniform(-30, 10)
        while x < 112:
            w, h = random.uniform(15, 50), random.uniform(10, 90)
            wall = _colour(random, 0.15)
            _rectangle(drawn, x, horizon - h, w, h + 3, wall)
            pane, dark = random.uniform(4, 9), wall * random.uniform(0.2, 0.6)
            for v in np.arange(horizon - h + 2, horizon - 2, pane * 1.6):
                for u in np.arange(x + 2, x + w - pane, pane * 1.5):
                    _rectangle(drawn, u, v, pane * 0.8, pane, dark)
            x += w + random.uniform(0, 30)
    if random.random() < 0.65:
        leaf = np.array((0.7, 1.0, 0.35)) * random.uniform(0.04, 0.35)
        crowns = _noise(random, 0.75) + np.linspace(-1, 1.2, _SMALL)[:, None, None]
        mask = np.clip((crowns - random.uniform(-0.3, 0.9)) * 3, 0, 1)
        light = (1 + 0.5 * _noise(random, 0.95, 7)).clip(0.15, 2.5)
        drawn = drawn * (1 - mask) + mask * light * leaf
    return drawn.astype(np.float32)


def _bokeh(random: np.random.Generator) -> Array:
    """Lights far out of focus in the dark."""
    drawn = _wall(random) * np.float32(0.3)
    radius = random.uniform(2, 9)
    for _ in range(int(random.integers(8, 45))):
        x, y = random.uniform(-5, 117, 2)
        colour = random.uniform(0.1, 1.2) * (0.4 + 0.6 * random.random(3)) * (1.15, 1.0, 0.75)
        layer = drawn.copy()
        _disc(layer, x, y, radius * random.uniform(0.8, 1.2), colour)
        drawn = np.maximum(drawn, layer)
    return drawn


def _clutter(random: np.random.Generator) -> Array:
    """Things at random: shapes of all sizes, people and furniture far behind."""
    drawn = _wall(random)
    for _ in range(int(random.integers(8, 40))):
        x, y, w, h = random.uniform((-20, -20, 3, 3), (112, 112, 40, 60))
        if random.random() < 0.6:
            _rectangle(drawn, x, y, w, h, _colour(random, 0.35))
        else:
            _disc(drawn, x, y, w / 3, _colour(random, 0.35))
    grain = 1 + np.float32(0.15) * _noise(random, 0.8)
    return np.asarray(drawn * np.clip(grain, 0.3, 2), np.float32)
