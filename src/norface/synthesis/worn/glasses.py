"""Glasses: frames, bridge, temples to the ears, and lenses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.head import HeadModel
from norface.synthesis.body.surface import Surface
from norface.synthesis.worn.pieces import join, spread, tube

Array = NDArray[np.float32]

RIMS: Final = ("round", "rectangular", "cat-eye", "aviator", "rimless")


@dataclass(frozen=True)
class Glasses:
    """Glasses.

    Attributes:
        thick: whether the frame is thick.
        half_width, half_height: of a glass, decimetres.
        colour: of the frame, linear RGB.
        rim: one of ``RIMS``.
        shine: 0 to 1, strength of the window mirrored in the lenses; 0 for none.
        tint: linear RGB of dark lenses that hide the eyes, or None for clear ones.
        metal: whether the frame shines.
        low: decimetres that the glasses have slid down the nose.
    """

    thick: bool
    half_width: float
    half_height: float
    colour: tuple[float, float, float]
    rim: str = "round"
    shine: float = 0.0
    tint: tuple[float, float, float] | None = None
    metal: bool = False
    low: float = 0.0


def random_glasses(random: np.random.Generator) -> Glasses | None:
    """Glasses for some, None for most; sunglasses for a few."""
    kind = random.random()
    worn = some_glasses(random, dark=bool(kind < 0.01))
    return worn if kind < 0.21 else None


def some_glasses(random: np.random.Generator, *, dark: bool = False) -> Glasses:
    """Glasses of any make, with lenses that hide the eyes if ``dark``."""
    rim = str(random.choice(RIMS, p=(0.25, 0.37, 0.13, 0.12, 0.13)))
    metal = bool(random.random() < (0.9 if rim in ("aviator", "rimless") else 0.3))
    colour = random.uniform(0.0, 0.3, 3) ** 2
    if metal:
        colour = random.uniform(0.08, 0.5) * np.array((1.0, *random.uniform(0.6, 1.0, 2)))
    elif random.random() < 0.55:
        colour = random.uniform(0.004, 0.03, 3)
    red, green, blue = (float(v) for v in colour)
    grow = 0.03 if dark else 0.0
    height = {"round": (0.19, 0.24), "aviator": (0.20, 0.25)}.get(rim, (0.13, 0.19))
    tint = float(random.uniform(0.003, 0.03))
    return Glasses(
        thick=bool(not metal and random.random() < 0.6),
        half_width=float(random.uniform(0.22, 0.265)),
        half_height=float(random.uniform(*height)) + grow,
        colour=(red, green, blue),
        rim=rim,
        shine=float(random.uniform(0.2, 0.9)) if random.random() < 0.35 else 0.0,
        tint=(tint, 0.9 * tint, 0.8 * tint) if dark else None,
        metal=metal,
        low=float(max(random.normal(0.03, 0.03), 0.0)),
    )


def _outline(worn: Glasses, side: float) -> NDArray[np.float64]:
    """(33, 2) the rim around the middle of a glass, its outer side where ``side`` points."""
    angle = np.linspace(0, 2 * np.pi, 33)
    across, up = np.cos(angle), np.sin(angle)
    power = {"round": 1.0, "rectangular": 0.45, "rimless": 0.5}.get(worn.rim, 0.75)
    x = np.sign(across) * np.abs(across) ** power
    y = np.sign(up) * np.abs(up) ** power
    if worn.rim == "cat-eye":
        y = y * (1 - 0.12 * x) + 0.30 * np.maximum(x, 0) ** 2 * (y > -0.3)
        x = x * (1 + 0.08 * y)
    elif worn.rim == "aviator":
        x = x * (1 + 0.10 * y) - 0.12 * np.maximum(-y, 0)
        y = np.where(y < 0, y * 1.08 + 0.15 * x * (y < 0) * np.abs(y), y * 0.8)
    return np.stack([side * worn.half_width * x, worn.half_height * y], axis=1)


def glasses_surfaces(
    head: HeadModel, canvas: Canvas, points: Array, worn: Glasses
) -> list[Surface]:
    """The frame on the nose of a person, its temples to the ears, and what lenses show."""
    eyes = [points[head.vertices_of(name)].mean(0) for name in ("eye_left", "eye_right")]
    depth, bend = _seat(head, points, worn)
    height = 0.5 * (eyes[0][1] + eyes[1][1]) - 0.02 - worn.low

    def place(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([x, y, depth - bend * x**2 - 0.10 * (height - y)], axis=1)

    thick = 0.022 if worn.thick else 0.0115
    pieces, lenses, hinges = [], [], []
    for eye in eyes:
        side = 1.0 if eye[0] > 0 else -1.0
        middle = side * max(abs(float(eye[0])), worn.half_width + 0.055)
        outline = _outline(worn, side)
        rim = place(middle + outline[:, 0], height + outline[:, 1])
        # Closed tubes: the tangent at the seam is that of a ring.
        if worn.rim != "rimless":
            pieces.append(tube(rim, thick, sides=6))
        lenses.append((rim, side))
        outer = rim[np.argmax(side * rim[:, 0] + 0.5 * rim[:, 1])]
        hinges.append((outer, side))
    inner = [rim[np.argmin(np.abs(rim[:, 0]) - 0.3 * rim[:, 1])] for rim, _ in lenses]
    t = np.linspace(0, 1, 7)[:, None]
    bridge = inner[1] + t * (inner[0] - inner[1])
    bridge[:, 1] += 0.035 * np.sin(np.pi * t[:, 0])
    bridge[:, 2] += 0.05 * np.sin(np.pi * t[:, 0])
    pieces.append(tube(bridge, thick * 1.05, sides=6))
    if worn.rim == "aviator":
        pieces.append(tube(bridge + np.array((0, 0.07, -0.01)), thick, sides=6))
    for outer, side in hinges:
        pieces.append(tube(_temple(head, points, outer, side), thick * 1.1, sides=4, flat=0.6,
                           across=(0.0, 1.0, 0.0)))  # fmt: skip
    surfaces = [join(canvas, pieces, "frame", "glasses")]
    if worn.tint is not None or worn.shine > 0:
        surfaces += [_lens(canvas, rim, worn) for rim, _ in lenses]
    return surfaces


def _seat(head: HeadModel, points: Array, worn: Glasses) -> tuple[float, float]:
    """How far forward the frame sits at the middle, and how it bends back to the sides."""
    skin = points[head.vertices_of("skin")]
    x, y = np.abs(skin[:, 0]), skin[:, 1] + worn.low
    reach = 0.31 + worn.half_width
    near = (x > 0.10) & (x < reach) & (y > -worn.half_height - 0.05) & (y < worn.half_height)
    near &= skin[:, 2] > -0.5
    bend = 0.18
    depth = float((skin[near, 2] + bend * x[near] ** 2).max()) + 0.035
    return depth, bend


def _temple(
    head: HeadModel, points: Array, outer: NDArray[np.float64], side: float
) -> NDArray[np.float64]:
    """(9, 3) from the rim's outer end to the ear, outside of the skin."""
    skin = points[head.vertices_of("skin")]
    mean = head.mean[head.vertices_of("skin")]
    beside = side * skin[:, 0]
    ear = (side * mean[:, 0] > 0.74) & (np.abs(mean[:, 1] - 0.06) < 0.08) & (mean[:, 2] < -0.7)
    top = skin[ear].mean(0)
    band = (np.abs(skin[:, 1] - outer[1]) < 0.12) & (beside > 0.3) & (mean[:, 2] > -0.72)
    t = np.array((0.0, 0.04, 0.16, 0.3, 0.45, 0.6, 0.75, 0.88, 1.0))
    z = outer[2] + t * (top[2] - 0.05 - outer[2])
    # Just outside of the widest skin up to here.
    wide = [beside[band & (skin[:, 2] > depth - 0.06)].max(initial=0.0) + 0.022 for depth in z]
    x = np.maximum.accumulate(np.maximum(wide, abs(outer[0]) + np.array((0.0, *[0.03] * 8))))
    x[-1] = max(x[-1], side * top[0] - 0.04)
    y = outer[1] + t * (top[1] + 0.04 - outer[1])
    return np.stack([side * x, y, z], axis=1)


def _lens(canvas: Canvas, rim: NDArray[np.float64], worn: Glasses) -> Surface:
    """A glass as a fan: dark and whole, or clear but for the window that it mirrors."""
    middle = rim[:-1].mean(0)
    points = np.concatenate([middle[None], rim[:-1]])
    points[0, 2] += 0.012
    count = len(rim) - 1
    ring = np.arange(1, count + 1)
    faces = np.stack([np.zeros(count, np.int64), ring, ring % count + 1], axis=1)
    if rim[0, 0] < middle[0]:
        faces = faces[:, ::-1]
    flat = points - middle
    across = 0.5 + 0.47 * flat[:, 0] / worn.half_width
    along = 0.5 - 0.40 * flat[:, 1] / worn.half_height
    uv = spread(canvas, "lens", np.clip(across, 0, 1), np.clip(along, 0, 1))
    return Surface(
        points.astype(np.float32), np.ascontiguousarray(faces, np.int32), uv, "glasses",
        cutout=worn.tint is None,
    )  # fmt: skip


def paint_glasses(sheet: Array, canvas: Canvas, worn: Glasses) -> None:
    """The frame's colour, and tinted lenses or the light that clear ones mirror."""
    frame = sheet[canvas.tile("frame")]
    frame[..., :3] = worn.colour
    frame[..., 3] = 0.6 if worn.metal else 0.25
    lens = sheet[canvas.tile("lens")]
    rows, columns = lens.shape[:2]
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    over = np.linspace(0, 1, columns, dtype=np.float32)[None]
    slant = over + 0.45 * down
    # A window of two panes, high on the glass.
    pane = (np.abs(slant - 0.36) < 0.025) | (np.abs(slant - 0.46) < 0.045)
    mirrored = (pane & (down > 0.1) & (down < 0.30)).astype(np.float32)
    if worn.tint is not None:
        lens[..., :3] = np.array(worn.tint, np.float32) * (0.6 + 1.5 * down[..., None])
        lens[..., :3] += 0.4 * worn.shine * mirrored[..., None]
        lens[..., 3] = 0.5
        lens[..., 5] = 1
    else:
        lens[..., :3] = 0.15 + 0.5 * worn.shine
        lens[..., 3] = 0.5
        lens[..., 5] = mirrored
