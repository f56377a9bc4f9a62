"""The parametric head: identity and facial actions to vertices.

Axes: x to the picture's right (the person's left), y up, z towards the camera; decimetres, the
point between the eyes at the origin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

import numba
import numpy as np
from numpy.typing import NDArray

from norface.facs import FACIAL_ACTIONS

Array = NDArray[np.float32]

AGE_YOUNG, AGE_OLD = 25.0, 90.0


@dataclass(frozen=True)
class Shape:
    """What makes one head's bones and flesh.

    Attributes:
        gender: 0 female to 1 male.
        age: years, 18 to 90.
        muscle, weight: 0 to 1, 0.5 average.
        ancestry: shares of African, Asian and European, summing to 1.
        local: (108,) local face shapes, each -1 to 1, 0 average.
    """

    gender: float
    age: float
    muscle: float
    weight: float
    ancestry: tuple[float, float, float]
    local: Array


class HeadModel:
    """Linear basis of heads: ``vertices = mean + attributes + local shapes + facial actions``.

    Attributes:
        mean: (V, 3) mean head.
        faces: (F, 3) triangles, counter-clockwise seen from outside.
        region: (F,) index into ``region_names``.
        actions: (52, V, 3) displacement of each facial action at full strength.
    """

    def __init__(self) -> None:
        file = resources.files("norface.synthesis") / "assets/head_basis.npz"
        with file.open("rb") as stream, np.load(stream) as basis:
            self.mean: Array = basis["mean"]
            self.faces: NDArray[np.int32] = basis["faces"].astype(np.int32)
            self.region: NDArray[np.uint8] = basis["region"]
            self.region_names = tuple(str(name) for name in basis["region_names"])
            self.local_names = tuple(str(name) for name in basis["local_names"])
            shapes = {
                name: basis[name].astype(np.float32) * basis[name + "_scale"][:, None, None]
                for name in ("appearance", "build", "local", "actions")
            }
            order = [list(basis["action_names"]).index(name) for name in FACIAL_ACTIONS]
        self._vertices = {
            name: np.unique(self.faces[self.region == i])
            for i, name in enumerate(self.region_names)
        }
        self.actions: Array = shapes["actions"][order]
        self._appearance, self._build = shapes["appearance"], shapes["build"]
        self._local = shapes["local"]

    def vertices_of(self, region: str) -> NDArray[np.int32]:
        """Indices of the vertices that the region's triangles use."""
        return self._vertices[region]

    def neutral(self, shape: Shape) -> Array:
        """(V, 3) vertices of the person without any expression."""
        old = np.clip((shape.age - AGE_YOUNG) / (AGE_OLD - AGE_YOUNG), 0, 1)
        gender = np.array([shape.gender, 1 - shape.gender])
        age = np.array([1 - old, old])
        # Corners: (ancestry, male then female, age) and (male then female, age, muscle, weight).
        appearance = np.einsum("r,g,a->rga", shape.ancestry, gender, age).ravel()
        build = np.einsum(
            "g,a,m,w->gamw", gender, age, _three_corners(shape.muscle), _three_corners(shape.weight)
        ).ravel()
        local = np.stack([np.maximum(shape.local, 0), np.maximum(-shape.local, 0)], 1).ravel()
        head = self.mean.copy()
        for weights, basis in (
            (appearance, self._appearance),
            (build, self._build),
            (local, self._local),
        ):
            _add(head, weights.astype(np.float32), basis)
        return head

    def express(self, neutral: Array, actions: Array) -> Array:
        """(V, 3) vertices of ``neutral`` with the (52,) facial actions, each 0 to 1."""
        head = np.array(neutral, np.float32)
        _add(head, np.where(actions > 1e-4, actions, 0).astype(np.float32), self.actions)
        return head

    def lip_gap(self, vertices: Array) -> float:
        """Opening between the inner lips at the midline, as a share of the eyes' distance."""
        upper, lower = self._inner_lips
        left, right = (vertices[self.vertices_of(f"eye_{s}")].mean(0) for s in ("left", "right"))
        gap = vertices[upper, 1].mean() - vertices[lower, 1].mean()
        return float(gap / np.linalg.norm(left - right))

    @cached_property
    def _inner_lips(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Vertices of the lips' seam near the midline that stay and that follow the jaw."""
        seam = np.intersect1d(self.vertices_of("skin"), self.vertices_of("mouth"))
        seam = seam[np.abs(self.mean[seam, 0]) < 0.08]
        drop = self.actions[FACIAL_ACTIONS.index("jawOpen")][seam, 1]
        return seam[drop > 0.5 * drop.min()], seam[drop <= 0.5 * drop.min()]


@numba.njit(cache=True, error_model="numpy")
def _add(head: Array, weights: Array, basis: Array) -> None:
    """Add the weighted shapes; in one fixed order, as a matrix library's differs by machine."""
    for i in range(weights.shape[0]):
        weight = weights[i]
        if weight == 0:
            continue
        for v in range(head.shape[0]):
            for k in range(3):
                head[v, k] += weight * basis[i, v, k]


def _three_corners(value: float) -> NDArray[np.float64]:
    """Piecewise linear weights of the corners 0, 0.5 and 1."""
    return np.array([max(1 - 2 * value, 0), 1 - abs(2 * value - 1), max(2 * value - 1, 0)])


@cache
def head_model() -> HeadModel:
    """The one head model of the process."""
    return HeadModel()
