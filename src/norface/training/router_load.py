"""Which expert takes which faces: shares, mean gates, and a picture of who takes which label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from norface.models.moe import Routing

_CELL: Final = (46, 20)
_NAMES: Final = 210
_GAP, _MARGIN, _HEADER = 24, 12, 44
_INK: Final = (32, 36, 44)
_NONE: Final = (226, 226, 226)
_LOW, _HIGH = np.array((247, 250, 253)), np.array((12, 62, 124))


class RouterLoad:
    """Routings added up over batches.

    Args:
        labels: names of the rows of the picture, e.g. of the action units.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._faces = 0
        self._present = torch.zeros(len(self._labels))
        self._chosen: dict[str, Tensor] = {}
        self._gates: dict[str, Tensor] = {}
        self._by_label: dict[str, Tensor] = {}

    def add(self, routings: Mapping[str, Routing], present: Tensor) -> None:
        """Take in a batch.

        Args:
            routings: by mixture; a network without mixtures has none.
            present: (B, labels) bool, false where unknown.
        """
        self._faces += len(present)
        shown = present.float().cpu()
        self._present += shown.sum(0)
        for name, routing in routings.items():
            gates = routing.gates.detach().float().cpu()
            chosen = (gates > 0).float()
            # A face counts once, split among the experts that it goes to.
            chosen = chosen / chosen.sum(1, keepdim=True)
            for sums, value in (
                (self._chosen, chosen.sum(0)),
                (self._gates, gates.sum(0)),
                (self._by_label, shown.T @ gates),
            ):
                sums[name] = sums[name] + value if name in sums else value

    def figures(self) -> dict[str, float]:
        """Share of the faces and mean gate of each expert; each sums to 1 over a mixture."""
        figures: dict[str, float] = {}
        for kind, sums in (("share", self._chosen), ("gate", self._gates)):
            for name, total in sums.items():
                for expert, value in enumerate(total / max(self._faces, 1)):
                    figures[f"router/{name}/{kind}_{expert}"] = float(value)
        return figures

    def maps(self) -> dict[str, NDArray[np.float32]]:
        """Mixture -> (labels, E): mean gate over the faces that show a label, NaN if none does."""
        count = self._present[:, None]
        return {
            name: torch.where(count > 0, total / count.clamp(min=1), torch.nan).numpy()
            for name, total in self._by_label.items()
        }

    def picture(self) -> NDArray[np.uint8] | None:
        """Heat maps (H, W, 3) uint8 RGB: a row for each label, a column for each expert.

        Dark is a large gate; grey means that no face showed the label. The last two rows are over
        all faces: the mean gate, and the share of the faces that the expert takes. None when there
        is no mixture.
        """
        if not self._gates:
            return None
        counts = [
            f"{label}  ({int(n)})" for label, n in zip(self._labels, self._present, strict=True)
        ]
        rows = [*counts, "all: mean gate", "all: share of faces"]
        maps = {
            name: np.vstack(
                [
                    values,
                    self._gates[name].numpy() / max(self._faces, 1),
                    self._chosen[name].numpy() / max(self._faces, 1),
                ]
            )
            for name, values in self.maps().items()
        }
        return _heat_maps(rows, maps)


def _heat_maps(rows: Sequence[str], maps: Mapping[str, NDArray[np.floating]]) -> NDArray[np.uint8]:
    width, height = _CELL
    columns = sum(values.shape[1] * width + _GAP for values in maps.values())
    size = (2 * _MARGIN + _NAMES + columns - _GAP, _HEADER + len(rows) * height + 2 * _MARGIN)
    canvas = Image.new("RGB", size, (255, 255, 255))
    draw = ImageDraw.Draw(canvas)
    font, small = ImageFont.load_default(13), ImageFont.load_default(11)
    top = _MARGIN + _HEADER
    for i, row in enumerate(rows):
        middle = top + i * height + height // 2
        draw.text((_MARGIN, middle), row, _INK, font, anchor="lm")
    left = _MARGIN + _NAMES
    for name, values in maps.items():
        draw.text((left, _MARGIN), name, _INK, font)
        for e in range(values.shape[1]):
            x = left + e * width
            draw.text((x + width // 2, top - 6), str(e), _INK, small, anchor="ms")
            for i, value in enumerate(values[:, e]):
                box = (x, top + i * height, x + width - 2, top + (i + 1) * height - 2)
                draw.rectangle(box, _colour(value))
                if not np.isnan(value):
                    ink = (255, 255, 255) if value > 0.5 else _INK
                    place = (x + width // 2 - 1, top + i * height + height // 2 - 1)
                    draw.text(place, f"{value:.2f}", ink, small, anchor="mm")
        left += values.shape[1] * width + _GAP
    return np.asarray(canvas, np.uint8)


def _colour(value: float) -> tuple[int, int, int]:
    if np.isnan(value):
        return _NONE
    mixed = _LOW + (_HIGH - _LOW) * min(max(float(value), 0.0), 1.0)
    red, green, blue = (int(c) for c in mixed)
    return red, green, blue
