"""Things worn on the head: beanies, caps, headbands, turbans and hijabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.synthesis.body.canvas import Canvas
from norface.synthesis.body.hair import Hair
from norface.synthesis.body.scalp import over_head
from norface.synthesis.body.surface import Surface, grid_faces
from norface.synthesis.worn.fabric import paint_fabric
from norface.synthesis.worn.pieces import spread

Array = NDArray[np.float32]

COVERINGS: Final = ("hijab", "turban", "beanie", "cap", "headband")

_ROWS, _COLUMNS = 18, 49
_AROUND: Final = np.linspace(-np.pi, np.pi, _COLUMNS)
_ASIDE: Final = np.abs(_AROUND)


@dataclass(frozen=True)
class Covering:
    """Something worn on the head.

    Attributes:
        kind: one of ``COVERINGS``.
        colour, second: linear RGB of the cloth and of its pattern.
        pattern: "plain", "stripes" or "dots".
        low: how far it is drawn over the forehead, degrees from the crown, about 0.
        seed: seed of its folds.
    """

    kind: str
    colour: tuple[float, float, float]
    second: tuple[float, float, float]
    pattern: str = "plain"
    low: float = 0.0
    seed: int = 0

    @property
    def hides_all_hair(self) -> bool:
        """Whether no hair is seen."""
        return self.kind in ("hijab", "turban")

    @property
    def presses_hair(self) -> bool:
        """Whether hair under it lies flat."""
        return self.kind in ("beanie", "cap")


def random_covering(random: np.random.Generator, gender: float) -> Covering | None:
    """Something on the head of few people, None for most."""
    chance = random.random()
    shares = (0.02, 0.02, 0.3, 0.48, 0.18) if gender > 0.5 else (0.5, 0.06, 0.18, 0.1, 0.16)
    kind = str(random.choice(COVERINGS, p=shares))
    worn = some_covering(random, kind)
    return worn if chance < 0.12 else None


def some_covering(random: np.random.Generator, kind: str) -> Covering:
    """One of ``COVERINGS`` in any cloth."""
    colours = []
    for _ in range(2):
        level = 0.9 * float(random.random()) ** 2 + 0.01
        tone = np.clip(level * (1 + random.normal(0, 0.4, 3)), 0.004, 0.85)
        red, green, blue = (float(v) for v in tone)
        colours.append((red, green, blue))
    return Covering(
        kind,
        colours[0],
        colours[1],
        str(random.choice(["plain", "stripes", "dots"], p=(0.78, 0.15, 0.07))),
        float(random.normal(0, 3)),
        int(random.integers(2**31)),
    )


def covering_surfaces(canvas: Canvas, mapped: Array, worn: Covering, hair: Hair) -> list[Surface]:
    """The surfaces of a covering.

    Args:
        canvas: where paint goes.
        mapped: the person's head map.
        worn: the covering.
        hair: the hair under it, which it makes room for.
    """
    below = 0.06 * (hair.length > 0) + 0.02
    ends: tuple[tuple[float, ...], tuple[float, ...]]
    if worn.kind == "beanie":
        ends = (0.0, 0.8, 1.2, 1.6, 2.1, np.pi), (52.0, 56.0, 70.0, 84.0, 98.0, 106.0)
        return [_shell(canvas, mapped, worn, ends, 0.09 + below, top=0.16, cuff=0.035)]
    if worn.kind == "cap":
        ends = (0.0, 0.6, 1.1, 1.6, 2.1, np.pi), (52.0, 54.0, 68.0, 76.0, 88.0, 98.0)
        crown = _shell(canvas, mapped, worn, ends, 0.07 + below, top=0.08, cuff=0.0)
        return [crown, _brim(canvas, mapped, worn, 0.07 + below)]
    if worn.kind == "headband":
        ends = (0.0, 0.8, 1.2, 1.8, np.pi), (50.0, 54.0, 66.0, 80.0, 96.0)
        lift = 0.04 + min(0.9 * hair.volume, 0.13) * (hair.scalp > 0.5)
        return [_shell(canvas, mapped, worn, ends, lift, wide=20.0)]
    if worn.kind == "turban":
        ends = (0.0, 0.5, 1.0, 1.4, 1.9, np.pi), (50.0, 55.0, 66.0, 78.0, 90.0, 112.0)
        return [_shell(canvas, mapped, worn, ends, 0.16, top=0.12, wrap=0.035)]
    return [_veil(canvas, mapped, worn), _bib(canvas, mapped)]


def _shell(
    canvas: Canvas,
    mapped: Array,
    worn: Covering,
    ends: tuple[tuple[float, ...], tuple[float, ...]],
    lift: float,
    *,
    top: float = 0.0,
    cuff: float = 0.0,
    wrap: float = 0.0,
    wide: float = 0.0,
) -> Surface:
    """Cloth over the head from the crown, or from ``wide`` degrees above its edge, to the edge."""
    random = np.random.default_rng([worn.seed, 4])
    end = np.interp(_ASIDE, *ends) + worn.low * np.clip(1.6 - _ASIDE, 0, 1)
    share = np.linspace(0, 1, _ROWS)[:, None]
    start = end - wide if wide else 0 * end
    down = (start + share * (end - start)).astype(np.float32)
    # The edge turns in to the skin, so that no gap is seen under it.
    height = lift * np.clip((1 - share) * 7 + 0.25, 0, 1) * np.ones_like(down)
    if wide:
        height *= np.clip(share * 7 + 0.25, 0, 1)
    height += top * np.exp(-((down / 45) ** 2))
    height += cuff * (np.abs(share - 0.86) < 0.11)
    if wrap:
        phase = down * 0.36 + 2.2 * np.sign(_AROUND) * np.cos(_AROUND)
        height += wrap * np.abs(np.sin(phase)) * np.clip((1 - share) * 5, 0, 1)
    coarse = random.standard_normal(_COLUMNS)
    coarse[-1] = coarse[0]
    height += 0.012 * np.convolve(coarse, (0.3, 0.4, 0.3), mode="same") * np.sin(share * 6)
    points = over_head(_AROUND, down, height.astype(np.float32), mapped)
    across = np.abs((np.linspace(0, 1, _COLUMNS) * 2) % 2 - 1)[None]
    along = np.broadcast_to(share * (0.25 if wide else 1.0), down.shape)
    uv = spread(canvas, "covering", across, along)
    return Surface(points.reshape(-1, 3), grid_faces(_ROWS, _COLUMNS), uv, "covering")


def _brim(canvas: Canvas, mapped: Array, worn: Covering, lift: float) -> Surface:
    """The brim of a cap, from its front edge forward."""
    rows, columns = 6, 17
    around = np.linspace(-0.95, 0.95, columns)
    edge = np.interp(np.abs(around), (0.0, 0.6, 1.1), (50.0, 52.0, 64.0)) + worn.low
    down = edge[None].astype(np.float32)
    root = over_head(around, down, np.full((1, columns), 0.7 * lift, np.float32), mapped)[0]
    share = np.linspace(0, 1, rows)[:, None]
    reach = 0.72 * np.sqrt(np.clip(1 - (around / 0.96) ** 2, 0, 1)) * share
    points = np.broadcast_to(root, (rows, columns, 3)).copy()
    points[..., 2] += reach
    points[..., 1] -= 0.30 * reach + 0.10 * (around / 0.95) ** 2 * share
    uv = spread(canvas, "covering", np.linspace(0.1, 0.9, columns)[None], 0.86 + 0.14 * share)
    return Surface(points.reshape(-1, 3), grid_faces(rows, columns), uv, "covering")


def _veil(canvas: Canvas, mapped: Array, worn: Covering) -> Surface:
    """The upper cloth of a hijab: over the head, down beside the face and behind."""
    random = np.random.default_rng([worn.seed, 4])
    share = np.linspace(0, 1, _ROWS)[:, None]
    end = np.interp(_ASIDE, (0.0, 0.5, 0.8, 1.0, 1.15, 3.2), (55.0, 57.0, 65.0, 80.0, 92.0, 92.0))
    end = end + worn.low * np.clip(1.2 - _ASIDE, 0, 1)
    falls = np.clip((_ASIDE - 0.95) / 0.2, 0, 1)
    down = np.minimum(share * (1 + 0.9 * falls), 1) * end
    drop = np.clip(share * 1.9 - 0.9, 0, 1) * 2.3 * falls
    over_ear = np.exp(-(((_ASIDE - 1.75) / 0.45) ** 4)) * np.clip((down - 60) / 20, 0, 1)
    lift = np.maximum(0.10 * np.clip((1 - share * (1 - falls)) * 6 + 0.3, 0, 1), 0.27 * over_ear)
    folds = np.sin(_AROUND * 9 + random.uniform(0, 6) + 2 * share) * 0.012
    lift = lift + folds * np.clip(share * 2, 0, 1)
    points = over_head(_AROUND, down.astype(np.float32), lift.astype(np.float32), mapped)
    # Beside the neck the cloth comes in, on the shoulders it goes out again.
    below = np.maximum(drop - 0.6, 0)
    narrow = 1 - 0.22 * np.sin(np.clip(below / 0.9, 0, 1) * np.pi)
    narrow += 0.3 * np.maximum(below - 0.7, 0)
    points[..., 0] *= narrow
    points[..., 1] -= drop
    across = np.abs((np.linspace(0, 1, _COLUMNS) * 2) % 2 - 1)[None]
    uv = spread(canvas, "covering", across, np.broadcast_to(share, down.shape))
    return Surface(
        points.reshape(-1, 3).astype(np.float32), grid_faces(_ROWS, _COLUMNS), uv, "covering"
    )


def _bib(canvas: Canvas, mapped: Array) -> Surface:
    """The lower cloth of a hijab: from the cheeks and under the chin down to the chest."""
    rows, columns = 10, 25
    around = np.linspace(-1.35, 1.35, columns)
    aside = np.abs(around)
    jaw = np.interp(aside, (0.0, 0.3, 0.6, 0.8, 0.95, 1.1, 1.35), (152, 150, 143, 130, 112, 95, 80))
    top = over_head(
        around, jaw[None].astype(np.float32), np.full((1, columns), 0.05, np.float32), mapped
    )[0]
    share = np.linspace(0, 1, rows)[:, None]
    points = np.empty((rows, columns, 3))
    points[..., 0] = top[:, 0] * (1 + 0.05 * share + 1.2 * np.clip(share - 0.4, 0, 1))
    points[..., 1] = top[:, 1] + share * (-2.5 - top[:, 1])
    folds = 0.03 * np.sin(4 * np.abs(around) + 11 * share)
    hang = top[:, 2] - 0.10 * np.sin(np.pi * np.clip(share * 3, 0, 1))
    # Lower down it lies on the chest.
    chest = 0.10 - 0.12 * points[..., 0] ** 2
    lies = np.clip(share * 2.5 - 0.4, 0, 1)
    points[..., 2] = hang + lies * (chest - hang) + folds * np.clip(share * 4, 0, 1)
    uv = spread(canvas, "covering", 0.1 + 0.8 * (around[None] / 2.7 + 0.5), share)
    return Surface(
        points.reshape(-1, 3).astype(np.float32), grid_faces(rows, columns), uv, "covering"
    )


def paint_covering(tile: Array, worn: Covering) -> None:
    """Cloth with folds and perhaps a pattern into the covering's (rows, columns, 6) tile."""
    folds: dict[str, tuple[float, float, float]] = {
        # Height (decimetres), folds across, and folds along.
        "beanie": (0.012, 46.0, 0.0), "hijab": (0.022, 6.0, 3.0), "turban": (0.03, 1.0, 9.0),
        "cap": (0.003, 4.0, 0.0), "headband": (0.008, 3.0, 3.0),
    }  # fmt: skip
    colours: tuple[Any, Any] = (worn.colour, worn.second)
    paint_fabric(tile, colours, worn.pattern, folds[worn.kind], worn.seed)
