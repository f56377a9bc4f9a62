"""Whether a face in sight is still the one that was there a frame before.

It finds cuts that the frame as a whole does not show: between people before the same backdrop. What
is compared is a small grey picture of the face, straightened by its landmarks. From one frame to
the next it hardly changes, whatever the face does; when another face takes the place, it changes
all over at once. Nothing is known of who it is: this cannot tell two pictures of one person from
those of two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.faces.align import warp
from norface.faces.bundle import canonical_face

VIEW_SIDE: Final = 36
"""Side of a view in pixels: enough for what tells faces apart, too little for noise."""

_CHANGED: Final = 0.14
"""Change from which it is another face. Figures: docs/people.md."""

_SAME: Final = 0.08
"""Change below which it is the same face, even where the frame as a whole changed: a light."""

_ABOVE_UNREST: Final = 6.0
"""How often the changes of the last frames it must be."""

_SPAN: Final = 1.05
"""Side of a view in widths of the face."""

_SAMPLED: Final = 72
"""Pixels across a face that are read at least, where it has them."""

_BLOCKS: Final = 6
_BLUR: Final = 1.2
_NOISE: Final = 4.0
"""Variance in grey levels that says nothing."""

_FEW: Final = 10
"""Blocks that must have changed less: a hand leaves some of a face free, a cut leaves none."""

_FLAT: Final = canonical_face()[:468, :2] - canonical_face()[:468, :2].mean(axis=0)
_WIDTH: Final = float(np.ptp(_FLAT[:, 0]))

View = NDArray[np.uint8]


def view(image: NDArray[np.uint8], points: NDArray[np.float32]) -> View:
    """(36, 36) uint8: the face with these (478, 3) landmarks in ``image`` (H, W, 3), upright."""
    # Green alone, and of a large face not every pixel: the rest would only cost time.
    step = max(1, int(np.ptp(points[:, 0])) // _SAMPLED)
    small = warp(image[::step, ::step, 1], _framing(points / step), VIEW_SIDE)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), _BLUR), np.uint8)


def change(before: View, now: View) -> float:
    """How much two views differ: some 0.003 from frame to frame, 0.4 between two people.

    Light and contrast are taken out block by block, so a lamp that is switched on counts little.
    """
    one, other = _blocks(before), _blocks(now)
    apart = np.sort(1 - _alike(one, other))
    whole = 1 - _alike(one.reshape(1, -1), other.reshape(1, -1))[0]
    parts = apart[_BLOCKS**2 // 2] * apart[_FEW] * whole
    return float(max(0.0, parts) ** (1 / 3))


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a face looks like in a frame.

    Attributes:
        view: (36, 36) uint8.
        change: since the frame before; 0 for a face that is new.
        unrest: the largest `change` of the frames before, of less weight the longer ago.
    """

    view: View
    change: float = 0.0
    unrest: float = 0.0

    @property
    def is_another(self) -> bool:
        """Whether another face has taken the place of the one that was there."""
        # A hand comes over a face frame by frame, a cut out of the blue.
        return self.change > max(_CHANGED, _ABOVE_UNREST * self.unrest)

    @property
    def is_same(self) -> bool:
        """Whether it surely is the face that was there."""
        return self.change < _SAME

    def next(
        self,
        image: NDArray[np.uint8],
        points: NDArray[np.float32],
        points_before: NDArray[np.float32],
    ) -> Look:
        """The look in the next frame.

        Args:
            image: (H, W, 3) uint8 RGB, that frame.
            points: (478, 3) landmarks of the face there.
            points_before: those of this look.
        """
        now = view(image, points)
        changed = change(self.view, now)
        if changed > _CHANGED:
            # A hand over the face upsets its landmarks; what it leaves free has not moved much.
            changed = min(changed, change(self.view, view(image, points_before)))
        return Look(now, changed, max(self.change, self.unrest / 2))

    def state(self) -> dict[str, Any]:
        """As plain values."""
        return {"view": self.view.tolist(), "change": self.change, "unrest": self.unrest}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Look:
        """The look whose `state` this was."""
        view = np.array(state["view"], np.uint8)
        return cls(view, float(state["change"]), float(state["unrest"]))


def _framing(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(2, 3) from positions in the picture to positions in the view, by least squares."""
    flat = points[:468, :2].astype(np.float64)
    middle = flat.mean(axis=0)
    x, y = (flat - middle).T
    u, v = _FLAT.T
    cosine, sine = (x * u + y * v).sum(), (y * u - x * v).sum()
    cosine, sine = np.array([cosine, sine]) / (x @ x + y @ y) * VIEW_SIDE / (_SPAN * _WIDTH)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([linear, VIEW_SIDE / 2 - linear @ middle])


def _blocks(face: View) -> NDArray[np.float32]:
    """(36, 36) pixels of a view, block by block."""
    side = VIEW_SIDE // _BLOCKS
    rows = face.reshape(_BLOCKS, side, _BLOCKS, side).transpose(0, 2, 1, 3)
    return rows.reshape(_BLOCKS**2, side**2).astype(np.float32)


def _alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) correlations of the rows of two (N, M); 1 where neither shows more than noise."""
    one = one - one.mean(axis=1, keepdims=True)
    other = other - other.mean(axis=1, keepdims=True)
    together = (one * other).mean(axis=1) + _NOISE
    spread = ((one**2).mean(axis=1) + _NOISE) * ((other**2).mean(axis=1) + _NOISE)
    return np.asarray(together / np.sqrt(spread), np.float32)
