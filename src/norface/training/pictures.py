"""From stored pictures to tensors, and from tensors to sheets that a person looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_images(pictures: NDArray[np.uint8]) -> Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 in 0..1, in channels-last memory."""
    return unpacked(torch.from_numpy(np.ascontiguousarray(pictures)))


def unpacked(pictures: Tensor) -> Tensor:
    """The same of a tensor, on its device: bytes travel there four times as fast as floats."""
    return pictures.permute(0, 3, 1, 2).float() / 255.0


def from_images(images: Tensor) -> NDArray[np.uint8]:
    """(N, 3, H, W) in 0..1 -> (N, H, W, 3) uint8."""
    scaled = images.detach().float().clamp(0, 1).mul(255).round().byte()
    return np.asarray(scaled.permute(0, 2, 3, 1).cpu().numpy(), np.uint8)


def sheet(columns: Sequence[Tensor], *, folds: int = 2) -> NDArray[np.uint8]:
    """Faces side by side, one row each.

    Args:
        columns: (N, 3, S, S) in 0..1 each.
        folds: blocks beside each other in which the rows are laid, lest it be long.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    rows = torch.cat([c.detach().float().cpu().clamp(0, 1) for c in columns], dim=3)
    high = -(-len(rows) // folds)
    blocks = []
    for start in range(0, len(rows), high):
        block = torch.cat(list(rows[start : start + high]), dim=1)
        missing = high * rows.shape[2] - block.shape[1]
        blocks.append(torch.nn.functional.pad(block, (0, 8, 0, missing)))
    whole = torch.cat(blocks, dim=2).permute(1, 2, 0)
    return np.asarray(whole.mul(255).round().byte().numpy(), np.uint8)
