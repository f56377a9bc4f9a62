"""A hand before the face: palm, fingers and wrist as rounded tubes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.head import HeadModel
from norface.synthesis.body.surface import Surface
from norface.synthesis.worn.masks import envelope
from norface.synthesis.worn.pieces import spread, tube

Array = NDArray[np.float32]

# Root, length and width of each finger of a left hand seen from its back, decimetres; the middle
# of the palm is the origin, fingers point up, the thumb to the right.
_FINGERS = (
    ((0.27, 0.36), 0.66, 0.078),
    ((0.09, 0.42), 0.74, 0.082),
    ((-0.09, 0.40), 0.69, 0.078),
    ((-0.26, 0.32), 0.55, 0.068),
)


def hand_surfaces(
    head: HeadModel, canvas: Canvas, points: Array, place: str, side: float, seed: int
) -> list[Surface]:
    """A hand before the mouth, a cheek or an eye.

    Args:
        head: the head model.
        canvas: where paint goes.
        points: (V, 3) the person's head with its expression.
        place: "mouth", "cheek" or "eye".
        side: 1 for the person's left hand or eye, -1 for the right.
        seed: of the hand's place, turn and fingers.
    """
    random = np.random.default_rng([seed, 8])
    eye = points[head.vertices_of("eye_left" if side > 0 else "eye_right")].mean(0)
    lips = np.intersect1d(head.vertices_of("skin"), head.vertices_of("mouth"))
    mouth = points[lips].mean(0)
    jitter = random.normal(0, 0.04, 2)
    curled = bool(random.random() < 0.35)
    if place == "mouth":
        # Fingers lie across the mouth, the palm beside it.
        turn = side * float(random.uniform(0.7, 1.25))
        goal = np.array((float(mouth[0]) + 0.08 * side, float(mouth[1]) - 0.02))
        ahead = 0.15 if curled else 0.50
    elif place == "cheek":
        turn = side * float(random.uniform(-0.15, 0.45))
        goal = np.array((side * 0.60, -0.62))
        ahead = 0.12 if curled else 0.35
    else:
        turn = side * float(random.uniform(0.25, 0.8))
        goal = np.array((float(eye[0]) + 0.03 * side, float(eye[1])))
        ahead = 0.16 if curled else 0.45
    along = np.array((-np.sin(turn), np.cos(turn)))
    centre = goal + jitter - ahead * along
    size = float(random.uniform(0.86, 1.05))
    skin = points[head.vertices_of("skin")]
    skin = skin[skin[:, 2] > -0.6][::2]
    pieces = _hand(random, curled, size)
    right = np.array((along[1], -along[0])) * side
    surfaces = []
    for local, radius in pieces:
        path = np.empty((len(local), 3))
        path[:, :2] = centre + local[:, :1] * right + local[:, 1:2] * along
        # The hand lies on the face, and bends back beside it only a little.
        x, y = path[:, :1].astype(np.float32), path[:, 1:2].astype(np.float32)
        depth = np.maximum(envelope(skin, x, y, 0.9)[:, 0], -0.25)
        path[:, 2] = depth + local[:, 2] + 0.6 * radius.max() + 0.01
        flesh, faces = tube(path, radius, sides=8, flat=0.8, across=(0.05, 0.03, 1.0))
        t = np.linspace(0, 1 if radius.max() < 0.1 else 0.3, len(local))[:, None]
        uv = spread(canvas, "hand", np.linspace(0, 1, 9)[None], t)
        surfaces.append(Surface(flesh, faces, uv, "hand"))
    return surfaces


def _hand(
    random: np.random.Generator, curled: bool, size: float
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Middle lines (N, 3) and radii (N,) of fingers, thumb, palm and wrist."""
    t = np.linspace(0, 1, 9)
    # Round at the ends: the radius closes like a sphere's.
    tip = np.sqrt(np.clip(1 - np.clip((t - 0.86) / 0.14, 0, 1) ** 2, 0.002, 1))
    fan = float(random.uniform(-0.02, 0.10))
    bend = float(random.uniform(0.0, 0.15))
    pieces = []
    for (x, y), length, width in _FINGERS:
        reach = length * (0.38 if curled else float(random.uniform(0.94, 1.0)))
        knuckles = 1 + 0.06 * np.cos(t * 3 * np.pi)
        path = np.stack([
            x + fan * np.sign(x) * 2.2 * np.abs(x) * t, y + reach * t,
            0.02 + (0.05 if curled else 0.04) * np.sin(np.pi * t) - bend * t**2 * 0.3,
        ], axis=1)  # fmt: skip
        pieces.append((size * path, size * width * (1 - 0.18 * t) * tip * knuckles))
    thumb = np.stack([
        0.30 + 0.26 * np.sin(1.3 * t), -0.22 + 0.52 * t, -0.02 + 0.05 * np.sin(np.pi * t)
    ], axis=1)  # fmt: skip
    pieces.append((size * thumb, size * 0.088 * (1.1 - 0.3 * t) * tip))
    for x, radius in ((0.24, 0.12), (0.08, 0.13), (-0.08, 0.13), (-0.23, 0.11)):
        palm = np.stack([x * (1 - 0.35 * (1 - t)), -0.55 + t * 1.05, 0.0 * t], axis=1)
        ends = np.sqrt(np.clip(1 - (2 * t - 1) ** 8, 0.01, 1))
        pieces.append((size * palm, size * radius * ends))
    arm = np.stack([0.0 * t, -0.40 - 2.6 * t, -0.05 + 0.1 * t], axis=1)
    pieces.append((size * arm, size * (0.24 + 0.14 * t)))
    return pieces


def paint_hand(tile: Array, skin: tuple[float, float, float], seed: int) -> None:
    """Skin with creases at the joints into the hand's (rows, columns, 6) tile."""
    random = np.random.default_rng([seed, 9])
    rows, columns = tile.shape[:2]
    t = np.linspace(0, 1, rows)[:, None]
    crease = sum(np.exp(-(((t - at) / 0.018) ** 2)) for at in (0.36, 0.40, 0.68, 0.71))
    grain = random.standard_normal((rows // 4, columns // 4))
    grain = np.repeat(np.repeat(grain, 4, axis=0), 4, axis=1)[:rows, :columns]
    level = 1 - 0.18 * crease + 0.025 * grain
    # Knuckles and tips are redder.
    red = 0.10 * np.exp(-(((t - 0.95) / 0.08) ** 2)) + 0.06 * crease
    warmth = 1 + red[..., None] * np.array((1.0, -0.5, -0.5))
    tile[..., :3] = np.array(skin) * 0.95 * level[..., None] * warmth
    tile[..., 3] = 0.06
    tile[..., 4] = -0.006 * crease + 0.001 * grain
    tile[..., 5] = 1
